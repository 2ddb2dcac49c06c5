"""Expressions as courses over time: what a participant's face does in a session, and how a coder labels it.

Each action unit has a latent course, a smooth Gaussian process; where it is above the participant's threshold
the action unit is coded. The processes are correlated as action units are in life, and their time constants
give events the published lengths. Everything is sampled from a fixed time base, so that a higher frame rate
shows more instants of the same session.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from . import label_statistics as p
from .habits import thresholds
from .people import Person
from .processes import BASE_RATE, latent_courses, process
from .scene import Moment
from .seeds import generator

LEVELS = np.array([0.20, 0.38, 0.55, 0.72, 0.88])  # activation from which a coder says A, B, C, D, E
ONSET_STEEPNESS = 1.6  # how fast activation grows with the latent course
# The level that counts as present: BP4D codes a trace, DISFA is read at B and more.
PRESENT = {"BP4D": LEVELS[0], "DISFA": LEVELS[1]}


@dataclass(frozen=True)
class Course:
    """A session: `n` frames. activation (n, 17, 2) in 0..1, left then right, units in the order of
    `published.UNITS` · level (n, 17) int8, 0-5 as coded · extra: expression unit -> (n,) · head (n, 6): yaw,
    pitch, roll, x, y, z · gaze (n, 2).
    """

    activation: np.ndarray
    level: np.ndarray
    extra: dict[str, np.ndarray]
    head: np.ndarray
    gaze: np.ndarray

    def moment(self, frame: int) -> Moment:
        """What the face does in frame `frame` (0-based)."""
        units = {
            unit: (float(left), float(right))
            for unit, (left, right) in zip(p.UNITS, self.activation[frame])
            if max(left, right) > 0.01
        }
        yaw, pitch, roll, *shift = (float(value) for value in self.head[frame])
        extra = {name: float(values[frame]) for name, values in self.extra.items()}
        return Moment(units, extra, yaw, pitch, roll, tuple(shift), tuple(float(v) for v in self.gaze[frame]))


def activation_of(excess: np.ndarray, present: float) -> np.ndarray:
    """Activation 0..1 of a course by how far it is above its threshold: `present` at the threshold, nothing
    well below.
    """
    rest = 0.05
    at = rest + (1 - rest) * present
    rising = 1 / (1 + np.exp(-(ONSET_STEEPNESS * excess + np.log(at / (1 - at)))))
    return np.clip((rising - rest) / (1 - rest), 0, 1)


def _blinks(draw: np.random.Generator, seconds: float) -> np.ndarray:
    """Lid closure over the time base, 0..1: a blink every few seconds, down faster than up."""
    times = np.arange(int(round(seconds * BASE_RATE)) + 1) / BASE_RATE
    closed = np.zeros_like(times)
    at = draw.exponential(4.0)
    while at < seconds:
        since = times - at
        closed = np.maximum(closed, np.where(since < 0, 1 + since / 0.07, 1 - since / 0.16).clip(0, 1))
        at += 0.4 + draw.exponential(draw.uniform(2.0, 5.0))
    return closed


def _saccades(draw: np.random.Generator, seconds: float) -> np.ndarray:
    """Gaze over the time base, (instants, 2) degrees: mostly at the camera's side, jumping now and then."""
    instants = int(round(seconds * BASE_RATE)) + 1
    gaze, at = np.empty((instants, 2)), 0
    while at < instants:
        stay = 5 + int(draw.exponential(40))
        gaze[at : at + stay] = draw.normal(0, 1, 2) * (5.0, 3.0)
        at += stay
    return gaze


def _speech(draw: np.random.Generator, seconds: float, share: float) -> dict[str, np.ndarray]:
    """Mouth movement of talking over the time base: phrases, and syllables inside them."""
    talking = process(draw, seconds, 3.0, 0.2) > norm.ppf(1 - share) if share > 0 else 0.0
    envelope = np.convolve(talking * np.ones(int(round(seconds * BASE_RATE)) + 1), np.ones(7) / 7, "same")
    syllable = np.clip(0.5 + 0.5 * process(draw, seconds, 0.06, 0.05), 0, 1.5)
    shape = process(draw, seconds, 0.15, 0.08)
    return {
        "jawOpen": 0.22 * envelope * syllable,
        "mouthFunnel": 0.25 * envelope * np.clip(shape, 0, 1.5),
        "mouthStretchLeft": 0.15 * envelope * np.clip(-shape, 0, 1.5),
        "mouthStretchRight": 0.15 * envelope * np.clip(-shape, 0, 1.5),
        "mouthClose": 0.10 * envelope * (1 - np.clip(syllable, 0, 1)),
    }


def _nuisance(draw: np.random.Generator, seconds: float, task: str) -> dict[str, np.ndarray]:
    """Movement without a label, by expression unit, over the time base."""
    extra = _speech(draw, seconds, p.SPEECH.get(task, 0.2))
    sideways = 0.12 * process(draw, seconds, 4.0, 0.4)
    extra |= {"mouthLeft": np.clip(sideways, 0, None), "mouthRight": np.clip(-sideways, 0, None)}
    blink = _blinks(draw, seconds)
    return extra | {"eyeBlinkLeft": blink, "eyeBlinkRight": blink}


def _head(draw: np.random.Generator, seconds: float, posture: np.random.Generator) -> np.ndarray:
    """Yaw, pitch, roll (degrees) and shift x, y, z (decimetres) over the time base, (instants, 6)."""
    mean = posture.normal(0, 1, 6) * (2.0, 2.0, 1.2, 0.05, 0.04, 0.05)
    moves = [process(draw, seconds, 5.0, 0.35) for _ in range(6)]
    return mean + np.stack(moves, axis=1) * (4.5, 3.0, 2.0, 0.06, 0.04, 0.08)


def make_course(seed: int, person: Person, task: str, seconds: float, frame_rate: float) -> Course:
    """The session `task` of a person: round(seconds * frame_rate) frames, the first at time 0."""
    frames = np.arange(frame_count(seconds, frame_rate)) / frame_rate
    base = np.arange(int(round(seconds * BASE_RATE)) + 1) / BASE_RATE

    def sample(course: np.ndarray) -> np.ndarray:
        return np.interp(frames, base, course)

    latent = latent_courses(seed, person.dataset, person.participant, task, seconds)
    present = PRESENT.get(person.dataset, LEVELS[0])
    activation = activation_of(latent - thresholds(seed, person.dataset, person.participant, task), present)
    activation = np.stack([sample(column) for column in activation.T], axis=1)
    level = np.searchsorted(LEVELS, activation, side="right").astype(np.int8)
    _exclude(activation)
    draw = generator(seed, "nuisance", person.dataset, person.participant, task)
    posture = generator(seed, "posture", person.dataset, person.participant)
    uneven = np.clip(posture.normal(0, 0.08, len(p.UNITS)), -0.2, 0.2)
    sides = np.clip(np.stack([activation * (1 + uneven), activation * (1 - uneven)], axis=2), 0, 1)
    extra = {name: sample(course) for name, course in _nuisance(draw, seconds, task).items()}
    head = np.stack([sample(column) for column in _head(draw, seconds, posture).T], axis=1)
    gaze = np.stack([sample(column) for column in _saccades(draw, seconds).T], axis=1)
    _lids_follow(extra, gaze)
    return Course(sides, level, extra, head, gaze)


def frame_count(seconds: float, frame_rate: float) -> int:
    """How many frames a session has, at least one."""
    return max(1, int(round(seconds * frame_rate)))


def _exclude(activation: np.ndarray) -> None:
    """Pressed or tightened lips do not part: damp 25 and 26 where 23 or 24 act, in place (labels are
    unchanged).
    """
    shut = np.maximum(activation[:, p.UNITS.index(23)], activation[:, p.UNITS.index(24)])
    for unit in (25, 26):
        activation[:, p.UNITS.index(unit)] *= 1 - 0.4 * shut


def _lids_follow(extra: dict[str, np.ndarray], gaze: np.ndarray) -> None:
    """Lids go with the eyes when they look down or up (positive pitch looks down), in place."""
    for side in ("Left", "Right"):
        extra[f"eyeLookDown{side}"] = np.clip(gaze[:, 1] / 25, 0, 1)
        extra[f"eyeLookUp{side}"] = np.clip(-gaze[:, 1] / 25, 0, 1)
