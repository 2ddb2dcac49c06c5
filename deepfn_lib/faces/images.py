"""Image arms that need no network: what a classifier sees when faces are equalised, or freed of the person's average.

All take aligned faces as uint8 (n, side, side) and give uint8 (n, size, size), row by row; people are worked through
one at a time, so memory stays at one person's frames whatever the corpus. A person's median uses their own frames only,
and no label of theirs.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np

from ..frames import evenly

SIZE = 64  # Table 3: what LeNet-5 sees
MIDDLE = 128  # grey that stands for "as in the median"
CODE_VERSION = 1  # raise when the same arm would come out otherwise
MEDIAN_FRAMES = 600  # evenly spaced frames of a person that their median is taken over, at most
CHUNK = 1024


def equalise(images: np.ndarray) -> np.ndarray:
    """Histogram-equalise each face (section 3.1: the paper's input): uint8 (n, h, w) to the same.

    Grey level v becomes round(255 (C(v) - C0) / (N - C0)), where C(v) counts the pixels up to v, C0 those of the
    darkest level present and N all; a face of one grey level stays as it is.
    """
    return np.stack([cv2.equalizeHist(image) for image in images]) if len(images) else np.array(images)


def clahe(images: np.ndarray, clip: float = 2.0, tiles: int = 4) -> np.ndarray:
    """Equalise each face in `tiles` x `tiles` parts with limited contrast (Zuiderveld 1994): uint8 (n, h, w) to same.

    A part is then about as large as an eye or a mouth; `clip` is the slope limit of each part's mapping.
    """
    method = cv2.createCLAHE(clipLimit=clip, tileGridSize=(tiles, tiles))
    return np.stack([method.apply(image) for image in images]) if len(images) else np.array(images)


def resize(images: np.ndarray, size: int = SIZE) -> np.ndarray:
    """Each face at `size` pixels a side, averaging areas where that is smaller: uint8 (n, size, size)."""
    if not len(images) or images.shape[1] == size:
        return np.array(images)
    how = cv2.INTER_AREA if images.shape[1] > size else cv2.INTER_LINEAR
    return np.stack([cv2.resize(image, (size, size), interpolation=how) for image in images])


def median_face(images: np.ndarray, frames: int = MEDIAN_FRAMES) -> np.ndarray:
    """The pixel-wise median (h, w) uint8 over at most `frames` evenly spaced faces of (n, h, w) uint8."""
    return np.median(images[evenly(len(images), frames)], axis=0).round().astype(np.uint8)


def by_person(people: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """(person, their rows ascending) for an array of names (n,), people in sorted order."""
    people = np.asarray(people)
    names, inverse = np.unique(people, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    yield from zip(names.tolist(), np.split(order, np.cumsum(np.bincount(inverse, minlength=len(names)))[:-1]))


def median_faces(images: np.ndarray, people: np.ndarray) -> dict[str, np.ndarray]:
    """Everybody's median of their equalised faces: name to uint8 (side, side)."""
    some = {person: rows[evenly(len(rows), MEDIAN_FRAMES)] for person, rows in by_person(people)}
    return {person: median_face(equalise(images[rows])) for person, rows in some.items()}


def flow_between(fixed: np.ndarray, moving: np.ndarray) -> np.ndarray:
    """Where each pixel of `fixed` (h, w) uint8 is in `moving`: dense inverse-search flow (Kroeger et al. 2016).

    Returns float32 (h, w, 2) in pixels: `fixed[y, x]` looks like `moving[y + flow[y, x, 1], x + flow[y, x, 0]]`.
    """
    method: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return method.calc(fixed, moving, None)


def warp(images: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Bring each face, uint8 (n, h, w), to the geometry of the fixed image of `flow`, float32 (h, w, 2)."""
    height, width = flow.shape[:2]
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32) + flow
    whole, rest = cv2.convertMaps(grid[..., 0], grid[..., 1], cv2.CV_16SC2)
    how: dict[str, Any] = {"interpolation": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REPLICATE}
    return np.stack([cv2.remap(image, whole, rest, **how) for image in images])


def difference(images: np.ndarray, median: Any, base: np.ndarray | int = MIDDLE) -> np.ndarray:
    """`base` + image - median, cut to 0-255: uint8 (n, h, w) minus (h, w) to uint8 (n, h, w).

    Differences keep their scale: a grey level of change is a grey level. Equalised faces rarely differ from their own
    median by more than the 127 levels that fit on either side of the middle.
    """
    return np.clip(images.astype(np.int16) - median + np.asarray(base, np.int16), 0, 255).astype(np.uint8)


def prepare(images: np.ndarray, size: int, rows: Sequence[int] | np.ndarray | None = None) -> np.ndarray:
    """What a network sees: equalised (section 3.1), then reduced. uint8 (n, side, side) to (n, size, size).

    `rows` picks some of the faces, of which only so many are read at a time.
    """
    rows = np.arange(len(images)) if rows is None else np.asarray(rows)
    out = np.empty((len(rows), size, size), np.uint8)
    for start in range(0, len(rows), CHUNK):
        some = slice(start, start + CHUNK)
        out[some] = resize(equalise(np.asarray(images[rows[some]])), size)
    return out


def spaced(faces: np.ndarray, n: int = 8) -> np.ndarray:
    """At most `n` evenly spaced faces."""
    return np.asarray(faces[np.unique(np.linspace(0, len(faces) - 1, min(n, len(faces))).astype(int))])


def as_input(faces: np.ndarray) -> np.ndarray:
    """uint8 (n, h, w) to float32 (n, h, w, 1) in 0-1."""
    return np.asarray(faces, np.float32)[..., None] / np.float32(255)


def as_faces(outputs) -> np.ndarray:
    """float (n, h, w, 1) in 0-1 to uint8 (n, h, w)."""
    return np.clip(np.asarray(outputs)[..., 0] * 255 + 0.5, 0, 255).astype(np.uint8)


# The arms that need no network: each takes one person's faces uint8 (n, side, side), and the medians uint8
# (side, side) of that person and of the template, and gives uint8 (n, side, side).


def as_filmed(faces: np.ndarray, median: np.ndarray, template: np.ndarray) -> np.ndarray:
    """Faces as they are."""
    return faces


def equalised(faces: np.ndarray, median: np.ndarray, template: np.ndarray) -> np.ndarray:
    """Faces with equalised histograms."""
    return equalise(faces)


def locally_equalised(faces: np.ndarray, median: np.ndarray, template: np.ndarray) -> np.ndarray:
    """Faces equalised in parts, with limited contrast."""
    return clahe(faces)


def median_subtracted(faces: np.ndarray, median: np.ndarray, template: np.ndarray) -> np.ndarray:
    """The equalised face less its person's median; 128 for no difference."""
    return difference(equalise(faces), median)


def flow_residual(faces: np.ndarray, median: np.ndarray, template: np.ndarray) -> np.ndarray:
    """The equalised face bent so that its person's median meets the template's by dense flow, and its difference from
    that median, bent alike, added to the template's."""
    flow = flow_between(template, median)
    return difference(warp(equalise(faces), flow), warp(median[None], flow)[0], template)
