"""Bringing everybody's face to the template's geometry by one dense flow a person, before any network.

The flow is found once between two median faces, so it moves who somebody is and leaves what they do: an expression is
not in the median.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from ..faces import images

SMOOTHED = 4.0  # SD in pixels of the flow's smoothing at 128: no bend is sharper than an eye
CHUNK = 1024


@dataclass(frozen=True)
class Geometry:
    """How to bring one person's faces to the template: their median uint8 (side, side) and the flow to it."""

    median: np.ndarray
    flow: np.ndarray

    def apply(self, faces: np.ndarray, size: int) -> np.ndarray:
        """Equalised faces uint8 (n, side, side) in the template's geometry: uint8 (n, size, size)."""
        return images.resize(images.warp(faces, self.flow), size)


def geometry_of(median: np.ndarray, template_median: np.ndarray) -> Geometry:
    """The geometry of a person with this median, uint8 (side, side) as the template's."""
    flow = images.flow_between(template_median, median)
    return Geometry(median, cv2.GaussianBlur(flow, (0, 0), SMOOTHED * len(median) / 128))


def align(faces: np.ndarray, people: np.ndarray, template_median: np.ndarray, size: int):
    """Everybody's faces and medians, equalised and in the template's geometry.

    `faces` uint8 (n, side, side) grey, `people` (n,) names. Returns aligned faces uint8 (n, size, size), aligned
    medians uint8 (k, size, size), and each row's place in them, int (n,).
    """
    people = np.asarray(people)
    aligned = np.empty((len(faces), size, size), np.uint8)
    medians, which = [], np.empty(len(faces), np.int64)
    for number, (_, rows) in enumerate(images.by_person(people)):
        some = rows[np.unique(np.linspace(0, len(rows) - 1, min(images.MEDIAN_FRAMES, len(rows))).astype(int))]
        median = images.median_face(images.equalise(np.asarray(faces[some])))
        geometry = geometry_of(median, template_median)
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            aligned[chunk] = geometry.apply(images.equalise(np.asarray(faces[chunk])), size)
        medians.append(geometry.apply(median[None], size)[0])
        which[rows] = number
    return aligned, np.stack(medians), which
