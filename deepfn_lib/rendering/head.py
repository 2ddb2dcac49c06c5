"""A head asset in memory: mesh, shape targets, and the atlas, one flat picture that covers every part of it.

Frame of the mesh: x to the person's left, y up, z out of the face; the unit is about a decimetre. "Rest" positions are
those of the source's base mesh before any target: they name places on the face (the lips, the brow ridge) that move
with the skin and are the same for everyone, and every texture is a function of them.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import cv2
import numpy as np
from scipy import sparse

ASSET = Path(__file__).with_name("head.npz")
# The parts of the mesh, in the order of their numbers in the asset; hair and glasses are added here.
PARTS = ("skin", "mouth", "left-eye", "right-eye", "upper-teeth", "lower-teeth", "tongue", "hair", "glasses")
UNIT_PREFIX = "unit/"

# The atlas, pixels. Rows above HEAD_ROWS: the skin unrolled around a vertical axis; below: small patches.
ATLAS = 512
HEAD_ROWS, BUST_ROWS = 390, 430
AXIS_Z, TOP_Y, NECK_Y, BOTTOM_Y = 0.35, 8.62, 6.0, 4.0
FRONT_ANGLE, FRONT_COLUMNS = 1.75, 228
# Patches of the other parts: column, row and side of each square.
PATCHES = {
    "left-eye": (0, 436, 72),
    "right-eye": (76, 436, 72),
    "mouth": (152, 436, 40),
    "upper-teeth": (196, 436, 40),
    "lower-teeth": (240, 436, 40),
    "tongue": (284, 436, 40),
    "hair": (328, 436, 72),
    "glasses": (404, 436, 20),
}
# The sheet of long hair: half-width and half-depth of its section at rest heights; it is open at the front.
SHEET_Y = (8.30, 8.10, 7.80, 7.40, 7.00, 6.50, 6.00, 5.40, 4.60)
SHEET_WIDTH = (0.42, 0.62, 0.78, 0.87, 0.92, 0.93, 0.92, 0.90, 0.88)
SHEET_DEPTH = (0.60, 0.75, 0.84, 0.84, 0.80, 0.74, 0.70, 0.68, 0.66)
SHEET_COLUMNS, SHEET_ROWS = 33, 17
EYE_CENTRE = np.array([0.3105, 7.285, 1.245])
EYE_RADIUS = 0.148
NOSE_TIP, MOUTH_CORNER = (0.0, 6.97, 1.67), (0.2538, 6.6208, 1.4374)


def atlas_place(rest: np.ndarray) -> np.ndarray:
    """Atlas column and row (n, 2), pixels, of skin at rest positions (n, 3)."""
    angle = np.arctan2(rest[:, 0], rest[:, 2] - AXIS_Z)
    side = np.maximum(np.abs(angle) - FRONT_ANGLE, 0) * (ATLAS / 2 - 2 - FRONT_COLUMNS) / (np.pi - FRONT_ANGLE)
    front = np.minimum(np.abs(angle), FRONT_ANGLE) * FRONT_COLUMNS / FRONT_ANGLE
    column = ATLAS / 2 + np.sign(angle) * (front + side)
    row = np.interp(rest[:, 1], [BOTTOM_Y, 5.1, NECK_Y, TOP_Y], [BUST_ROWS, BUST_ROWS - 6, HEAD_ROWS, 0])
    return np.stack([column, row], axis=1)


def _patch_place(part: str, rest: np.ndarray) -> np.ndarray:
    """Atlas places of the vertices of a part that has a patch: seen from the front, filling the patch."""
    column, row, side = PATCHES[part]
    if part.endswith("eye"):
        centre = EYE_CENTRE * [1 if part == "left-eye" else -1, 1, 1]
        across, up = ((rest - centre) / EYE_RADIUS)[:, :2].T
    elif part == "hair":
        across = np.arctan2(rest[:, 0], AXIS_Z - rest[:, 2]) / np.pi
        up = np.interp(rest[:, 1], [SHEET_Y[-1], SHEET_Y[0]], [-1, 1])
    else:
        low, high = rest.min(0), rest.max(0)
        across, up = (2 * (rest - low) / np.maximum(high - low, 1e-6) - 1)[:, :2].T
    half = side / 2
    return np.stack([column + half + across * (half - 3), row + half - up * (half - 3)], axis=1)


@dataclass(frozen=True, eq=False)
class Head:
    """The mesh, ready to draw. `n` vertices (a source vertex that two parts share occurs twice), `m` triangles.

    rest (n, 3) float32, in the frame of the first family's base mesh, whatever mesh this is · neutral (n, 3) float32:
    the face before any target, which for the first family is at rest · source (n,) the asset's vertex of each ·
    triangles (m, 3) int32 · parts (m,) numbers into PARTS · atlas (n, 2) float32, each vertex's place in the atlas ·
    lips, eyelids, ears (n,) in 0..1 · asset: the arrays of the file, vertices with those of hair and glasses.
    """

    rest: np.ndarray
    neutral: np.ndarray
    source: np.ndarray
    triangles: np.ndarray
    parts: np.ndarray
    atlas: np.ndarray
    lips: np.ndarray
    eyelids: np.ndarray
    ears: np.ndarray
    asset: dict[str, np.ndarray]

    @cached_property
    def names(self) -> dict[str, int]:
        """Number of each shape target by name."""
        return {str(name): number for number, name in enumerate(self.asset["names"])}

    @cached_property
    def unit_names(self) -> tuple[str, ...]:
        """Expression units, in the order of the rows of `unit_offsets`."""
        return tuple(name.removeprefix(UNIT_PREFIX) for name in self.names if name.startswith(UNIT_PREFIX))

    @cached_property
    def unit_offsets(self) -> np.ndarray:
        """(units, n, 3) float32: where each expression unit moves each vertex at full strength."""
        return np.stack([self.target(UNIT_PREFIX + unit) for unit in self.unit_names])

    def target(self, name: str) -> np.ndarray:
        """(n, 3) float32: the offsets of one shape target. Raises KeyError for a name the asset has not."""
        number = self.names[name]
        place = slice(*self.asset["starts"][number : number + 2])
        offsets = np.zeros((len(self.asset["vertices"]), 3), np.float32)
        offsets[self.asset["moved"][place]] = self.asset["offsets"][place] / np.float32(1000)
        return offsets[self.source]

    @cache  # noqa: B019 - heads are few and stay
    def part_vertices(self, *parts: str) -> np.ndarray:
        """Numbers of the vertices of these parts."""
        wanted = np.isin(self.parts, [PARTS.index(part) for part in parts])
        return np.unique(self.triangles[wanted])

    @cached_property
    def nose_and_mouth(self) -> np.ndarray:
        """Numbers of the vertices at the nose tip and the two corners of the mouth, the person's right corner first."""
        skin = self.part_vertices("skin")
        x, y, z = MOUTH_CORNER
        wanted = np.array([NOSE_TIP, (-x, y, z), (x, y, z)], np.float32)
        distance = np.linalg.norm(self.rest[skin][:, None] - wanted[None], axis=2)
        return skin[distance.argmin(axis=0)]

    @cached_property
    def flat_parts(self) -> np.ndarray:
        """How far each vertex's light is pulled to even light, (n,): eyes, teeth and the mouth's inside are not
        Lambertian."""
        even = np.zeros(len(self.rest), np.float32)
        even[self.part_vertices("left-eye", "right-eye")] = 0.55
        even[self.part_vertices("glasses")] = 1.0
        even[self.part_vertices("upper-teeth", "lower-teeth", "tongue", "mouth")] = 0.3
        return even

    @cached_property
    def normal_sum(self) -> sparse.csr_matrix:
        """(n, m): adds to each vertex the normals of the triangles around its source vertex, in any part."""
        corners = self.source[self.triangles]
        rows, columns = corners.ravel(), np.repeat(np.arange(len(corners)), 3)
        sums = sparse.coo_matrix((np.ones(len(rows), np.float32), (rows, columns))).tocsr()
        return sums[self.source]

    @cached_property
    def atlas_rest(self) -> tuple[np.ndarray, np.ndarray]:
        """For every atlas pixel of skin: rest position, and lips, eyelids and ears there, (512, 512, 3) float32 each.

        Skin is drawn over the atlas with depth away from the axis, so that the outer of two surfaces wins.
        """
        skin = self.triangles[self.parts == 0]
        angle = np.arctan2(self.rest[:, 0], self.rest[:, 2] - AXIS_Z)[skin]
        skin = skin[np.ptp(angle, axis=1) < 2]  # triangles across the seam at the back
        radius = np.hypot(self.rest[:, 0], self.rest[:, 2] - AXIS_Z)
        low, high = self.rest.min(0), self.rest.max(0)
        masks = np.stack([self.lips, self.eyelids, self.ears], axis=1)
        position = _draw_atlas(self.atlas, radius, skin, (self.rest - low) / (high - low))
        empty = (_draw_atlas(self.atlas, radius, skin, np.ones_like(masks))[:, :, 0] < 0.5).astype(np.uint8)
        position = _fill(position, empty) * (high - low) + low
        return position.astype(np.float32), _draw_atlas(self.atlas, radius, skin, masks)


def rasterise(vertices, triangles, colours, picture, depth, view: tuple[float, float, float], culling: int) -> None:
    """Draw triangles (m, 3) int32, smoothly shaded, into `picture` (h, w, 3) where they are nearer than `depth` (h, w).

    vertices (n, 3), in the camera's frame (it looks along -z) and colours (n, 3) in 0..1; all arrays contiguous
    float32. `view`: the camera's vertical angle (radians), and how near and how far it sees.
    """
    settings = cv2.TriangleRasterizeSettings()  # its setters' results do not keep it alive: never chain them
    settings.setShadingType(cv2.RASTERIZE_SHADING_SHADED)
    settings.setCullingMode(culling)
    cv2.triangleRasterize(vertices, triangles, colours, picture, depth, np.eye(4, dtype=np.float32), *view, settings)


def _draw_atlas(atlas: np.ndarray, radius: np.ndarray, triangles: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Draw per-vertex colours (n, 3) in 0..1 over the atlas: (512, 512, 3) float32."""
    plane = np.stack([atlas[:, 0] - ATLAS / 2, ATLAS / 2 - atlas[:, 1], np.zeros(len(atlas))], axis=1)
    distance = 4.0 * ATLAS - 20.0 * radius  # a weak perspective whose scale is undone below
    vertices = plane * (distance[:, None] / (ATLAS / 2)) + np.stack([0 * radius, 0 * radius, -distance], axis=1)
    picture, depth = np.zeros((ATLAS, ATLAS, 3), np.float32), np.full((ATLAS, ATLAS), 1e4, np.float32)
    colours = np.ascontiguousarray(colours, np.float32)
    view = (np.pi / 2, 1.0, 1e4)
    rasterise(vertices.astype(np.float32), triangles, colours, picture, depth, view, cv2.RASTERIZE_CULLING_NONE)
    return picture


def _fill(picture: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """Give pixels outside the drawn skin the value of the nearest drawn one, so that borders do not bleed."""
    _, labels = cv2.distanceTransformWithLabels(empty, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    drawn = empty == 0
    values = np.zeros((labels.max() + 1, picture.shape[2]), np.float32)
    values[labels[drawn]] = picture[drawn]
    return values[labels]


def _sheet(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A surface over a grid of points (rows, columns, 3): vertices (n, 3) and triangles (m, 3)."""
    rows, columns, _ = points.shape
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    below = corner + columns
    first = np.stack([corner, below, corner + 1], axis=1)
    second = np.stack([corner + 1, below, below + 1], axis=1)
    return points.reshape(-1, 3), np.concatenate([first, second])


def _hair() -> tuple[np.ndarray, np.ndarray]:
    """Vertices (n, 3) and triangles (m, 3) of a sheet of hair that falls around the back and sides of the head."""
    angle = np.linspace(0.9, 2 * np.pi - 0.9, SHEET_COLUMNS)[None, :]
    y = np.linspace(SHEET_Y[0], SHEET_Y[-1], SHEET_ROWS)[:, None]
    width, depth = (np.interp(y, SHEET_Y[::-1], radii[::-1]) for radii in (SHEET_WIDTH, SHEET_DEPTH))
    x, z = width * np.sin(angle), AXIS_Z + depth * np.cos(angle)
    return _sheet(np.stack([x, np.broadcast_to(y, x.shape), z], axis=2))


def _glasses() -> tuple[np.ndarray, np.ndarray]:
    """Vertices (n, 3) and triangles (m, 3) of a pair of glasses: two rims, a bridge, two temples."""
    turn = np.linspace(0, 2 * np.pi, 29)
    strips = []
    for sign in (1, -1):
        rims = []
        for width, height in ((0.225, 0.165), (0.195, 0.135)):
            x = 0.30 + width * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** 0.75
            y = 7.26 + height * np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** 0.75
            rims.append(np.stack([sign * x, y, 1.60 - 0.45 * x**2], axis=1))
        temple = np.linspace([sign * 0.52, 7.34, 1.47], [sign * 0.80, 7.36, 0.45], 5)
        strips += [np.stack(rims), np.stack([temple, temple - [0, 0.04, 0]])]
    bridge = np.linspace([-0.09, 7.33, 1.60], [0.09, 7.33, 1.60], 3)
    return _join([_sheet(strip) for strip in (*strips, np.stack([bridge, bridge - [0, 0.03, 0]]))])


def _join(pieces: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Several meshes as one."""
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in pieces)])
    triangles = np.concatenate([triangles + start for (_, triangles), start in zip(pieces, starts)])
    return np.concatenate([vertices for vertices, _ in pieces]).astype(np.float32), triangles.astype(np.int32)


@cache
def load_head(path: Path = ASSET) -> Head:
    """A head asset, read once a process, with a sheet of hair and a pair of glasses added.

    `path`: another family's, an npz with the arrays of the first (`data_manifests/build_head_asset.py`) and `neutral`,
    (vertices, 3) float32, where its faces are not at rest; its `vertices` are the places of the first family's base
    mesh that they have in the face.
    """
    with np.load(path) as file:
        asset = {name: file[name] for name in file.files}
    worn = {"hair": _hair(), "glasses": _glasses()}
    numbers = [np.full(len(triangles), PARTS.index(part), np.uint8) for part, (_, triangles) in worn.items()]
    parts = np.concatenate([asset["parts"], *numbers])
    masks = np.pad(asset["masks"], ((0, 0), (0, sum(len(vertices) for vertices, _ in worn.values()))))
    neutral, _ = _join([(asset.get("neutral", asset["vertices"]), asset["triangles"]), *worn.values()])
    asset["vertices"], triangles = _join([(asset["vertices"], asset["triangles"]), *worn.values()])
    drawn, sources, places, count = np.empty_like(triangles), [], [], 0
    for number, part in enumerate(PARTS):
        used, corners = np.unique(triangles[parts == number], return_inverse=True)
        drawn[parts == number] = corners.reshape(-1, 3) + count
        count += len(used)
        sources.append(used)
        rest = asset["vertices"][used]
        places.append(atlas_place(rest) if part == "skin" else _patch_place(part, rest))
    source, atlas = np.concatenate(sources), np.concatenate(places).astype(np.float32)
    lips, eyelids, ears = masks[:, source].astype(np.float32) / 255
    rest, neutral = asset["vertices"][source], neutral[source]
    return Head(rest, neutral, source, drawn, parts, atlas, lips, eyelids, ears, asset)
