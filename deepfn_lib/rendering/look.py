"""What a person's surface looks like: the atlas picture of skin, brows, lips, hair and eyes.

Everything is a function of rest position (see `head`), so it moves with the skin. Brightness is a share of white as
displayed; the renderer multiplies it by the light.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from .head import ATLAS, AXIS_Z, EYE_CENTRE, PATCHES, load_head

# Displayed brightness of cheek skin for Fitzpatrick types I-VI (index 1-6), chosen so that steps look even.
SKIN_BRIGHTNESS = (np.nan, 0.86, 0.78, 0.69, 0.60, 0.47, 0.37)
# Upper edge of the face, by the angle (radians) from straight ahead: across the forehead, temple, sideburn.
HAIRLINE_ANGLE = (0.0, 0.35, 0.62, 0.80, 0.92, 1.02, 1.30, 1.50, 2.2)
HAIRLINE_Y = (8.06, 8.05, 7.98, 7.82, 7.60, 7.30, 7.05, 6.90, 6.6)


@dataclass(frozen=True)
class Look:
    """A person's surface. Brightnesses and amounts in 0..1 unless said otherwise.

    skin: cheek brightness · brow_dark, brow_thick, brow_arch, brow_height · hair: brightness · hair_height: of the cap
    (decimetres) · hairline: shift up (decimetres) · fringe: how far hair falls over the forehead (decimetres) on the
    side away from the parting, -1 to 1 · hair_length: 0 short, 1 below the shoulders · hair_front: where long hair
    begins, radians from straight ahead · stubble, freckles, lip_dark, lash_dark, crease (depth of wrinkles), iris
    (brightness), glasses (worn or not), rim and cloth (brightness) · texture: seed of noise.
    """

    skin: float
    brow_dark: float = 0.7
    brow_thick: float = 0.5
    brow_arch: float = 0.5
    brow_height: float = 0.5
    hair: float = 0.15
    hair_height: float = 0.1
    hairline: float = 0.0
    fringe: float = 0.0
    parting: float = 0.0
    hair_length: float = 0.0
    hair_front: float = 1.2
    stubble: float = 0.0
    freckles: float = 0.0
    lip_dark: float = 0.4
    lash_dark: float = 0.5
    crease: float = 0.7
    iris: float = 0.3
    glasses: float = 0.0
    rim: float = 0.1
    cloth: float = 0.5
    texture: int = 0


def step(value: np.ndarray, low: float | np.floating | np.ndarray, high: float | np.ndarray) -> np.ndarray:
    """A smooth step from 0 at `low` to 1 at `high` (which may be the smaller)."""
    share = np.clip((value - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)


def bell(value: np.ndarray, width: float = 1.0) -> np.ndarray:
    """exp(-(value / width)^2)."""
    return np.exp(-np.square(value / width))


def noise(generator: np.random.Generator, across: float, down: float) -> np.ndarray:
    """Smooth noise over the atlas, mean 0 and SD 1, with grain `across` by `down` pixels: (512, 512) float32."""
    white = generator.standard_normal((ATLAS, ATLAS)).astype(np.float32)
    smooth = cv2.GaussianBlur(white, (0, 0), sigmaX=across, sigmaY=down, borderType=cv2.BORDER_REFLECT)
    return smooth / smooth.std()


@cache
def places() -> dict[str, np.ndarray]:
    """Maps over the atlas, (512, 512) float32: rest positions x, y, z; `side`, |x|; `angle` from straight ahead; lips,
    eyelids and ears, 0..1; `lash`, how far from the eye's opening (pixels); `front`, 1 on the front of the face.
    """
    rest, masks = load_head().atlas_rest
    x, y, z = np.moveaxis(rest, 2, 0)
    lips, eyelids, ears = (cv2.GaussianBlur(mask, (0, 0), 0.8) for mask in np.moveaxis(masks, 2, 0))
    side = np.abs(x)
    hole = (eyelids < 0.5) & (np.hypot((side - EYE_CENTRE[0]) / 0.17, (y - EYE_CENTRE[1]) / 0.06) < 1)
    gap = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, 5)
    return {
        "x": x,
        "y": y,
        "z": z,
        "side": side,
        "angle": np.abs(np.arctan2(x, z - AXIS_Z)),
        "lips": lips,
        "eyelids": eyelids,
        "ears": step(ears, 0.2, 0.7),
        "lash": gap.astype(np.float32),
        "front": step(z, 0.5, 0.9),
    }


def spot(side: float, y: float, width: float, height: float) -> np.ndarray:
    """An oval over the atlas that fades from 1 at |x| = `side` and `y`; all in decimetres."""
    at = places()
    return bell(np.hypot((at["side"] - side) / width, (at["y"] - y) / height))


def hair_amount(look: Look) -> np.ndarray:
    """Where hair grows, 0..1 over the atlas."""
    at = places()
    edge = np.interp(at["angle"], HAIRLINE_ANGLE, HAIRLINE_Y).astype(np.float32) + look.hairline
    swept = np.clip(0.5 + 0.5 * (at["x"] - 0.35 * look.parting) / 0.5 * np.sign(look.parting + 1e-9), 0, 1)
    edge = edge - look.fringe * swept * step(at["angle"], 0.95, 0.6)
    ragged = 0.012 * noise(np.random.default_rng(look.texture + 1), 1.2, 4)
    return step(at["y"] + ragged - edge, -0.03, 0.05) * (1 - at["ears"]) * step(at["y"], 6.5, 6.7)


def brow_amount(look: Look) -> np.ndarray:
    """How much brow covers the skin, 0..1 over the atlas: strokes along a bow over each eye."""
    at, generator = places(), np.random.default_rng(look.texture + 2)
    along = (at["side"] - 0.11) / 0.42
    bow = np.sin(np.pi * np.clip(along, 0, 1) ** 0.8 * 0.86)
    height = 7.475 + 0.03 * look.brow_height + (0.035 + 0.04 * look.brow_arch) * bow
    thick = (0.024 + 0.022 * look.brow_thick) * (1.0 - 0.7 * np.clip(along, 0, 1) ** 1.7)
    slant = np.array([[1, 0.5, 0], [0, 1, 0]], np.float32)
    strokes = cv2.warpAffine(noise(generator, 0.5, 2.2), slant, (ATLAS, ATLAS), borderMode=cv2.BORDER_WRAP)
    body = bell((at["y"] - height) / thick) * step(along, -0.06, 0.08) * step(along, 1.05, 0.9)
    return np.clip(body * (1.0 + 0.25 * strokes), 0, 1) * at["front"]


def _skin(look: Look, generator: np.random.Generator) -> np.ndarray:
    """Bare skin with its unevenness, darker creases that are always there, lips and lids."""
    at = places()
    skin = look.skin * (1 + 0.025 * noise(generator, 9, 9) + 0.018 * noise(generator, 0.8, 0.8))
    hollow = 0.22 * spot(0.30, 7.36, 0.17, 0.05)  # lid fold
    hollow += 0.10 * spot(0.27, 7.17, 0.17, 0.06)  # under the eye
    hollow += 0.55 * spot(0.085, 6.865, 0.05, 0.025)  # nostril
    hollow += 0.10 * spot(0.20, 6.93, 0.03, 0.07)  # wing of the nose
    hollow += 0.22 * spot(0.262, 6.62, 0.03, 0.018)  # mouth corner
    hollow += 0.12 * spot(0.0, 6.475, 0.17, 0.03)  # under the lip
    hollow += 0.35 * step(at["y"], 6.15, 5.9) * step(at["z"], 1.2, 0.8)  # the neck lies in the chin's shade
    hollow += 0.25 * at["ears"] * bell((at["side"] - 0.76) / 0.05)
    skin *= 1 - np.clip(hollow, 0, 0.8)
    if look.freckles:
        spots = step(noise(generator, 1.0, 1.0), 1.6, 2.4) * step(at["y"], 6.7, 6.95) * step(at["y"], 7.6, 7.3)
        skin *= 1 - 0.3 * look.freckles * spots
    lips = at["lips"] * (0.10 + 0.25 * look.lip_dark) * (1 + 0.12 * noise(generator, 0.7, 3))
    seam = 0.5 * bell((at["y"] - 6.618) / 0.012) * step(at["side"], 0.27, 0.22)
    skin *= (1 - lips) * (1 - seam)
    dark = np.where(at["y"] > EYE_CENTRE[1], 0.35 + 0.5 * look.lash_dark, 0.25)
    lash = step(at["lash"], 3.2, 0.6) * (at["front"] > 0.5) * dark
    lash *= bell(np.hypot(at["side"] - EYE_CENTRE[0], at["y"] - EYE_CENTRE[1]), 0.3)
    return skin * (1 - lash)


def _stubble(look: Look, generator: np.random.Generator) -> np.ndarray:
    """Beard shadow, 0..1 over the atlas."""
    at = places()
    jaw = step(at["y"], np.float32(6.85), 6.7) * step(at["y"], 5.9, 6.1) * step(at["side"], 0.16, 0.34)
    chin = step(at["y"], 6.46, 6.36) * step(at["y"], 5.95, 6.1)
    lip = bell((at["y"] - 6.775) / 0.05) * step(at["side"], 0.34, 0.25)
    sideburn = step(at["angle"], 0.85, 1.0) * step(at["y"], 7.2, 7.0) * step(at["y"], 6.1, 6.3)
    area = np.maximum.reduce([jaw * step(at["y"], 6.7, 6.5), chin, lip, sideburn])
    area = area * (1 - at["lips"]) * (1 - at["ears"])
    return area * np.clip(0.6 + 0.25 * noise(generator, 0.6, 0.9), 0, 1)


def _cloth(look: Look, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Where clothing covers the bust, and its brightness."""
    at = places()
    collar = 5.45 + 0.35 * step(at["side"], 0.2, 0.9) + 0.25 * step(at["z"], 0.6, 0.0)
    return step(at["y"], collar + 0.02, collar - 0.02), look.cloth * (1 + 0.03 * noise(generator, 2, 2))


def _eye_patch(look: Look, side: int) -> np.ndarray:
    """An eyeball seen from the front, (side, side): white, iris with a dark rim, pupil."""
    across, down = np.meshgrid(*[np.linspace(-1, 1, side) * side / (side - 6)] * 2)
    radius, angle = np.hypot(across, down), np.arctan2(down, across)
    white = 0.82 - 0.22 * step(radius, 0.5, 1.0)
    spokes = 1 + 0.12 * np.sin(angle * 17 + 3 * np.sin(angle * 5))
    iris = look.iris * spokes * (0.75 + 0.6 * step(radius, 0.15, 0.4)) * (1 - 0.55 * step(radius, 0.36, 0.45))
    eye = np.where(radius < 0.6, iris + (white - iris) * step(radius, 0.41, 0.47), white)
    eye = eye * (1 - 0.93 * step(radius, 0.20, 0.16))
    return (eye * (1 - 0.45 * step(down, -0.18, -0.50))).astype(np.float32)  # the upper lid's shadow


def _patches(look: Look, atlas: np.ndarray) -> None:
    """Draw the parts that have patches of their own into the atlas, in place."""
    generator = np.random.default_rng(look.texture + 3)
    for part, (column, row, side) in PATCHES.items():
        area = (slice(row, row + side), slice(column, column + side))
        if part.endswith("eye"):
            atlas[area] = _eye_patch(look, side)
        elif part.endswith("teeth"):
            gaps = np.abs(np.sin(np.linspace(-1, 1, side) * 5.5 * np.pi / 2))[None, :]
            atlas[area] = 0.82 - 0.25 * bell(gaps, 0.18)
        elif part == "hair":
            atlas[area] = look.hair * (1 + 0.3 * noise(generator, 0.7, 12)[:side, :side])
        else:
            atlas[area] = {"mouth": 0.10, "tongue": 0.38, "glasses": look.rim}[part]


def bake(look: Look) -> np.ndarray:
    """The person's atlas with a face at rest: (512, 512) float32, brightness in 0..1."""
    generator = np.random.default_rng(look.texture)
    skin = _skin(look, generator)
    if look.stubble:
        skin = skin * (1 - 0.55 * look.stubble * _stubble(look, generator))
    dark = min(look.hair * 1.2 + 0.02, 0.8 * look.skin)
    brow = brow_amount(look) * (0.45 + 0.5 * look.brow_dark)
    atlas = skin + (dark - skin) * brow
    cloth, brightness = _cloth(look, generator)
    atlas = atlas + (brightness - atlas) * cloth
    strands = look.hair * (1 + 0.28 * noise(generator, 0.8, 14) + 0.12 * noise(generator, 3, 30))
    amount = hair_amount(look)
    atlas = (atlas + (np.maximum(strands, 0.015) - atlas) * amount).astype(np.float32)
    _patches(look, atlas)
    return np.clip(atlas, 0.0, 1.0)
