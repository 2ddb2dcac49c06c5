"""The random affine transforms and warps of section 3.1, with the numbers of the code base that the paper names.

All of a batch's random numbers are drawn at once and turned into sampling maps by matrix products; each face is then
sampled once. Coordinates count from the centre of the first pixel. The stored crop stands for the middle 160 of the
code base's 256 pixels, so a length on its face is size / 160 of ours.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from ..faces.alignment import similarity

CODE_VERSION = 1  # raise when the same inputs would give other pictures

NODES = 5  # control points a side, 40 pixels apart on the 256-pixel face: the whole of its middle 160
MIDDLE = 160


@dataclass(frozen=True)
class Augmentation:
    """How strongly faces are moved; the defaults are the code base's."""

    rotation: float = 10.0  # degrees, uniform to either side
    scale: float = 0.05  # share, uniform to either side
    shift: float = 0.05  # share of the 256-pixel face, uniform to either side
    flip: float = 0.4  # probability
    warp_pixels: float = 5.0  # SD of each control point, in pixels of the 256-pixel face


def bilinear(size: int) -> np.ndarray:
    """Weights float64 (size, NODES) that spread control points over pixels.

    The outermost control points lie on the outer edges of the image, half a pixel outside its outermost centres.
    """
    at = (np.arange(size) + 0.5) * (NODES - 1) / size
    return np.clip(1 - np.abs(at[:, None] - np.arange(NODES)), 0, 1)


def draw_nodes(n: int, size: int, augmentation: Augmentation, random: np.random.Generator) -> np.ndarray:
    """Moved control points (n, NODES, NODES, 2) as x and y, in pixels of the image before the warp."""
    regular = np.arange(NODES) * size / (NODES - 1) - 0.5
    nodes = np.stack(np.meshgrid(regular, regular), axis=-1)
    return nodes + random.normal(0, augmentation.warp_pixels * size / MIDDLE, (n, NODES, NODES, 2))


def draw_affine(n: int, size: int, augmentation: Augmentation, random: np.random.Generator):
    """Multiplier and offset, complex (n,), and flips bool (n,): where a point of the moved face comes from.

    The code base rotates and scales about the middle, shifts, then flips; we need the way back.
    """
    angle = np.deg2rad(random.uniform(-augmentation.rotation, augmentation.rotation, n))
    scale = 1 + random.uniform(-augmentation.scale, augmentation.scale, n)
    reach = augmentation.shift * 256 / MIDDLE * size
    shift = random.uniform(-reach, reach, (n, 2)) @ np.array([1, 1j])
    multiplier = 1 / (scale * np.exp(1j * angle))
    middle = (size - 1) / 2 * (1 + 1j)
    return multiplier, middle - multiplier * (middle + shift), random.random(n) < augmentation.flip


def way_back(points: np.ndarray, affine, size: int) -> np.ndarray:
    """Points complex (n, ...) of the moved faces, in the faces as they were."""
    multiplier, offset, flips = (a.reshape(-1, *(1,) * (points.ndim - 1)) for a in affine)
    unflipped = np.where(flips, (size - 1) - points.real + 1j * points.imag, points)
    return multiplier * unflipped + offset


def spread(nodes: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Control points, complex (n, NODES, NODES), as sampling maps x and y, float32 (n, size, size).

    The weights of a pixel add up to one, so an affine transform of the control points is one of every pixel.
    """
    weights = bilinear(size).astype(np.float32)
    x, y = (weights @ part.astype(np.float32) @ weights.T for part in (nodes.real, nodes.imag))
    return x, y


def sample(faces: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Each face at its points x, y (n, h, w), bilinear, the border replicated: float32 (n, h, w, 1) in 0-1."""
    out = np.empty((*x.shape, 1), np.float32)
    for face, one_x, one_y, target in zip(faces, x, y, out):
        target[..., 0] = cv2.remap(face, one_x, one_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    out /= np.float32(255)
    return out


def augment(faces: np.ndarray, augmentation: Augmentation, random: np.random.Generator):
    """Inputs and targets, both float32 (n, size, size, 1) in 0-1, from faces uint8 (n, size, size).

    The input is the affine-moved face bent by the control points. The target is the same moved face under the one
    similarity that brings the control points nearest to their regular places (Umeyama 1991): the network learns to
    undo the bends, not the overall shift. Without a warp both are the same picture; in the code base they are half a
    pixel apart, which we mend. All faces are sampled in one step where it samples twice.
    """
    n, size = faces.shape[:2]
    affine = draw_affine(n, size, augmentation, random)
    nodes = draw_nodes(n, size, augmentation, random)
    inputs = sample(faces, *spread(way_back(nodes @ np.array([1, 1j]), affine, size), size))
    straight = way_back(_inverse_similarity(nodes, size), affine, size)
    return inputs, sample(faces, straight.real.astype(np.float32), straight.imag.astype(np.float32))


def _inverse_similarity(nodes: np.ndarray, size: int) -> np.ndarray:
    """Where each target pixel lies in the image before the warp: complex (n, size, size)."""
    regular = draw_nodes(1, size, Augmentation(warp_pixels=0.0), np.random.default_rng(0)).reshape(-1, 2)
    matrices = similarity(nodes.reshape(len(nodes), -1, 2), regular)
    multiplier = (matrices[:, 0, 0] + 1j * matrices[:, 1, 0])[:, None, None]
    offset = (matrices[:, 0, 2] + 1j * matrices[:, 1, 2])[:, None, None]
    pixels = np.arange(size)[None] + 1j * np.arange(size)[:, None]
    return (pixels - offset) / multiplier
