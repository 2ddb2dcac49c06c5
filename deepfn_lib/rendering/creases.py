"""Creases and bulges that action units draw on the skin: where human coders look, and too fine for the mesh.

Each is a map over the atlas of how much darker (positive) or lighter (negative) full activation makes the skin.
"""

from collections.abc import Callable
from functools import cache

import numpy as np

from .look import bell, noise, places, spot, step

Crease = tuple[int, str, tuple[slice, slice], np.ndarray]


def _line(distance: np.ndarray, width: float = 0.014) -> np.ndarray:
    """A furrow: dark along distance 0, a little lighter on both banks."""
    return bell(distance, width) - 0.22 * bell(np.abs(distance) - 2.4 * width, 1.5 * width)


def _path(points: list[tuple[float, float]], width: float = 0.014) -> np.ndarray:
    """A furrow along a polyline of (|x|, y) rest positions, fading towards both ends."""
    at = places()
    lengths = np.hypot(*np.diff(points, axis=0).T)
    nearest, share = np.full_like(at["y"], 1e9), np.zeros_like(at["y"])
    for (x0, y0), (x1, y1), before, length in zip(points, points[1:], np.cumsum([0, *lengths]), lengths):
        dx, dy = x1 - x0, y1 - y0
        along = np.clip(((at["side"] - x0) * dx + (at["y"] - y0) * dy) / length**2, 0, 1)
        distance = np.hypot(at["side"] - x0 - along * dx, at["y"] - y0 - along * dy)
        closer = distance < nearest
        nearest = np.where(closer, distance, nearest)
        share = np.where(closer, (before + along * length) / lengths.sum(), share)
    return _line(nearest, width) * step(share, -0.15, 0.3) * step(share, 1.15, 0.7)


def _forehead() -> np.ndarray:
    at = places()
    lines = sum(_line(at["y"] - level - 0.03 * np.cos(at["side"] * 7), 0.017) for level in (7.68, 7.78, 7.88))
    return 0.30 * lines * step(at["y"], 7.60, 7.66)


def _inner_forehead() -> np.ndarray:
    return _forehead() * step(places()["side"], 0.34, 0.18)


def _outer_forehead() -> np.ndarray:
    at = places()
    return _forehead() * step(at["side"], 0.16, 0.3) * step(at["side"], 0.66, 0.5)


def _glabella() -> np.ndarray:
    furrows = 0.5 * _path([(0.045, 7.36), (0.06, 7.46), (0.085, 7.62)], 0.02)
    across = 0.22 * spot(0.0, 7.37, 0.09, 0.022)
    return furrows + across - 0.12 * spot(0.14, 7.53, 0.06, 0.06)


def _cheek_raise() -> np.ndarray:
    feet = sum(_path([(0.49, 7.28 + rise), (0.62, 7.28 + 2.6 * rise)], 0.012) for rise in (0.035, 0.0, -0.035))
    return 0.30 * feet + 0.32 * _path([(0.17, 7.20), (0.27, 7.13), (0.40, 7.13), (0.50, 7.20)], 0.018)


def _lid_tighten() -> np.ndarray:
    return 0.38 * _path([(0.20, 7.225), (0.30, 7.195), (0.42, 7.22)], 0.014)


def _nose_wrinkle() -> np.ndarray:
    lines = [_path([(0.03, 7.25 - d), (0.10, 7.33 - d)], 0.013) for d in (0.0, 0.06, 0.12)]
    return 0.34 * sum(lines) + 0.3 * _path([(0.19, 7.0), (0.24, 6.92)], 0.02)


def _upper_lip_raise() -> np.ndarray:
    return 0.42 * _path([(0.17, 7.02), (0.215, 6.92), (0.29, 6.82)], 0.02)


def _smile() -> np.ndarray:
    fold = 0.42 * _path([(0.20, 6.95), (0.28, 6.84), (0.345, 6.70), (0.35, 6.62)], 0.021)
    return fold - 0.10 * spot(0.40, 6.93, 0.12, 0.11)


def _dimple() -> np.ndarray:
    pit = 0.5 * spot(0.325, 6.625, 0.022, 0.055)
    return pit - 0.12 * spot(0.375, 6.63, 0.03, 0.06)


def _corner_down() -> np.ndarray:
    return 0.42 * _path([(0.265, 6.60), (0.30, 6.52), (0.31, 6.42)], 0.018)


def _chin_raise() -> np.ndarray:
    at = places()
    boss = spot(0.0, 6.32, 0.17, 0.11)
    pits = 0.22 * np.clip(noise(np.random.default_rng(17), 1.5, 1.5), 0, 2) * boss
    fold = 0.5 * bell(np.hypot(at["side"] / 0.17, (at["y"] - 6.45 + 0.9 * at["side"] ** 2) / 0.024))
    return pits + fold


def _stretch() -> np.ndarray:
    return 0.35 * _path([(0.30, 6.72), (0.36, 6.62), (0.35, 6.50)], 0.02)


def _lip_tighten() -> np.ndarray:
    at = places()
    fine = 0.5 + 0.5 * np.cos(at["x"] * 130)
    rim = bell((at["y"] - 6.74) / 0.03) + bell((at["y"] - 6.47) / 0.03)
    return 0.20 * fine * rim * step(at["side"], 0.24, 0.16) * (1 - at["lips"]) + 0.15 * at["lips"]


def _lip_press() -> np.ndarray:
    at = places()
    seam = 0.35 * bell((at["y"] - 6.618) / 0.02) * step(at["side"], 0.3, 0.24)
    bulge = bell((at["y"] - 6.76) / 0.03) + bell((at["y"] - 6.45) / 0.03)
    return seam - 0.14 * bulge * step(at["side"], 0.24, 0.1)


# Action unit -> its crease on one side of the face.
DRAW: dict[int, Callable[[], np.ndarray]] = {
    1: _inner_forehead,
    2: _outer_forehead,
    4: _glabella,
    6: _cheek_raise,
    7: _lid_tighten,
    9: _nose_wrinkle,
    10: _upper_lip_raise,
    12: _smile,
    14: _dimple,
    15: _corner_down,
    17: _chin_raise,
    20: _stretch,
    23: _lip_tighten,
    24: _lip_press,
}


@cache
def creases() -> tuple[Crease, ...]:
    """Every crease: action unit, "left" or "right", the area of the atlas it touches, map over that area float32."""
    found = []
    at = places()
    for unit, draw in DRAW.items():
        whole = draw() * at["front"] * step(at["y"], 6.1, 6.25)
        for side, share in (("left", step(at["x"], -0.02, 0.02)), ("right", step(at["x"], 0.02, -0.02))):
            one = (whole * share).astype(np.float32)
            rows, columns = np.nonzero(np.abs(one) > 0.004)
            area = (slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
            found.append((unit, side, area, one[area].copy()))
    return tuple(found)
