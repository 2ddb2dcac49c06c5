"""Faces and five points by MTCNN, with its settings in the open.

MTCNN (Zhang et al. 2016) slides a small network over the image at many sizes, then refines what it found in two further
networks; the last gives two eyes, nose tip and two corners of the mouth. The `mtcnn` package carries its weights.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from ..device import configure_tensorflow

# The image's longer side in pixels before detection: cost grows with the area, and the face is what we look at.
SIDE = 192
# The package's own; with larger ones its pyramid runs on below the 12 pixels of its first network and finds nothing.
SMALLEST_FACE = 20
PYRAMID = 0.709  # the package's ratio between neighbouring sizes
THRESHOLDS = (0.6, 0.7)  # the package's own for its first two networks
CONFIDENCE = 0.8  # the threshold of the last
BATCH = 32


@dataclass(frozen=True)
class Detections:
    """One row an image, NaN where no face was found: `points` float64 (n, 5, 2) in image pixels, image-left first;
    `boxes` (n, 4) left, top, right, bottom; `confidence` (n,), 0 where there is none."""

    points: np.ndarray
    boxes: np.ndarray
    confidence: np.ndarray

    @property
    def found(self) -> np.ndarray:
        return self.confidence > 0


@cache
def _network():
    """The package's detector, each of its three networks as one compiled function of images of any size.

    It calls them layer by layer, which costs as much again as their sums; the points are the same (the tests compare).
    """
    tf = configure_tensorflow()
    from mtcnn import MTCNN

    detector = MTCNN()
    images = tf.TensorSpec([None, None, None, 3], tf.float32)
    for stage in detector._stages:
        stage._model = tf.function(stage._model, input_signature=[images])
    return detector


def detect(images: list[np.ndarray]) -> Detections:
    """The largest face of each image: `images` are (h, w) grey uint8, of any sizes.

    An image without a face gives a row of NaN; nothing is raised for it.
    """
    n = len(images)
    result = Detections(np.full((n, 5, 2), np.nan), np.full((n, 4), np.nan), np.zeros(n))
    shapes: dict[tuple[int, int], list[int]] = {}
    for position, image in enumerate(images):
        shapes.setdefault(image.shape, []).append(position)
    for shape, positions in shapes.items():
        ratio = SIDE / max(shape)
        size = (max(round(shape[1] * ratio), 1), max(round(shape[0] * ratio), 1))
        how = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
        zoom = np.array([shape[1] / size[0], shape[0] / size[1]])
        for start in range(0, len(positions), BATCH):
            some = positions[start : start + BATCH]
            batch = [images[p] if size == shape[::-1] else cv2.resize(images[p], size, interpolation=how) for p in some]
            for position, face in zip(some, _largest_faces(batch)):
                if face is not None:
                    result.boxes[position] = face[1:5] * np.tile(zoom, 2)
                    result.points[position] = _points(face) * zoom
                    result.confidence[position] = face[5]
    return result


def _points(face: np.ndarray) -> np.ndarray:
    points = np.stack([face[6:11], face[11:16]], axis=1)
    for left, right in ((0, 1), (3, 4)):  # image-left first, whatever the head does
        if points[left, 0] > points[right, 0]:
            points[[left, right]] = points[[right, left]]
    return points


def _largest_faces(batch: list[np.ndarray]) -> list[np.ndarray | None]:
    """One row (image, left, top, right, bottom, confidence, 5 x, 5 y) or None for each image of one size."""
    network = _network()  # before TensorFlow is imported, as it sets how much TensorFlow says
    import tensorflow as tf

    colour = [np.repeat(image[:, :, None], 3, axis=2) for image in batch]
    try:
        faces = network.detect_faces(
            colour,
            box_format="xyxy",
            output_type="numpy",
            fit_to_image=False,
            min_face_size=SMALLEST_FACE,
            scale_factor=PYRAMID,
            threshold_pnet=THRESHOLDS[0],
            threshold_rnet=THRESHOLDS[1],
            threshold_onet=CONFIDENCE,
        )
    except (tf.errors.OpError, ValueError, IndexError):  # what the package does where a stage keeps nothing
        faces = np.empty((0, 16))
    found: list[np.ndarray | None] = [None] * len(batch)
    if len(faces) == 0 or np.shape(faces)[1] < 16:
        return found
    area = (faces[:, 3] - faces[:, 1]) * (faces[:, 4] - faces[:, 2])
    for row in np.argsort(area, kind="stable"):  # the largest comes last and stays
        found[int(faces[row, 0])] = faces[row]
    return found
