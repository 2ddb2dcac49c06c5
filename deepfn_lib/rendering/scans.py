"""A family of faces from scans of real people: ICT-FaceKit's light model, read from a user's own checkout.

github.com/ICT-VGL/ICT-FaceKit (MIT licence, USC Institute for Creative Technologies): a neutral face, 100 principal
components of identity from light-stage scans, and sculpted expressions with ARKit's names, an OBJ file each, in
centimetres. None of it is part of this project. What the renderer needs of it becomes an artefact, `families.Family`.
"""

import json
from pathlib import Path

import cv2
import numpy as np
from scipy.interpolate import RBFInterpolator

from ..errors import StudyError
from .face import NECK_LOW
from .families import COMPONENT, HEAD_FILE, UNITS_FILE
from .head import EYE_CENTRE, EYE_RADIUS, MOUTH_CORNER, NOSE_TIP, PARTS, UNIT_PREFIX, atlas_place, load_head
from .look import step

CODE_VERSION = 1  # raise when the same checkout would give another family, in ACTION_UNITS too
WHERE = "github.com/ICT-VGL/ICT-FaceKit"
FOLDER, NEUTRAL, INDEX = "FaceXModel", "generic_neutral_mesh.obj", "vertex_indices.json"
VERTICES, COMPONENTS = 26_719, 100
# First vertex of each part that is drawn, in the order of the file, and the first after it. Left out: the irises, which
# lie behind the corneas, and what is transparent (tears, blends, occlusion, lashes).
SPANS = (
    ("skin", 0, 11_248),
    ("mouth", 11_248, 14_062),  # and the eyes' sockets
    ("tongue", 14_062, 17_039),  # and the gums
    ("teeth", 17_039, 21_451),
    ("left-eye", 21_451, 22_221),
    ("right-eye", 23_021, 23_791),
)
# The expressions that are read. Not PupilDilate and eyeLookIn and -Out, for pupils and gaze are drawn here, nor
# mouthClose, which undoes an open jaw and drives the lips through each other without one.
TWO_SIDED = (
    *("browDown", "browInnerUp", "browOuterUp", "cheekPuff", "cheekRaiser", "cheekSquint", "eyeBlink", "eyeLookDown"),
    *("eyeLookUp", "eyeSquint", "eyeWide", "mouthDimple", "mouthFrown", "mouthLowerDown", "mouthPress", "mouthSmile"),
    *("mouthStretch", "mouthUpperUp", "noseSneer"),
)
ONE_SIDED = (
    *("jawForward", "jawLeft", "jawOpen", "jawRight", "mouthFunnel", "mouthLeft", "mouthPucker", "mouthRight"),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
)
# As families.ACTION_UNITS. AU6 is the orbicularis's outer part: cheekRaiser lifts the cheek, cheekSquint pushes it
# against the lid.
ACTION_UNITS: dict[int, dict[str, float]] = {
    1: {"browInnerUp*": 1.1},
    2: {"browOuterUp*": 1.0},
    4: {"browDown*": 1.1},
    5: {"eyeWide*": 0.9},
    6: {"cheekRaiser*": 0.35, "cheekSquint*": 0.9, "eyeSquint*": 0.2},
    7: {"eyeSquint*": 1.0},
    9: {"noseSneer*": 0.7, "browDown*": 0.3},
    10: {"mouthUpperUp*": 0.65, "noseSneer*": 0.15},
    12: {"mouthSmile*": 0.9},
    14: {"mouthDimple*": 1.0},
    15: {"mouthFrown*": 1.0},
    17: {"mouthShrugLower": 0.8, "mouthShrugUpper": 0.4},
    20: {"mouthStretch*": 0.9},
    23: {"mouthRollLower": 0.45, "mouthRollUpper": 0.45, "mouthPucker": 0.15},
    24: {"mouthPress*": 1.0, "mouthRollLower": 0.2, "mouthRollUpper": 0.2},
    25: {"mouthLowerDown*": 0.8, "mouthUpperUp*": 0.2},
    26: {"jawOpen": 0.4},
    43: {"eyeBlink*": 1.0},
}
# Where Multi-PIE's landmarks, by their numbers on the person's left and in the middle, are on the first family's mesh.
LANDMARKS = {
    8: (0.0, 6.19, 1.40),
    9: (0.15, 6.20, 1.35),
    10: (0.28, 6.25, 1.20),
    11: (0.40, 6.36, 1.03),
    12: (0.53, 6.52, 0.92),
    22: (0.11, 7.490, 1.52),
    23: (0.225, 7.540, 1.48),
    24: (0.34, 7.545, 1.42),
    25: (0.44, 7.530, 1.37),
    26: (0.53, 7.490, 1.28),
    27: (0.0, 7.30, 1.507),
    28: (0.0, 7.19, 1.538),
    29: (0.0, 7.08, 1.60),
    30: NOSE_TIP,
    33: (0.0, 6.79, 1.563),
    34: (0.06, 6.80, 1.545),
    35: (0.135, 6.82, 1.48),
    42: (0.172, 7.268, 1.382),
    43: (0.272, 7.328, 1.398),
    44: (0.383, 7.325, 1.390),
    45: (0.445, 7.286, 1.345),
    46: (0.381, 7.245, 1.378),
    47: (0.274, 7.238, 1.396),
    51: (0.0, 6.700, 1.595),
    52: (0.08, 6.722, 1.585),
    53: (0.17, 6.692, 1.53),
    54: MOUTH_CORNER,
    55: (0.186, 6.543, 1.473),
    56: (0.10, 6.495, 1.54),
    57: (0.0, 6.488, 1.556),
    62: (0.0, 6.620, 1.553),
    63: (0.10, 6.620, 1.535),
    64: (0.232, 6.618, 1.41),
    65: (0.10, 6.613, 1.535),
    66: (0.0, 6.612, 1.553),
}
# The landmarks of the person's left whose fellow on the right has another number than theirs, and those fellows.
LEFT = (9, 10, 11, 12, 22, 23, 24, 25, 26, 34, 35, 42, 43, 44, 45, 46, 47, 52, 53, 54, 55, 56, 63, 64, 65)
RIGHT = (7, 6, 5, 4, 21, 20, 19, 18, 17, 32, 31, 39, 38, 37, 36, 41, 40, 50, 49, 48, 59, 58, 61, 60, 67)
# Further pairs of places, decimetres, on this mesh and on the first family's: ears, skull, temples.
FURTHER = (
    ((0.787, 0.498, 0.043), (0.822, 7.348, 0.483)),
    ((0.781, -0.179, 0.066), (0.728, 6.823, 0.579)),
    ((0.920, 0.267, -0.127), (0.879, 7.241, 0.375)),
    ((0.872, 0.171, -0.169), (0.836, 7.160, 0.344)),
    ((0.79, 0.70, -0.05), (0.75, 7.65, 0.45)),
    ((0.74, 1.00, -0.09), (0.71, 8.00, 0.45)),
    ((0.0, 0.83, 1.01), (0.0, 7.77, 1.50)),
    ((0.0, 1.13, 0.84), (0.0, 8.05, 1.36)),
    ((0.0, 1.45, -0.05), (0.0, 8.48, 0.40)),
    ((0.0, 0.50, -0.87), (0.0, 7.45, -0.39)),
)
BELOW = ((0.57, -1.0, 0.0), (1.2, -1.4, 0.1), (1.0, -1.9, 0.34), (0.0, -1.74, 0.45), (0.0, -0.79, -0.59))
BELOW_OFFSET = (0.0, 6.925, 0.42)  # neck and shoulders lie alike in both
CENTIMETRE = 0.1  # decimetres
EYES_BACK, MOUTH_BACK = 0.012, 0.06  # decimetres, so that neither shut lids nor shut lips let through what they cover
WIDER = 0.8  # how much shoulders are stretched, for the mesh ends inside the picture


# Each file of a shape and the name of its target.
NAMES = {
    **{f"{COMPONENT}{number:03d}": f"{COMPONENT}{number:03d}" for number in range(COMPONENTS)},
    **{f"{one}_{side[0]}": f"{UNIT_PREFIX}{one}{side}" for one in TWO_SIDED for side in ("Left", "Right")},
    **{one: f"{UNIT_PREFIX}{one}" for one in ONE_SIDED},
}


def write_family(folder: Path, checkout: Path) -> None:
    """Write the family (`families.Family`) of a checkout's faces into `folder`. Raises StudyError as `read_checkout`,
    and where the mesh is another."""
    neutral, polygons = read_obj(checkout / FOLDER / NEUTRAL)
    if len(neutral) != VERTICES:
        raise StudyError(f"{FOLDER}/{NEUTRAL} has {len(neutral):,} vertices where {WHERE} has {VERTICES:,}")
    try:
        marks = np.array(json.loads((checkout / FOLDER / INDEX).read_text())["idx_to_landmark_verts"])
    except (OSError, ValueError, KeyError) as problem:
        raise StudyError(f"{FOLDER}/{INDEX} cannot be read: {problem!r}") from None
    rest = register(neutral, marks)
    offsets = {}
    for file, name in NAMES.items():
        moved, _ = read_obj(checkout / FOLDER / f"{file}.obj", polygons=False)
        if moved.shape != neutral.shape:
            raise StudyError(f"{FOLDER}/{file}.obj has {len(moved):,} vertices where {NEUTRAL} has {len(neutral):,}")
        offsets[name] = moved - neutral
    lower = np.linalg.norm(offsets[f"{UNIT_PREFIX}jawOpen"], axis=1) > 0.05
    triangles, parts = _parts(polygons, lower)
    for part in ("left-eye", "right-eye"):
        ball = np.unique(triangles[parts == PARTS.index(part)])
        rest[ball] = _as_first_eye(neutral[ball], part)
        neutral[ball, 2] -= EYES_BACK
    neutral[SPANS[2][1] : SPANS[3][2], 2] -= MOUTH_BACK
    still = step(rest[:, 1], NECK_LOW, NECK_LOW + 0.25)[:, None]  # the bust is drawn once a session
    for name in offsets:
        if name.startswith(UNIT_PREFIX):
            offsets[name] *= still
    neutral[:, 0] *= 1 + WIDER * step(rest[:, 1], NECK_LOW, 5.2)
    used, corners = np.unique(triangles, return_inverse=True)
    steps = [
        np.round(change[used] * 1000, 3).astype(np.float16) for change in offsets.values()
    ]  # as the first's: 1/1000
    rows = [np.flatnonzero(np.abs(one).max(axis=1) > 0.05).astype(np.int32) for one in steps]
    np.savez(
        folder / HEAD_FILE,
        vertices=rest[used],
        neutral=neutral[used],
        triangles=corners.reshape(-1, 3).astype(np.int32),
        parts=parts.astype(np.uint8),
        masks=_masks(rest[used]),
        names=np.array(list(offsets)),
        starts=np.cumsum([0, *(len(one) for one in rows)]),
        moved=np.concatenate(rows),
        offsets=np.concatenate([one[changed] for one, changed in zip(steps, rows)]),
    )
    (folder / UNITS_FILE).write_text(json.dumps(ACTION_UNITS))


def checked(root: str) -> Path:
    """The checkout in the folder `root`. Raises StudyError where there is none or where it is not whole."""
    checkout = Path(root).expanduser()
    if not (checkout / FOLDER).is_dir():
        raise StudyError(f"ict_facekit: {root} has no folder {FOLDER}; give the folder of a checkout of {WHERE}")
    if lacking := [path.name for path in files_of(checkout) if not path.is_file()]:
        lost = f"{root}/{FOLDER} lacks {len(lacking)} files, {lacking[0]} first"
        raise StudyError(f"ict_facekit: {lost}; give the folder of a checkout of {WHERE}")
    return checkout


def files_of(checkout: Path) -> list[Path]:
    """The files that are read of a checkout."""
    return [checkout / FOLDER / name for name in (NEUTRAL, INDEX, *(f"{file}.obj" for file in NAMES))]


def read_obj(path: Path, polygons: bool = True) -> tuple[np.ndarray, list[list[int]]]:
    """Vertices (n, 3) float32, decimetres, and the polygons (vertex numbers from 0; none unless asked for) of an OBJ
    file in centimetres. Raises StudyError for what is no such file."""
    try:
        lines = path.read_bytes().splitlines()
        numbers = b" ".join(line[2:] for line in lines if line.startswith(b"v ")).split()
        vertices = np.array(numbers, np.float32).reshape(-1, 3) * np.float32(CENTIMETRE)
        faces = [line.split()[1:] for line in lines if polygons and line.startswith(b"f ")]
        return vertices, [[int(corner.partition(b"/")[0]) - 1 for corner in face] for face in faces]
    except (OSError, ValueError) as problem:
        raise StudyError(f"{path.parent.name}/{path.name} cannot be read as a mesh: {problem}") from None


def register(neutral: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Which place of the first family's base mesh each vertex has, (n, 3) float32: a smooth map that takes the
    landmarks (68 vertex numbers) and FURTHER places to theirs."""
    pairs: list[tuple] = [(neutral[marks[number]], place) for number, place in LANDMARKS.items()]
    pairs += [(neutral[marks[other]], _mirror(LANDMARKS[number])) for number, other in zip(LEFT, RIGHT)]
    pairs += [*FURTHER, *((_mirror(here), _mirror(there)) for here, there in FURTHER if here[0])]
    below = [side for one in BELOW for side in ((one, _mirror(one)) if one[0] else (one,))]
    pairs += [(one, np.add(one, BELOW_OFFSET)) for one in below]
    here, there = (np.array(places, float) for places in zip(*pairs))
    return RBFInterpolator(here, there, kernel="linear", degree=1)(neutral).astype(np.float32)


def _mirror(place) -> tuple[float, float, float]:
    return (-place[0], place[1], place[2])


def _parts(polygons: list[list[int]], lower: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Triangles (m, 3) of what is drawn and their parts (m,); `lower` (n,): which vertices go with the jaw."""
    fans = [(face[0], *pair) for face in polygons for pair in zip(face[1:], face[2:])]
    triangles = np.array(fans)
    first = triangles.min(axis=1)  # what spans two parts is of the outer one
    parts = np.full(len(triangles), -1)
    for name, start, end in SPANS:
        inside = (first >= start) & (first < end) & (triangles.max(axis=1) < SPANS[-1][2])
        if name == "teeth":
            parts[inside] = np.where(lower[first[inside]], PARTS.index("lower-teeth"), PARTS.index("upper-teeth"))
        else:
            parts[inside] = PARTS.index(name)
    return triangles[parts >= 0], parts[parts >= 0]


def _as_first_eye(ball: np.ndarray, part: str) -> np.ndarray:
    """An eyeball (n, 3) where the first family's is, and of its size."""
    low, high = ball.min(axis=0), ball.max(axis=0)
    centre, radius = (low + high) / 2, (high - low)[:2].mean() / 2
    return (ball - centre) / radius * EYE_RADIUS + EYE_CENTRE * [1 if part == "left-eye" else -1, 1, 1]


def _masks(rest: np.ndarray) -> np.ndarray:
    """How far vertices are of the first family's lips, eyelids and ears, (3, n) uint8."""
    _, masks = load_head().atlas_rest
    columns, rows = atlas_place(rest).astype(np.float32).T
    found = cv2.remap(masks, columns[None], rows[None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
    return np.round(255 * np.clip(found.T, 0, 1)).astype(np.uint8)
