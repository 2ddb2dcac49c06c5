"""Image arms that need no network: what a classifier sees when faces are equalised, or freed of the person's average.

All take aligned faces as uint8 (n, side, side) and give uint8 (n, size, size), row by row; people are worked through
one at a time, so memory stays at one person's frames whatever the corpus. A person's median uses their own frames only,
and no label of theirs.
"""

from collections.abc import Callable, Iterator, Mapping

import cv2
import numpy as np

from ..frames import evenly

SIZE = 64  # Table 3: what LeNet-5 sees
MIDDLE = 128  # grey that stands for "as in the median"
CODE_VERSION = 1  # raise when the same arm would come out otherwise
MEDIAN_FRAMES = 600  # evenly spaced frames of a person that their median is taken over, at most
CHUNK = 1024
ARMS = ("original", "equalised", "clahe", "median-subtracted", "flow-residual")


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
    return cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(fixed, moving, None)


def warp(images: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Bring each face, uint8 (n, h, w), to the geometry of the fixed image of `flow`, float32 (h, w, 2)."""
    height, width = flow.shape[:2]
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32) + flow
    whole, rest = cv2.convertMaps(grid[..., 0], grid[..., 1], cv2.CV_16SC2)
    how = {"interpolation": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REPLICATE}
    return np.stack([cv2.remap(image, whole, rest, **how) for image in images])


def difference(images: np.ndarray, median: np.ndarray, base: np.ndarray | int = MIDDLE) -> np.ndarray:
    """`base` + image - median, cut to 0-255: uint8 (n, h, w) minus (h, w) to uint8 (n, h, w).

    Differences keep their scale: a grey level of change is a grey level. Equalised faces rarely differ from their own
    median by more than the 127 levels that fit on either side of the middle.
    """
    return np.clip(images.astype(np.int16) - median + np.asarray(base, np.int16), 0, 255).astype(np.uint8)


def make_arm(
    name: str,
    images: np.ndarray,
    people: np.ndarray,
    template_participant: str,
    size: int = SIZE,
    out: np.ndarray | None = None,
    medians: Mapping[str, np.ndarray] | None = None,
) -> np.ndarray:
    """One arm: uint8 (n, size, size), row-aligned with `images` (n, side, side) uint8 and `people` (n,) names.

    "original" grey; "equalised"; "clahe"; "median-subtracted": the equalised face minus its person's median, 128 for no
    difference; "flow-residual": faces warped so that their person's median meets the template's by dense flow, and
    their difference from that median added to the template's. `out` (a memory map, say) takes the result. Raises
    ValueError for an unknown arm and KeyError where the template has no frames among `people`.
    """
    if name not in ARMS:
        raise ValueError(f"arm {name!r} is not made here; choose one of {', '.join(ARMS)}")
    people = np.asarray(people)
    out = np.empty((len(images), size, size), np.uint8) if out is None else out
    if name in ("original", "equalised", "clahe"):
        change = {"original": np.asarray, "equalised": equalise, "clahe": clahe}[name]
        for start in range(0, len(images), CHUNK):
            out[start : start + CHUNK] = resize(change(np.asarray(images[start : start + CHUNK])), size)
        return out
    medians = median_faces(images, people) if medians is None else medians
    for person, rows in by_person(people):
        finish = _residual(name, medians[person], medians[template_participant])
        for start in range(0, len(rows), CHUNK):
            some = rows[start : start + CHUNK]
            out[some] = resize(finish(equalise(images[some])), size)
    return out


def _residual(name: str, median: np.ndarray, template: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    if name == "median-subtracted":
        return lambda faces: difference(faces, median)
    flow = flow_between(template, median)
    moved = warp(median[None], flow)[0]
    return lambda faces: difference(warp(faces, flow), moved, template)
