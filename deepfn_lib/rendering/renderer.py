"""Draw a face: one rasterisation gives each pixel its place in the atlas and its light; the rest is one look-up."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from .creases import creases
from .face import Face, landmark_points, pose, rotation, turned_by, vertex_normals
from .head import ATLAS, PATCHES, rasterise
from .scene import Camera, Light, Moment, backdrop

SUPERSAMPLING = 1.5  # drawn pixels for each final one, each way
NEAR, FAR = 1.0, 60.0
LIGHT_RANGE = 2.0  # light is drawn as a share of this, since the rasteriser wants colours in 0..1


@dataclass
class Stage:
    """A camera, a light and the parts of a picture that do not change through a session: wall, chest and clothes.

    picture, depth (1.5 h, 1.5 w) float32 · still (h, w) float32, the same at the final size.
    """

    camera: Camera
    light: Light
    picture: np.ndarray
    depth: np.ndarray
    still: np.ndarray


def _to_camera(vertices: np.ndarray, camera: Camera) -> np.ndarray:
    """Camera coordinates (n, 3) float32: x right, y up, the visible at negative z."""
    turned = turned_by(rotation(0.0, camera.elevation), vertices)
    turned[:, 2] -= camera.distance
    return turned


def project(points: np.ndarray, camera: Camera) -> np.ndarray:
    """Pixels (n, 2) of points in space (n, 3), the first pixel's centre at (0, 0)."""
    return _places(_to_camera(np.asarray(points, np.float32), camera), camera) - 0.5


def _places(seen: np.ndarray, camera: Camera) -> np.ndarray:
    """Where camera coordinates (n, 3) are in the picture, from its corner: (n, 2) pixels."""
    focal = camera.scale * camera.distance
    x = camera.eyes[0] * camera.size[0] - focal * seen[:, 0] / seen[:, 2]
    y = camera.eyes[1] * camera.size[1] + focal * seen[:, 1] / seen[:, 2]
    return np.stack([x, y], axis=1)


def _light(normals: np.ndarray, light: Light, skin: float) -> np.ndarray:
    """Light that each vertex sends to the camera, (n,) float32; 1 shows the atlas's brightness as it is.

    Gloss does not pass through the skin's pigment, so that darker skin, as in life, shows it more.
    """
    total = light.ambient * (0.85 + 0.15 * normals[:, 1])
    for x, y, z, strength in light.lamps:
        towards = np.array([x, y, z], np.float32)
        towards /= np.linalg.norm(towards)
        facing = np.einsum("ij,j->i", normals, towards)
        total += strength * np.square(np.clip((facing + 0.18) / 1.18, 0, None))
        half = towards + np.array([0, 0, 1], np.float32)
        shine = np.clip(np.einsum("ij,j->i", normals, half / np.linalg.norm(half)), 0, None)
        total += light.gloss * strength * (0.6 / skin) * shine**24
    return total.astype(np.float32)


def _colours(face: Face, vertices: np.ndarray, light: Light) -> np.ndarray:
    """What is rasterised: atlas column and row and light, each in 0..1, (n, 3) float32."""
    head = face.family.head
    colours = np.empty((len(vertices), 3), np.float32)
    colours[:, :2] = head.atlas / ATLAS
    lit = _light(vertex_normals(head, vertices), light, face.skin)
    level = 0.92 * (light.ambient + 0.75 * sum(lamp[3] for lamp in light.lamps))
    colours[:, 2] = (lit + (level - lit) * head.flat_parts) / LIGHT_RANGE
    return colours


def _raster(vertices, triangles, colours, camera: Camera, area: tuple[int, int, int, int], depth) -> np.ndarray:
    """Draw into the area (x, y, width, height) of the supersampled picture: (height, width, 3), zero where nothing is.

    The rasteriser's camera looks at its picture's centre: shearing space moves the wanted area there.
    """
    x, y, width, height = area
    focal = camera.scale * camera.distance * SUPERSAMPLING
    shear_x = (x + width / 2 - camera.eyes[0] * camera.size[0] * SUPERSAMPLING) / focal
    shear_y = (y + height / 2 - camera.eyes[1] * camera.size[1] * SUPERSAMPLING) / focal
    sheared = vertices.copy()
    sheared[:, 0] += shear_x * vertices[:, 2]
    sheared[:, 1] -= shear_y * vertices[:, 2]
    picture = scratch("picture", height, width, 3)
    picture.fill(0)
    view = (2 * np.arctan(height / 2 / focal), NEAR, FAR)
    rasterise(sheared, triangles, colours, picture, depth, view, cv2.RASTERIZE_CULLING_CW)
    return picture


def _shade(drawn: np.ndarray, atlas: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """Brightness (height, width) float32 of a rasterised area over what is behind it (overwritten by the next call)."""
    column, row, light, result = (scratch(name, *drawn.shape[:2]) for name in ("u", "v", "light", "out"))
    np.multiply(drawn[:, :, 0], ATLAS, out=column)
    np.multiply(drawn[:, :, 1], ATLAS, out=row)
    np.multiply(drawn[:, :, 2], LIGHT_RANGE, out=light)
    cv2.remap(atlas, column, row, cv2.INTER_LINEAR, dst=result)
    np.multiply(result, light, out=result)
    np.copyto(result, behind, where=column == 0)
    return result


_SCRATCH: dict[str, np.ndarray] = {}


def scratch(name: str, *shape: int) -> np.ndarray:
    """A float32 array to write into, kept from call to call: fresh memory of this size costs more than the drawing."""
    size = int(np.prod(shape))
    if name not in _SCRATCH or _SCRATCH[name].size < size:
        _SCRATCH[name] = np.empty(size, np.float32)
    return _SCRATCH[name][:size].reshape(shape)


def make_stage(face: Face, camera: Camera, light: Light, generator: np.random.Generator) -> Stage:
    """Set up a session: draw the wall and the person's chest once."""
    width, height = (int(side * SUPERSAMPLING) for side in camera.size)
    wall = backdrop(light, (width, height), generator)
    depth = np.full((height, width), FAR, np.float32)
    colours = _colours(face, face.vertices, light)
    drawn = _raster(_to_camera(face.vertices, camera), face.still, colours, camera, (0, 0, width, height), depth)
    picture = _shade(drawn, face.atlas, wall).copy()
    return Stage(camera, light, picture, depth, cv2.resize(picture, camera.size, interpolation=cv2.INTER_AREA))


@cache
def _grain_tile() -> np.ndarray:
    """Sensor noise, grey levels, (1024, 1024) float32; a picture takes a part of it."""
    return (1.6 * np.random.default_rng(0).standard_normal((1024, 1024))).astype(np.float32)


def surface(face: Face, moment: Moment, light: Light) -> np.ndarray:
    """The person's atlas with the creases of a moment's activations, and the lamp's reflection in the eyes."""
    atlas = face.atlas.copy()
    for unit, side, area, depth in creases():
        sides = moment.units.get(unit)
        activation = sides[0 if side == "left" else 1] if sides else 0.0
        if activation > 0.02:
            atlas[area] *= 1 - (activation * face.crease * face.amplitude.get(unit, 1.0)) * depth
    turn = rotation(moment.yaw, moment.pitch, moment.roll) @ rotation(*moment.gaze)
    lamp = np.array(light.lamps[0][:3])
    half = lamp / np.linalg.norm(lamp) + (0, 0, 1)
    across, up, _ = turn.T @ (half / np.linalg.norm(half))
    for eye in ("left-eye", "right-eye"):
        column, row, size = PATCHES[eye]
        x = int(column + size / 2 + across * (size / 2 - 3))
        y = int(row + size / 2 - up * (size / 2 - 3))
        atlas[y - 6 : y + 7, x - 6 : x + 7] += _glint()
    return atlas


@cache
def _glint() -> np.ndarray:
    """A small bright spot, (13, 13) float32."""
    line = np.arange(-6, 7, dtype=np.float32)
    return 0.9 * np.exp(-(line[:, None] ** 2 + line[None, :] ** 2) / 11.0)


def render(face: Face, stage: Stage, moment: Moment, grain: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The picture of a moment, (height, width) uint8, and its five landmarks (5, 2) in pixels.

    `grain` chooses the sensor noise: the same number gives the same noise.
    """
    camera = stage.camera
    vertices = pose(face, moment)
    seen = _to_camera(vertices, camera)
    area = _bounds(seen[face.outline], camera)
    picture = stage.still.copy()
    if area:
        x, y, width, height = (int(side * SUPERSAMPLING) for side in area)
        place = (slice(y, y + height), slice(x, x + width))
        depth = scratch("depth", height, width)
        np.copyto(depth, stage.depth[place])
        colours = _colours(face, vertices, stage.light)
        drawn = _raster(seen, face.moving, colours, camera, (x, y, width, height), depth)
        shaded = _shade(drawn, surface(face, moment, stage.light), stage.picture[place])
        x, y, width, height = area
        small = cv2.resize(shaded, (width, height), interpolation=cv2.INTER_AREA)
        picture[y : y + height, x : x + width] = small
    generator = np.random.default_rng(grain)
    tile, (width, height) = _grain_tile(), camera.size
    row, column = generator.integers(len(tile) - height), generator.integers(len(tile) - width)
    noise = tile[row : row + height, column : column + width]
    return np.clip(picture * 255 + noise, 0, 255).astype(np.uint8), project(
        landmark_points(face.family.head, vertices), camera
    )


def _bounds(seen: np.ndarray, camera: Camera) -> tuple[int, int, int, int] | None:
    """The area (x, y, width, height) of the picture that holds these camera points, in fours; None outside it."""
    places, limits = _places(seen, camera), []
    for first, last, side in zip(places.min(axis=0), places.max(axis=0), camera.size):
        low = max(int(first) // 4 * 4 - 4, 0)
        limits.append((low, min(int(last) // 4 * 4 + 8, side) - low))
    (x, width), (y, height) = limits
    return (x, y, width, height) if width > 0 and height > 0 else None
