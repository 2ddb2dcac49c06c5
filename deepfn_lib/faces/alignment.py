"""From five points in an image to an upright face of fixed geometry.

The paper does not say how faces were aligned. Ours is the usual similarity transform (rotation, one scale, shift) that
brings five points nearest to fixed places: it cannot bend a face, so no expression is straightened away. The mouth's
corners move with expression and would drag the whole face after them, so they weigh half.
"""

import cv2
import numpy as np

MODES = ("five-points", "eyes", "none")

# Image-left eye, image-right eye, nose tip, image-left and image-right corner of the mouth, as shares of the side.
CANONICAL_POINTS = np.array([(0.325, 0.40), (0.675, 0.40), (0.50, 0.60), (0.36, 0.77), (0.64, 0.77)])
POINT_COLUMNS = [f"{axis}{k}" for k in range(5) for axis in "xy"]  # of a table of such points, as the renderer's
POINT_WEIGHTS = np.array([1.0, 1.0, 1.0, 0.5, 0.5])

# Without alignment: the detector's own box, made square and this much larger.
BOX_MARGIN = 1.15
# MTCNN's box by its five points, where only points are known (the renderer's): its longer side and how far its centre
# lies above theirs, in root mean square distances of the points from their mean; means over rendered faces.
BOX_SIDE = 4.71
BOX_ABOVE = 0.44


def similarity(points: np.ndarray, target: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """The 2x3 similarity transforms that bring `points` (n, k, 2) nearest to `target` (k, 2), weighted least squares.

    In the plane the problem is linear: with centred points as complex numbers, the transform is z -> a z + b and
    a = sum(w conj(z) t) / sum(w |z|^2). Returns float64 (n, 2, 3). This is Umeyama's solution without reflection.
    Raises ValueError where all points of a face coincide.
    """
    points = np.asarray(points, float)
    weights = np.ones(len(target)) if weights is None else np.asarray(weights, float)
    weights = weights / weights.sum()
    z = points[..., 0] + 1j * points[..., 1]
    t = np.asarray(target, float) @ np.array([1, 1j])
    z_mean, t_mean = z @ weights, t @ weights
    z, t = z - z_mean[:, None], t - t_mean
    spread = (np.abs(z) ** 2) @ weights
    if (spread <= 0).any():
        raise ValueError("all points of a face coincide")
    a = (np.conj(z) * t) @ weights / spread
    b = t_mean - a * z_mean
    return np.stack([np.stack([a.real, -a.imag, b.real], -1), np.stack([a.imag, a.real, b.imag], -1)], -2)


def transforms(points: np.ndarray, boxes: np.ndarray, side: int, mode: str = "five-points") -> np.ndarray:
    """The transforms, float64 (n, 2, 3), from image to crop pixels, for a crop of `side` pixels.

    `points` (n, 5, 2) and `boxes` (n, 4: left, top, right, bottom) are in image pixels, which count from the centre of
    the first one, as OpenCV does. Raises ValueError for a `mode` that is none of `MODES`.
    """
    target = CANONICAL_POINTS * side - 0.5
    if mode == "five-points":
        return similarity(points, target, POINT_WEIGHTS)
    if mode == "eyes":
        return similarity(np.asarray(points)[:, :2], target[:2])
    if mode == "none":
        boxes = np.asarray(boxes, float)
        centre = (boxes[:, :2] + boxes[:, 2:]) / 2
        scale = side / (BOX_MARGIN * (boxes[:, 2:] - boxes[:, :2]).max(1))
        result = np.zeros((len(boxes), 2, 3))
        result[:, 0, 0] = result[:, 1, 1] = scale
        result[:, :, 2] = (side - 1) / 2 - scale[:, None] * centre
        return result
    raise ValueError(f"alignment {mode!r} is unknown; choose one of {', '.join(MODES)}")


def place(matrices: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Where the transforms (n, 2, 3) take `points` (n, k, 2): float64 (n, k, 2)."""
    return np.einsum("nij,nkj->nki", matrices[:, :, :2], points) + matrices[:, None, :, 2]


def face_size(points: np.ndarray) -> np.ndarray:
    """The size (n,) of faces in image pixels: root mean square distance of their points (n, 5, 2) from their mean."""
    return np.sqrt(((points - points.mean(1, keepdims=True)) ** 2).sum(-1).mean(-1))


def boxes_from_points(points: np.ndarray) -> np.ndarray:
    """The square boxes (n, 4) that MTCNN would about give for faces with these points (n, 5, 2)."""
    size = face_size(points)[:, None]
    centre = points.mean(1) - size * [0, BOX_ABOVE]
    return np.concatenate([centre - size * BOX_SIDE / 2, centre + size * BOX_SIDE / 2], axis=1)


def crop(image: np.ndarray, transform: np.ndarray, side: int) -> np.ndarray:
    """Cut one face: `image` (h, w) uint8, `transform` (2, 3) from image to crop pixels; returns uint8 (side, side).

    Where the face is larger in the image than in the crop, the image is first reduced by averaging areas, so that no
    detail folds into false pattern; beyond the image's border its last pixels go on.
    """
    transform = np.asarray(transform, float)
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    if scale < 0.75:
        image, transform = _reduce(image, transform, side, scale)
    return cv2.warpAffine(image, transform, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def cut(picture: np.ndarray, points: np.ndarray, side: int, mode: str = "five-points") -> np.ndarray:
    """The face in a picture (h, w) uint8, aligned by its exact points (5, 2), which the renderer knows: uint8
    (side, side). Raises ValueError for a `mode` that is none of `MODES`."""
    five = points[None]
    return crop(picture, transforms(five, boxes_from_points(five), side, mode)[0], side)


def _reduce(image: np.ndarray, transform: np.ndarray, side: int, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """The part of the image that the crop shows, at about the crop's resolution, and the transform from it."""
    height, width = image.shape
    corners = np.array([(-0.5, -0.5), (side - 0.5, -0.5), (side - 0.5, side - 0.5), (-0.5, side - 0.5)])
    seen = cv2.transform(corners[None], cv2.invertAffineTransform(transform))[0]
    left, top = np.clip(np.floor(seen.min(0)).astype(int) - 2, 0, (width - 2, height - 2))
    right, bottom = np.clip(np.ceil(seen.max(0)).astype(int) + 3, (left + 2, top + 2), (width, height))
    part = image[top:bottom, left:right]
    size = [max(int(round(length * scale)), 1) for length in (part.shape[1], part.shape[0])]
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    zoom = np.array([part.shape[1] / size[0], part.shape[0] / size[1]])
    # A pixel p of the reduced part lies at (p + 0.5) zoom - 0.5 + (left, top) of the image.
    to_image = np.array([[zoom[0], 0, zoom[0] / 2 - 0.5 + left], [0, zoom[1], zoom[1] / 2 - 0.5 + top], [0, 0, 1]])
    return small, transform @ to_image
