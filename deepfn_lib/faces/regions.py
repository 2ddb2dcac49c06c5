"""Where on an aligned face action units are seen."""

import cv2
import numpy as np

# Left, top, right and bottom as shares of the side; the canonical points of `faces.alignment` lie within.
REGIONS = {
    "face": (0.15, 0.15, 0.85, 0.97),
    "brows": (0.18, 0.22, 0.82, 0.36),
    "eyes": (0.18, 0.34, 0.82, 0.47),
    "mouth": (0.28, 0.67, 0.72, 0.90),
}


def box(region: str, side: int) -> tuple[slice, slice]:
    """The rows and columns of a region of REGIONS in a picture of `side` pixels."""
    left, top, right, bottom = (round(edge * side) for edge in REGIONS[region])
    return slice(top, bottom), slice(left, right)


OUTSIDE, REGION_WEIGHT = 0.2, 3.0  # weights of pixels off the face, and where action units are seen; 1 elsewhere


def where_it_counts(size: int) -> np.ndarray:
    """Weights float32 (size, size), mean one: brows, eyes and mouth count most, then the face, then hair and wall."""
    weights = np.full((size, size), OUTSIDE, np.float32)
    weights[box("face", size)] = 1.0
    for region in ("brows", "eyes", "mouth"):
        weights[box(region, size)] = REGION_WEIGHT
    smooth = cv2.GaussianBlur(weights, (0, 0), size / 32)
    return smooth / smooth.mean()
