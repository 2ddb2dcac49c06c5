"""Write the two rendered corpora, and beside every frame its exact answer: the same moment on the template's face."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from ..cluster import HERE, Machine
from ..faces.alignment import POINT_COLUMNS
from ..frames import KEYS
from ..template import rank_participants
from . import layouts
from .expressions import Course, make_course
from .face import Face
from .label_statistics import BP4D_COLUMNS
from .people import face_of, make_person, participants
from .processes import TASK_SECONDS, TASKS
from .renderer import Stage, make_stage, render
from .scene import SCENES, Moment, vary_light
from .seeds import generator

CODE_VERSION = 4
JPEG_QUALITY = 92
PARTS = "parts"  # one table of landmarks a finished session; gone when the corpora are whole

Shown = list[tuple[Face, Stage]]  # the participant's own face on its stage, and then the template's


def write_corpora(
    folder: Path,
    *,
    seed: int,
    bp4d_people: int,
    disfa_people: int,
    bp4d_frame_rate: float,
    disfa_frame_rate: float,
    family: str = "",
    machine: Machine = HERE,
) -> None:
    """Write `bp4d/`, `disfa/`, `truth/bp4d/`, `truth/disfa/`, `landmarks.parquet`, `participants.csv` into `folder`.

    The first `bp4d_people` of 41 and `disfa_people` of 27 participants, in a fixed balanced order; 20 seconds of each
    of eight tasks, and 242 seconds of video, at the given frames a second. Truth shows the template (the most
    expressive BP4D participant) making the same expression in the same pose: for BP4D before the same camera and
    light; for DISFA before BP4D's camera in BP4D's usual light, for that is what "on the template's face" means to a
    recogniser. `family`: the folder of another family of faces than the first. Sessions that an interrupted earlier
    call finished are kept.
    """
    (folder / PARTS).mkdir(parents=True, exist_ok=True)
    chosen = [("BP4D", one, bp4d_frame_rate) for one in participants("BP4D", bp4d_people)]
    chosen += [("DISFA", one, disfa_frame_rate) for one in participants("DISFA", disfa_people)]
    template = template_participant(seed, bp4d_people, bp4d_frame_rate)
    jobs = [(str(folder), seed, dataset, one, template, rate, family) for dataset, one, rate in chosen]
    jobs.sort(key=lambda job: job[2], reverse=True)  # the long videos first, so that no processor waits at the end
    machine.run(write_participant, jobs, description="rendering", unit="person")
    write_participants(folder, seed, [(dataset, one) for dataset, one, _ in chosen])
    parts = sorted((folder / PARTS).glob("*.parquet"))
    landmarks = pd.concat([pd.read_parquet(part) for part in parts])
    landmarks.sort_values([*KEYS, "identity"], ignore_index=True).to_parquet(folder / "landmarks.parquet")
    for part in parts:
        part.unlink()
    (folder / PARTS).rmdir()


def write_participants(folder: Path, seed: int, chosen: Sequence[tuple[str, str]]) -> None:
    """`participants.csv`: dataset, participant, gender, skin_type, skin_group."""
    people = [make_person(seed, dataset, one) for dataset, one in sorted(chosen)]
    columns = ["dataset", "participant", "gender", "skin_type", "skin_group"]
    table = pd.DataFrame([[getattr(one, name) for name in columns] for one in people], columns=columns)
    table.to_csv(folder / "participants.csv", index=False)


def template_participant(seed: int, bp4d_people: int, bp4d_frame_rate: float) -> str:
    """Who is the template: the paper's rule (section 3.2) on the labels that these settings give."""
    counts = {one: _activation_counts(seed, one, bp4d_frame_rate) for one in participants("BP4D", bp4d_people)}
    return str(rank_participants(pd.DataFrame.from_dict(counts, orient="index")).index[0])


def _activation_counts(seed: int, participant: str, frame_rate: float) -> np.ndarray:
    """Frames with each of BP4D's action units, (12,), over all tasks of one participant."""
    person = make_person(seed, "BP4D", participant)
    levels = [make_course(seed, person, task, TASK_SECONDS["BP4D"], frame_rate).level for task in TASKS["BP4D"]]
    return (np.concatenate(levels)[:, BP4D_COLUMNS] > 0).sum(axis=0)


def on_stages(seed: int, dataset: str, scene: tuple[str | int, ...], face: Face, template: Face) -> Shown:
    """A participant and the template before the camera of `dataset`; the names of the `scene` vary its light and wall.

    Both are in the same scene, but for DISFA the template is in BP4D's usual one.
    """
    camera, light = SCENES[dataset]
    light = vary_light(light, generator(seed, "light", *scene), 1.0)
    own = make_stage(face, camera, light, generator(seed, "wall", *scene))
    return [(face, own), (template, answer_stage(seed, dataset, scene, template))]


def answer_stage(seed: int, dataset: str, scene: tuple[str | int, ...], template: Face) -> Stage:
    """The template's stage of `on_stages`: where exact answers are drawn."""
    camera, light = SCENES["BP4D"]
    if dataset != "DISFA":
        light = vary_light(light, generator(seed, "light", *scene), 1.0)
    return make_stage(template, camera, light, generator(seed, "wall", *scene))


def render_both(shown: Shown, moment: Moment, grain: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Picture and landmarks of a moment on the participant's own face and on the template's."""
    return [render(face, stage, moment, grain) for face, stage in shown]


def write_participant(
    folder: str, seed: int, dataset: str, participant: str, template: str, frame_rate: float, family: str = ""
) -> int:
    """Render one participant's sessions that are not there yet; how many frames were rendered. One job of a cluster."""
    cv2.setNumThreads(1)
    write = write_bp4d_session if dataset == "BP4D" else write_disfa_session
    rendered = 0
    for task in TASKS[dataset]:
        session = (dataset, participant, task)
        part = Path(folder) / PARTS / f"{'-'.join(session)}.parquet"
        if part.exists():
            continue
        course = make_course(seed, make_person(seed, dataset, participant), task, TASK_SECONDS[dataset], frame_rate)
        faces = face_of(seed, dataset, participant, family), face_of(seed, "BP4D", template, family)
        shown = on_stages(seed, dataset, session, *faces)
        frames, points = write(Path(folder), seed, participant, task, course, shown)
        _write_landmarks(part, session, frames, points)
        rendered += len(frames)
    return rendered


def write_bp4d_session(folder, seed, participant, task, course: Course, shown: Shown) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of one task; frame numbers (n,) and landmarks (n, 2, 5, 2), own face first."""
    start = layouts.first_frame(seed, participant, task)
    frames = np.arange(start, start + len(course.level))
    points = []
    for number, frame in enumerate(frames.tolist()):
        both = render_both(shown, course.moment(number), frame)
        for root, (picture, _) in zip((folder / "bp4d", folder / "truth" / "bp4d"), both):
            path = root / layouts.bp4d_image(participant, task, frame, frames[-1])
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        points.append([landmarks for _, landmarks in both])
    layouts.write_bp4d_labels(folder / "bp4d", seed, participant, task, frames, course)
    return frames, np.array(points)


def write_disfa_session(folder, seed, participant, task, course: Course, shown: Shown) -> tuple[np.ndarray, np.ndarray]:
    """Video and labels of one participant; frame numbers from 1 (n,) and landmarks (n, 2, 5, 2), own face first."""
    frames = np.arange(1, len(course.level) + 1)
    paths = [root / layouts.disfa_video(participant) for root in (folder / "disfa", folder / "truth" / "disfa")]
    writers = [open_video(path, stage.camera.size) for path, (_, stage) in zip(paths, shown)]
    points = []
    for number, frame in enumerate(frames.tolist()):
        both = render_both(shown, course.moment(number), frame)
        for writer, (picture, _) in zip(writers, both):
            writer.write(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
        points.append([landmarks for _, landmarks in both])
    for writer in writers:
        writer.release()
    layouts.write_disfa_labels(folder / "disfa", participant, course)
    return frames, np.array(points)


def open_video(path: Path, size: tuple[int, int]) -> cv2.VideoWriter:
    """A video to be written at `path`, of colour pictures of (width, height), compressed as DISFA's are here."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20.0, size)
    writer.set(cv2.VIDEOWRITER_PROP_QUALITY, JPEG_QUALITY)
    return writer


def _write_landmarks(part: Path, session: tuple[str, str, str], frames: np.ndarray, points: np.ndarray) -> None:
    """One session's landmarks (n, 2, 5, 2) as Parquet, under its final name only when whole."""
    keys = dict(zip(KEYS, (*session, frames.astype(np.int32))))
    columns = points.reshape(len(frames), 2, 10).astype(np.float32).T
    tables = [
        pd.DataFrame({**keys, "identity": identity, **dict(zip(POINT_COLUMNS, columns[:, number]))})
        for number, identity in enumerate(("self", "template"))
    ]
    temporary = part.with_suffix(".tmp")
    pd.concat(tables).to_parquet(temporary)
    temporary.replace(part)
