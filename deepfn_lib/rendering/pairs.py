"""Pairs of a rendered face and its exact answer, of people who are in neither corpus, to train normalisers on.

Faces are found as the study finds them: the detector's own errors, of which some follow the expression, are part of
what a normaliser has to undo. The exact answer is cut by the renderer's points, as in the corpora.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..cluster import HERE, Machine
from ..faces import alignment, detection, tracking
from ..faces.alignment import cut
from .corpora import on_stages, render_both
from .expressions import make_course
from .label_statistics import BP4D_COLUMNS, MOST_EXPRESSIVE
from .people import face_of, make_person

CODE_VERSION = 5
FRAME_RATE = 0.75  # frames a second of the sessions that pairs are taken from: neighbours differ
SCENE_FRAMES = 8  # frames in a row under one camera and light; the corpora's cameras take turns


def render_pairs(
    folder: Path,
    *,
    seed: int,
    people: int,
    frames_per_person: int,
    size: int = 128,
    template: str = MOST_EXPRESSIVE,
    mode: str = "five-points",
    family: str = "",
    machine: Machine = HERE,
) -> None:
    """Write `faces.npy`, `truth.npy` (people * frames_per_person, size, size) uint8, `labels.npy` int8 (the same
    number, 12: 1 where the action unit of BP4D is active) and `people.npy` int16 (1, 2, ...).

    People are P001, P002, ...: both genders, skin types I-VI evenly. Faces are cut by MTCNN's points under the
    alignment `mode`; truth, the same moment on the face of the BP4D participant `template`, by the renderer's. Where
    MTCNN finds nothing the renderer's points serve. Cameras and lights of both corpora take turns, and lights vary;
    truth of a DISFA scene is in BP4D's usual one, as in the corpora. `family`: as of `corpora.write_corpora`.
    """
    number = people * frames_per_person
    jobs = [(seed, who, frames_per_person, size, template, mode, family) for who in range(1, people + 1)]
    pictures = (np.uint8, (number, size, size))
    arrays = {"faces": pictures, "truth": pictures, "labels": (np.int8, (number, len(BP4D_COLUMNS)))}
    kept = {
        name: np.lib.format.open_memmap(folder / f"{name}.npy", mode="w+", dtype=kind, shape=shape)
        for name, (kind, shape) in arrays.items()
    }

    def keep(position: int, result: Pairs) -> None:
        first = position * frames_per_person
        for name, array in kept.items():
            array[first : first + frames_per_person] = getattr(result, name)

    machine.run(person_pairs, jobs, description="pairs", unit="person", done=keep)
    np.save(folder / "people.npy", np.repeat(np.arange(1, people + 1, dtype=np.int16), frames_per_person))


def scenes_of(people: np.ndarray) -> np.ndarray:
    """A number for each rendered person before each of the two cameras, int (n,), from `people.npy` of the pairs."""
    everyone, first = np.unique(people, return_index=True)
    frame = np.arange(len(people)) - first[np.searchsorted(everyone, people)]
    return 2 * people.astype(int) + frame // SCENE_FRAMES % 2


@dataclass(frozen=True)
class Pairs:
    """One person's: faces, truth (n, size, size) uint8, labels (n, 12) int8, and whether MTCNN found the face (n,)."""

    faces: np.ndarray
    truth: np.ndarray
    labels: np.ndarray
    found: np.ndarray


def person_pairs(
    seed: int, number: int, frames: int, size: int, template: str, mode: str = "five-points", family: str = ""
) -> Pairs:
    """The pairs of person `number` (1, 2, ...). One job of a cluster."""
    cv2.setNumThreads(1)
    one = f"P{number:03d}"
    faces = face_of(seed, "pairs", one, family), face_of(seed, "BP4D", template, family)
    course = make_course(seed, make_person(seed, "pairs", one), "pairs", frames / FRAME_RATE, FRAME_RATE)
    pictures, points, truth = [], [], []
    for frame in range(frames):
        turn = frame // SCENE_FRAMES
        if frame % SCENE_FRAMES == 0:
            shown = on_stages(seed, ("BP4D", "DISFA")[turn % 2], (one, turn), *faces)
        (picture, exact), answer = render_both(shown, course.moment(frame), frame)
        pictures.append(picture)
        points.append(exact)
        truth.append(cut(*answer, size, mode))
    cropped, found = cut_as_found(pictures, np.array(points), size, mode)
    labels = (course.level[:frames, BP4D_COLUMNS] > 0).astype(np.int8)
    return Pairs(cropped, np.array(truth), labels, found)


def cut_as_found(pictures: list[np.ndarray], exact: np.ndarray, size: int, mode: str):
    """Faces (n, size, size) cut by MTCNN's points, or the `exact` ones (n, 5, 2) where it has none; which it found."""
    detected = detection.detect(pictures)
    found = detected.found & tracking.plausible(detected.points, [])
    points = np.where(found[:, None, None], detected.points, exact)
    boxes = np.where(found[:, None], detected.boxes, alignment.boxes_from_points(exact))
    matrices = alignment.transforms(points, boxes, size, mode)
    return np.array([alignment.crop(*pair, size) for pair in zip(pictures, matrices)]), found
