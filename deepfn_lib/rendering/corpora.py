"""Write the two rendered corpora, and beside every frame its exact answer: the same moment on the template's
face."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from ..cluster import HERE, Machine
from . import label_statistics as p
from . import layouts
from .expressions import Course, make_course
from .face import Face
from .people import make_person, participants, person_face
from .processes import TASK_SECONDS, VIDEO_SECONDS
from .renderer import Stage, make_stage, render
from .scene import BP4D_CAMERA, BP4D_LIGHT, DISFA_CAMERA, DISFA_LIGHT, Camera, Light, vary_light
from .seeds import generator

CODE_VERSION = 4
JPEG_QUALITY = 92
SCENES: dict[str, tuple[Camera, Light]] = {"BP4D": (BP4D_CAMERA, BP4D_LIGHT), "DISFA": (DISFA_CAMERA, DISFA_LIGHT)}
PARTS = "parts"  # one table of landmarks a finished session; gone when the corpora are whole
LANDMARKS = [f"{axis}{number}" for number in range(5) for axis in "xy"]


def write_corpora(
    folder: Path,
    *,
    seed: int,
    bp4d_people: int,
    disfa_people: int,
    bp4d_frame_rate: float,
    disfa_frame_rate: float,
    machine: Machine = HERE,
) -> None:
    """Write `bp4d/`, `disfa/`, `truth/bp4d/`, `truth/disfa/`, `landmarks.parquet` and `participants.csv` into
    `folder`.

    The first `bp4d_people` of 41 and `disfa_people` of 27 participants, in a fixed balanced order; 20 seconds
    of each of eight tasks, and 242 seconds of video, at the given frames a second. Truth shows the template
    (the most expressive BP4D participant) making the same expression in the same pose: for BP4D before the
    same camera and light; for DISFA before BP4D's camera in BP4D's usual light, for that is what "on the
    template's face" means to a recogniser. Sessions that an interrupted earlier call finished are kept.
    """
    folder = Path(folder)
    (folder / PARTS).mkdir(parents=True, exist_ok=True)
    chosen = [("BP4D", one, bp4d_frame_rate) for one in participants("BP4D", bp4d_people)]
    chosen += [("DISFA", one, disfa_frame_rate) for one in participants("DISFA", disfa_people)]
    template = template_participant(seed, bp4d_people, bp4d_frame_rate)
    jobs = [(str(folder), seed, dataset, one, template, rate) for dataset, one, rate in chosen]
    jobs.sort(key=lambda job: job[2], reverse=True)  # the long videos first, so that no processor waits at the end
    machine.run(write_participant, jobs, description="rendering", unit="person")
    write_participants(folder, seed, [(dataset, one) for dataset, one, _ in chosen])
    parts = sorted((folder / PARTS).glob("*.parquet"))
    keys = ["dataset", "participant", "task", "frame", "identity"]
    landmarks = pd.concat([pd.read_parquet(part) for part in parts]).sort_values(keys, ignore_index=True)
    landmarks.to_parquet(folder / "landmarks.parquet")
    for part in parts:
        part.unlink()
    (folder / PARTS).rmdir()


def write_participants(folder: Path, seed: int, chosen: Sequence[tuple[str, str]]) -> None:
    """`participants.csv`: dataset, participant, gender, skin_type, skin_group."""
    people = [make_person(seed, dataset, one) for dataset, one in sorted(chosen)]
    rows = [(one.dataset, one.participant, one.gender, one.skin_type, one.skin_group) for one in people]
    columns = ["dataset", "participant", "gender", "skin_type", "skin_group"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "participants.csv", index=False)


def template_participant(seed: int, bp4d_people: int, bp4d_frame_rate: float) -> str:
    """Who is the template: the paper's rule (section 3.2) on the labels that these settings give."""
    counts = {one: activation_counts(seed, one, bp4d_frame_rate) for one in participants("BP4D", bp4d_people)}
    return most_expressive(pd.DataFrame(counts).T)


def activation_counts(seed: int, participant: str, frame_rate: float) -> pd.Series:
    """Frames with each BP4D action unit, by its number, over all tasks of one participant."""
    person, columns = make_person(seed, "BP4D", participant), [p.UNITS.index(unit) for unit in p.BP4D_UNITS]
    levels = [make_course(seed, person, task, TASK_SECONDS, frame_rate).level for task in p.TASKS]
    return pd.Series((np.concatenate(levels)[:, columns] > 0).sum(axis=0), index=p.BP4D_UNITS)


def most_expressive(counts: pd.DataFrame) -> str:
    """The participant (row) with the highest median count over action units (columns); the first of equals by
    name. Defined in chapter 03.
    """
    medians = counts.median(axis=1).sort_index()
    return str(medians.idxmax())


@lru_cache(maxsize=2)
def _face(seed: int, dataset: str, participant: str) -> Face:
    return person_face(make_person(seed, dataset, participant))


def stages(seed: int, dataset: str, participant: str, task: str, face: Face, template: Face) -> tuple[Stage, Stage]:
    """The session's own stage, and the template's: in the same scene, but for DISFA in BP4D's usual one."""
    camera, light = SCENES[dataset]
    light = vary_light(light, generator(seed, "light", dataset, participant, task), 1.0)
    wall = (seed, "wall", dataset, participant, task)
    own = make_stage(face, camera, light, generator(*wall))
    if dataset == "DISFA":
        camera, light = BP4D_CAMERA, BP4D_LIGHT
    return own, make_stage(template, camera, light, generator(*wall))


def write_participant(folder: str, seed: int, dataset: str, participant: str, template: str, frame_rate: float) -> int:
    """Render one participant's sessions that are not there yet; how many frames were rendered. One job of a
    cluster.
    """
    cv2.setNumThreads(1)
    tasks = p.TASKS if dataset == "BP4D" else ("video",)
    rendered = 0
    for task in tasks:
        part = Path(folder) / PARTS / f"{dataset}-{participant}-{task}.parquet"
        if part.exists():
            continue
        person = make_person(seed, dataset, participant)
        seconds = TASK_SECONDS if dataset == "BP4D" else VIDEO_SECONDS
        course = make_course(seed, person, task, seconds, frame_rate)
        face, answer = _face(seed, dataset, participant), _face(seed, "BP4D", template)
        pair = stages(seed, dataset, participant, task, face, answer)
        write = write_bp4d_session if dataset == "BP4D" else write_disfa_session
        frames, points = write(Path(folder), seed, participant, task, course, (face, answer), pair)
        _write_landmarks(part, dataset, participant, task, frames, points)
        rendered += len(frames)
    return rendered


def render_both(
    course: Course, frame: int, grain: int, faces: tuple[Face, Face], pair: tuple[Stage, Stage]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Picture and landmarks of a frame on the participant's own face and on the template's."""
    moment = course.moment(frame)
    return [render(face, stage, moment, grain) for face, stage in zip(faces, pair)]


def write_bp4d_session(folder, seed, participant, task, course, faces, pair) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of one task; frame numbers (n,) and landmarks (n, 2, 5, 2), own face first."""
    start = layouts.first_frame(seed, participant, task)
    frames = np.arange(start, start + len(course.level))
    points = []
    for number, frame in enumerate(frames):
        both = render_both(course, number, int(frame), faces, pair)
        for root, (picture, _) in zip((folder / "bp4d", folder / "truth" / "bp4d"), both):
            path = root / layouts.bp4d_image(participant, task, frame, frames[-1])
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        points.append([landmarks for _, landmarks in both])
    layouts.write_bp4d_labels(folder / "bp4d", seed, participant, task, frames, course)
    return frames, np.array(points)


def write_disfa_session(folder, seed, participant, task, course, faces, pair) -> tuple[np.ndarray, np.ndarray]:
    """Video and labels of one participant; frame numbers from 1 (n,) and landmarks (n, 2, 5, 2), own face
    first.
    """
    paths = [root / layouts.disfa_video(participant) for root in (folder / "disfa", folder / "truth" / "disfa")]
    writers = [_video(path, stage.camera.size) for path, stage in zip(paths, pair)]
    points = []
    for number in range(len(course.level)):
        both = render_both(course, number, number + 1, faces, pair)
        for writer, (picture, _) in zip(writers, both):
            writer.write(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
        points.append([landmarks for _, landmarks in both])
    for writer in writers:
        writer.release()
    layouts.write_disfa_labels(folder / "disfa", participant, course)
    return np.arange(1, len(points) + 1), np.array(points)


def _video(path: Path, size: tuple[int, int]) -> cv2.VideoWriter:
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 20.0, size)
    writer.set(cv2.VIDEOWRITER_PROP_QUALITY, JPEG_QUALITY)
    return writer


def _write_landmarks(part: Path, dataset: str, participant: str, task: str, frames, points) -> None:
    """One session's landmarks as Parquet, under its final name only when whole."""
    tables = []
    for number, identity in enumerate(("self", "template")):
        table = pd.DataFrame(points[:, number].reshape(len(frames), 10).astype(np.float32), columns=LANDMARKS)
        table.insert(0, "identity", identity)
        table.insert(0, "frame", frames.astype(np.int32))
        for column, value in (("task", task), ("participant", participant), ("dataset", dataset)):
            table.insert(0, column, value)
        tables.append(table)
    temporary = part.with_suffix(".tmp")
    pd.concat(tables).to_parquet(temporary)
    temporary.replace(part)
