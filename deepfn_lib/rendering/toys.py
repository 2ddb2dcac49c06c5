"""Single rendered faces for the chapters' toys: this person, these action units, this pose, as an aligned crop."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from ..faces.alignment import cut
from .face import Face
from .families import ACTION_UNITS
from .people import face_of
from .renderer import Stage, make_stage, render
from .scene import SCENES, Moment
from .seeds import generator


@lru_cache(maxsize=8)
def _set_up(seed: int, dataset: str, participant: str, scene: str) -> tuple[Face, Stage, np.ndarray]:
    """The person's face on a stage, and the landmarks of the face at rest."""
    face = face_of(seed, dataset, participant)
    stage = make_stage(face, *SCENES[scene], generator(seed, "toy"))
    return face, stage, render(face, stage, Moment())[1]


def render_moment(
    participant: str,
    activations: Mapping[int, float | tuple[float, float]] | None = None,
    *,
    seed: int,
    dataset: str = "BP4D",
    scene: str = "",
    size: int = 128,
    yaw: float = 0.0,
    pitch: float = 0.0,
    roll: float = 0.0,
    gaze: tuple[float, float] = (0.0, 0.0),
    whole: bool = False,
) -> np.ndarray:
    """One rendered picture, uint8: the face at (size, size), or with `whole` the camera's whole frame (h, w).

    `activations`: action unit -> 0..1 (a number, or a pair for the person's left and right). `dataset`: in whose corpus
    the participant is ("BP4D", "DISFA", "pairs"); `scene`: whose camera and light ("BP4D" or "DISFA"; empty: the
    same). Angles in degrees. The crop is the one that fits the face at rest, straight ahead, so that nothing but the
    face moves from one picture to the next. Raises KeyError for an action unit that cannot be rendered.
    """
    scene = scene or (dataset if dataset in SCENES else "BP4D")
    face, stage, at_rest = _set_up(seed, dataset, participant, scene)
    units = {}
    for unit, value in (activations or {}).items():
        if unit not in ACTION_UNITS:
            raise KeyError(f"action unit {unit} cannot be rendered; there are {sorted(ACTION_UNITS)}")
        left, right = np.broadcast_to(value, 2).tolist()
        units[unit] = (left, right)
    picture, _ = render(face, stage, Moment(units, {}, yaw, pitch, roll, gaze=gaze))
    return picture if whole else cut(picture, at_rest, size)
