"""Expressions as courses over time: what a participant's face does in a session, and how a coder labels it.

Each action unit has a latent course, a smooth Gaussian process; where it is above the participant's threshold the
action unit is coded. The processes are correlated as action units are in life, and their time constants give events the
published lengths. Everything is sampled from a fixed time base, so that a higher frame rate shows more instants of the
same session.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from .habits import thresholds
from .label_statistics import SPEECH, UNITS
from .people import Person
from .processes import BASE_RATE, instants, latent_courses, process
from .scene import Moment
from .seeds import generator

LEVELS = np.array([0.20, 0.38, 0.55, 0.72, 0.88])  # activation from which a coder says A, B, C, D, E
ONSET_STEEPNESS = 1.6  # how fast activation grows with the latent course
# The level that counts as present: BP4D codes a trace, DISFA is read at B and more.
PRESENT = {"BP4D": LEVELS[0], "DISFA": LEVELS[1]}


@dataclass(frozen=True)
class Course:
    """A session of `n` frames, action units in the order of UNITS.

    activation (n, 17, 2) in 0..1, left then right · level (n, 17) int8, 0-5 as coded · extra: expression unit -> (n,) ·
    head (n, 6): yaw, pitch, roll, x, y, z · gaze (n, 2); units as in Moment.
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
            for unit, (left, right) in zip(UNITS, self.activation[frame])
            if max(left, right) > 0.01
        }
        extra = {name: float(values[frame]) for name, values in self.extra.items()}
        yaw, pitch, roll, x, y, z = self.head[frame].tolist()
        across, down = self.gaze[frame].tolist()
        return Moment(units, extra, yaw, pitch, roll, (x, y, z), (across, down))


def activation_of(excess: np.ndarray, present: float) -> np.ndarray:
    """Activation 0..1 of a course by how far it is above its threshold: `present` at the threshold, 0 well below."""
    rest = 0.05
    at = rest + (1 - rest) * present
    rising = 1 / (1 + np.exp(-(ONSET_STEEPNESS * excess + np.log(at / (1 - at)))))
    return np.clip((rising - rest) / (1 - rest), 0, 1)


def _blinks(draw: np.random.Generator, seconds: float) -> np.ndarray:
    """Lid closure over the time base, 0..1: a blink every few seconds, down faster than up."""
    times = np.arange(instants(seconds)) / BASE_RATE
    closed = np.zeros_like(times)
    at = draw.exponential(4.0)
    while at < seconds:
        since = times - at
        closed = np.maximum(closed, np.where(since < 0, 1 + since / 0.07, 1 - since / 0.16).clip(0, 1))
        at += 0.4 + draw.exponential(draw.uniform(2.0, 5.0))
    return closed


def _saccades(draw: np.random.Generator, seconds: float) -> np.ndarray:
    """Gaze over the time base, (instants, 2) degrees: mostly at the camera's side, jumping now and then."""
    gaze, at = np.empty((instants(seconds), 2)), 0
    while at < len(gaze):
        stay = 5 + int(draw.exponential(40))
        gaze[at : at + stay] = draw.normal(0, 1, 2) * (5.0, 3.0)
        at += stay
    return gaze


def _speech(draw: np.random.Generator, seconds: float, share: float) -> dict[str, np.ndarray]:
    """Mouth movement of talking over the time base: phrases, and syllables inside them."""
    talking = process(draw, seconds, 3.0, 0.2) > norm.ppf(1 - share)
    envelope = np.convolve(talking.astype(float), np.ones(7) / 7, "same")
    syllable = np.clip(0.5 + 0.5 * process(draw, seconds, 0.06, 0.05), 0, 1.5)
    shape = process(draw, seconds, 0.15, 0.08)
    stretch = 0.15 * envelope * np.clip(-shape, 0, 1.5)
    return {
        "jawOpen": 0.22 * envelope * syllable,
        "mouthFunnel": 0.25 * envelope * np.clip(shape, 0, 1.5),
        "mouthStretchLeft": stretch,
        "mouthStretchRight": stretch,
        "mouthClose": 0.10 * envelope * (1 - np.clip(syllable, 0, 1)),
    }


def _nuisance(draw: np.random.Generator, seconds: float, task: str) -> dict[str, np.ndarray]:
    """Movement without a label, by expression unit, over the time base."""
    extra = _speech(draw, seconds, SPEECH.get(task, 0.2))
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
    times = np.arange(frame_count(seconds, frame_rate)) / frame_rate
    base = np.arange(instants(seconds)) / BASE_RATE

    def sample(courses: np.ndarray) -> np.ndarray:
        """Courses on the time base, (instants, k), at the frames: (n, k)."""
        return np.stack([np.interp(times, base, course) for course in courses.T], axis=1)

    name = (person.dataset, person.participant)
    excess = latent_courses(seed, *name, task, seconds) - thresholds(seed, *name, task)
    activation = sample(activation_of(excess, PRESENT.get(person.dataset, LEVELS[0])))
    level = np.searchsorted(LEVELS, activation, side="right").astype(np.int8)
    _exclude(activation)
    draw, posture = generator(seed, "nuisance", *name, task), generator(seed, "posture", *name)
    uneven = np.clip(posture.normal(0, 0.08, len(UNITS)), -0.2, 0.2)
    sides = np.clip(np.stack([activation * (1 + uneven), activation * (1 - uneven)], axis=2), 0, 1)
    extra = {unit: np.interp(times, base, course) for unit, course in _nuisance(draw, seconds, task).items()}
    head = sample(_head(draw, seconds, posture))
    gaze = sample(_saccades(draw, seconds))
    _lids_follow(extra, gaze)
    return Course(sides, level, extra, head, gaze)


def frame_count(seconds: float, frame_rate: float) -> int:
    """How many frames a session has, at least one."""
    return max(1, int(round(seconds * frame_rate)))


def _exclude(activation: np.ndarray) -> None:
    """Pressed or tightened lips do not part: damp 25 and 26 where 23 or 24 act, in place (labels are unchanged)."""
    shut = np.maximum(activation[:, UNITS.index(23)], activation[:, UNITS.index(24)])
    for unit in (25, 26):
        activation[:, UNITS.index(unit)] *= 1 - 0.4 * shut


def _lids_follow(extra: dict[str, np.ndarray], gaze: np.ndarray) -> None:
    """Lids go with the eyes when they look down or up (positive pitch looks down), in place."""
    for side in ("Left", "Right"):
        extra[f"eyeLookDown{side}"] = np.clip(gaze[:, 1] / 25, 0, 1)
        extra[f"eyeLookUp{side}"] = np.clip(-gaze[:, 1] / 25, 0, 1)
