"""Movement instead of pictures: where each point of a face lies in the same person's median face.

A motion is float32 (n, h, w, 2), x and y in pixels, looking backward: face[y, x] shows what
median[y + motion[y, x, 1], x + motion[y, x, 0]] does. Taken apart into what the head does and what the face does, the
second can be given to another face: its pixels, somebody else's movement. Nothing here is learnt and nothing needs a
label; chapter 18 derives it. Relative motion has been carried from face to face before (Siarohin et al. 2019); here all
of it goes to one template.
"""

from functools import cache
from typing import Any

import cv2
import numpy as np

from . import images

CODE_VERSION = 2  # raise when the same faces would come out otherwise
ELLIPSE = (0.40, 0.46)  # half axes of the face in an aligned crop, shares of its side: the head's part is fitted there
FRONT = (0.55, 0.70)  # half axes of the ellipsoid that a head's front is like, the same shares
COARSE, ROUNDS = 32, 6  # the grid of that fit, pixels a side, and how often it is weighted anew
DOUBT = 0.004  # shares of the side: a point this far from the fit counts half
CLIP = 30.0  # grey levels: what bending leaves of a frame is cut to so many


@cache
def grid(height: int, width: int) -> np.ndarray:
    """x and y of each pixel, float32 (h, w, 2)."""
    return np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)


def bend(pictures: np.ndarray, motions: np.ndarray) -> np.ndarray:
    """Each picture (n, h, w), or one (h, w) for all, at the places its motion (n, h, w, 2) names: the same type."""
    places = grid(*motions.shape[1:3]) + motions
    several = np.broadcast_to(pictures, motions.shape[:3])
    how: dict[str, Any] = {"interpolation": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REPLICATE}
    none: Any = None
    bent = [cv2.remap(np.ascontiguousarray(one), place, none, **how) for one, place in zip(several, places)]
    return np.stack(bent) if bent else np.empty(motions.shape[:3], several.dtype)


def scaled(motions: np.ndarray, size: int) -> np.ndarray:
    """Motions (n, h, w, 2) for pictures of `size` pixels a side, their lengths in those pixels."""
    if motions.shape[1] == size:
        return motions
    factor = size / motions.shape[1]
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.stack([cv2.resize(one, (size, size), interpolation=how) for one in motions]) * np.float32(factor)


@cache
def _rigid(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """What six small movements of a head do to each pixel, float32 (h, w, 2, 6), and which pixels tell, bool (h, w).

    Shifts in x and y, growth, a turn in the plane, and turns to the side and up of a front like an ellipsoid's, whose
    nearer points move further.
    """
    x, y = ((axis + 0.5) / side - 0.5 for axis, side in zip(np.moveaxis(grid(height, width), -1, 0), (width, height)))
    near, one, none = 1 - (x / FRONT[0]) ** 2 - (y / FRONT[1]) ** 2, np.ones_like(x), np.zeros_like(x)
    moves = np.stack([[one, none, x, -y, near, none], [none, one, y, x, none, near]])
    inside = (x / ELLIPSE[0]) ** 2 + (y / ELLIPSE[1]) ** 2 <= 1
    return np.moveaxis(moves, (0, 1), (2, 3)).astype(np.float32), inside


def head_part(motions: np.ndarray) -> np.ndarray:
    """What the whole head does: of six rigid movements the sum that most of the face agrees with, (n, h, w, 2).

    Weighted least squares over an ellipse of the face, on a coarse grid, again and again: a point that is further from
    the fit than DOUBT counts for less (Cauchy's weights), so that a smile is no turn of the head.
    """
    height, width = motions.shape[1:3]
    moves, inside = _rigid(COARSE, COARSE)
    seen = scaled(motions, COARSE)[:, inside] * np.float32(height / COARSE)  # n, points, 2; in pixels of the motions
    terms, weights = moves[inside].astype(float), np.ones(seen.shape[:2])
    for _ in range(ROUNDS):
        normal = np.einsum("pci,np,pcj->nij", terms, weights, terms, optimize=True)
        wanted = np.einsum("pci,np,npc->ni", terms, weights, seen, optimize=True)
        amounts = np.linalg.solve(normal, wanted[..., None])[..., 0]
        apart = seen - np.einsum("pci,ni->npc", terms, amounts)
        weights = 1 / (1 + np.square(apart).sum(-1) / (DOUBT * height) ** 2)
    whole, _ = _rigid(height, width)
    return (amounts.astype(np.float32) @ whole.reshape(-1, 6).T).reshape(motions.shape)


def dense_flow(faces: np.ndarray, median: np.ndarray) -> np.ndarray:
    """The motion of each face uint8 (n, h, w) against its median (h, w), by dense inverse-search flow, untrained."""
    flows = [images.flow_between(face, median) for face in faces]
    return np.stack(flows) if flows else np.empty((0, *median.shape, 2), np.float32)


def still(faces: np.ndarray, motions: np.ndarray) -> np.ndarray:
    """Faces (n, h, w) with the head where it is in the median: the head's part of each motion undone."""
    return bend(faces, -head_part(motions))


def carried(
    faces: np.ndarray,
    median: np.ndarray,
    template: np.ndarray,
    motions: np.ndarray,
    drawn: np.ndarray | None = None,
    shades: tuple[np.ndarray, np.ndarray] | None = None,
    *,
    keep_pose: bool = False,
    clip: float = CLIP,
) -> np.ndarray:
    """One person's movement on another face: uint8 (n, h, w).

    `faces` uint8 (n, h, w) equalised, `median` (h, w) theirs, `template` (h, w) whose face is worn, `motions` theirs.
    The template is bent by the motion without the head's part; to it is added what bending the own median leaves of
    each face, cut to ± `clip` grey levels (0: nothing is added), at the place where the flow between the medians says.
    `drawn`: the motions as they are on the template's own grid, where a network gives them; else that flow carries
    them there. `shades`: changes of grey float32 (n, h, w) that go with the movement, on the own median and on the
    template, in grey levels. `keep_pose`: the head's part stays in.
    """
    between = images.flow_between(template, median) if median is not template else np.zeros((*median.shape, 2), "f4")
    head = np.zeros_like(motions) if keep_pose else head_part(motions)
    if drawn is None:
        face_part = motions - head
        over = np.broadcast_to(between, motions.shape)
        local = np.stack([bend(face_part[..., axis], over) for axis in (0, 1)], axis=-1)
    else:
        local = drawn if keep_pose else drawn - head_part(drawn)
    before, after = (0.0, 0.0) if shades is None else shades
    worn = bend(template + np.float32(after), local)
    if clip:
        left = np.clip(faces - bend(median + np.float32(before), motions), -clip, clip)
        worn += bend(bend(left, -head), np.broadcast_to(between, motions.shape))
    return np.clip(worn + 0.5, 0, 255).astype(np.uint8)


# Arms without a network, as in `images`: faces uint8 (n, side, side) of one person, their median and the template's.


def stabilised(faces: np.ndarray, median: np.ndarray, template: np.ndarray) -> np.ndarray:
    """The equalised face, its head held still by dense flow, less its person's median; 128 for no difference."""
    equalised = images.equalise(faces)
    return images.difference(still(equalised, dense_flow(equalised, median)), median)


def transferred(faces: np.ndarray, median: np.ndarray, template: np.ndarray) -> np.ndarray:
    """The movement by dense flow, and what it leaves of the frame, on the template's median."""
    equalised = images.equalise(faces)
    return carried(equalised, median, template, dense_flow(equalised, median))
