"""Pairs of a rendered face and its exact answer, of people who are in neither corpus, to train normalisers
on."""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from ..cluster import run_jobs
from ..faces import alignment
from .corpora import SCENES
from .expressions import make_course
from .face import Face
from .people import make_person, person_face
from .published import MOST_EXPRESSIVE
from .renderer import make_stage, render
from .scene import BP4D_CAMERA, BP4D_LIGHT, vary_light
from .seeds import generator

CODE_VERSION = 4
FRAME_RATE = 0.75  # frames a second of the sessions that pairs are taken from: neighbours differ
SCENE_FRAMES = 8  # frames in a row under one camera and light


def render_pairs(
    folder: Path,
    *,
    seed: int,
    people: int,
    frames_per_person: int,
    size: int = 128,
    template: str = MOST_EXPRESSIVE,
    workers: int | None = None,
    cluster: str = "local",
) -> None:
    """Write `faces.npy`, `truth.npy` (people * frames_per_person, size, size) uint8 and `people.npy` int16
    (1, 2, ...).

    People are P001, P002, ...: both genders, skin types I-VI evenly. Faces are cut by their exact landmarks
    to the canonical five points; truth is the same moment on the face of the BP4D participant `template`.
    Cameras and lights of both corpora take turns, and lights vary; truth of a DISFA scene is in BP4D's usual
    one, as in the corpora.
    """
    folder = Path(folder)
    jobs = [(seed, number, frames_per_person, size, template) for number in range(1, people + 1)]
    faces, truth = (
        np.lib.format.open_memmap(
            folder / name, mode="w+", dtype=np.uint8, shape=(people * frames_per_person, size, size)
        )
        for name in ("faces.npy", "truth.npy")
    )

    def keep(position: int, result: tuple[np.ndarray, np.ndarray]) -> None:
        rows = slice(position * frames_per_person, (position + 1) * frames_per_person)
        faces[rows], truth[rows] = result

    run_jobs(person_pairs, jobs, description="pairs", cluster=cluster, workers=workers, unit="person", done=keep)
    np.save(folder / "people.npy", np.repeat(np.arange(1, people + 1, dtype=np.int16), frames_per_person))


@lru_cache(maxsize=2)
def _template(seed: int, participant: str) -> Face:
    return person_face(make_person(seed, "BP4D", participant))


def person_pairs(seed: int, number: int, frames: int, size: int, template: str) -> tuple[np.ndarray, np.ndarray]:
    """Faces and truth (frames, size, size) uint8 of person `number` (1, 2, ...). One job of a cluster."""
    cv2.setNumThreads(1)
    person = make_person(seed, "pairs", f"P{number:03d}")
    face, answer = person_face(person), _template(seed, template)
    course = make_course(seed, person, "pairs", frames / FRAME_RATE, FRAME_RATE)
    faces, truth = [], []
    for frame in range(frames):
        if frame % SCENE_FRAMES == 0:
            stages = _scene(seed, person.participant, frame // SCENE_FRAMES, face, answer)
        moment = course.moment(frame)
        for shown, stage, kept in zip((face, answer), stages, (faces, truth)):
            picture, points = render(shown, stage, moment, grain=frame)
            kept.append(cut(picture, points, size))
    return np.array(faces), np.array(truth)


def cut(picture: np.ndarray, points: np.ndarray, size: int) -> np.ndarray:
    """The face in a picture, aligned by its exact landmarks (5, 2): (size, size) uint8."""
    transform = alignment.transforms(points[None], np.zeros((1, 4)), size)[0]
    return alignment.crop(picture, transform, size)


def _scene(seed: int, participant: str, turn: int, face: Face, answer: Face):
    """The stages of a stretch of frames, for the face and for the answer; the corpora's cameras take turns."""
    dataset = ("BP4D", "DISFA")[turn % 2]
    camera, light = SCENES[dataset]
    light = vary_light(light, generator(seed, "light", participant, turn), 1.0)
    wall = (seed, "wall", participant, turn)
    own = make_stage(face, camera, light, generator(*wall))
    if dataset == "DISFA":
        camera, light = BP4D_CAMERA, BP4D_LIGHT
    return own, make_stage(answer, camera, light, generator(*wall))
