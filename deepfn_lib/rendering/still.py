"""The exact answers with the head held still: the same moments on the template's face, in the same scenes, face on.

A frame's picture differs from its answer in the corpora by the pose alone: it has the same expression and gaze, light,
wall and camera grain, goes through the same compression, and is cut by its own exact points.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from ..artefacts import replacing
from ..cluster import HERE, Machine
from ..errors import StudyError
from ..faces.alignment import cut
from ..faces.sources import grey_frames
from ..frames import KEYS
from . import layouts
from .corpora import JPEG_QUALITY, answer_stage, open_video, template_participant
from .expressions import make_course
from .face import Face
from .people import face_of, make_person
from .processes import TASK_SECONDS
from .renderer import Stage, render
from .scene import Moment

CODE_VERSION = 1
FILE = "faces.npy"
PARTS = "sessions"  # one file a finished session; gone when all are joined

Session = tuple[str, str, np.ndarray]  # the file to write, the task, and the numbers (n,) of its frames


def write_still(
    folder: Path,
    frames: pd.DataFrame,
    *,
    seed: int,
    bp4d_people: int,
    bp4d_frame_rate: float,
    disfa_frame_rate: float,
    crop_size: int,
    alignment: str,
    family: str = "",
    machine: Machine = HERE,
) -> None:
    """Write `faces.npy`, uint8 (len(frames), crop_size, crop_size), row by row with `frames`, into `folder`.

    `frames` is a frame table (`frames.COLUMNS`) of the corpora that `corpora.write_corpora` writes with the same seed,
    number of people, frame rates and family, in any order, with any rows left out. One job a participant; sessions that
    an interrupted earlier call finished are kept.
    """
    parts = folder / PARTS
    parts.mkdir(parents=True, exist_ok=True)
    template = template_participant(seed, bp4d_people, bp4d_frame_rate)
    rates = {"BP4D": bp4d_frame_rate, "DISFA": disfa_frame_rate}
    spans: list[tuple[np.ndarray, Path]] = []
    missing: dict[tuple[str, str], list[Session]] = {}
    for (dataset, participant, task), rows in frames.groupby(list(KEYS[:3]), sort=True).indices.items():
        part = parts / f"{dataset}-{participant}-{task}.npy"
        spans.append((rows, part))
        if not part.exists():
            session = str(part), str(task), frame_numbers(frames.iloc[rows])
            missing.setdefault((str(dataset), str(participant)), []).append(session)
    jobs = [
        (seed, dataset, one, template, rates[dataset], crop_size, alignment, sessions, family)
        for (dataset, one), sessions in missing.items()
    ]
    jobs.sort(key=lambda job: job[1], reverse=True)  # the long videos first, so that no processor waits at the end
    if jobs:
        machine.run(render_participant, jobs, description="heads held still", unit="person")
    np.lib.format.open_memmap(folder / FILE, mode="w+", dtype=np.uint8, shape=(len(frames), crop_size, crop_size))
    for rows, part in spans:
        # Opened anew for each session: what a map has touched stays in the process's memory until it closes.
        np.load(folder / FILE, mmap_mode="r+")[rows] = np.load(part)
    for part in parts.iterdir():
        part.unlink()
    parts.rmdir()


def frame_numbers(frames: pd.DataFrame) -> np.ndarray:
    """Which frame of its session the picture of each row shows, int (n,), as the corpora number them; the rows are of
    one session."""
    index = frames["source_index"].to_numpy()
    if index[0] >= 0:
        return index + 1  # of a video, whose frames are numbered from 1
    return np.array([int(Path(source).stem) for source in frames["source"]])


def render_participant(
    seed: int,
    dataset: str,
    participant: str,
    template: str,
    frame_rate: float,
    size: int,
    mode: str,
    sessions: list[Session],
    family: str = "",
) -> int:
    """Render one participant's sessions, each into its file; how many pictures. One job of a cluster."""
    cv2.setNumThreads(1)
    person, face = make_person(seed, dataset, participant), face_of(seed, "BP4D", template, family)
    for part, task, numbers in sessions:
        course = make_course(seed, person, task, TASK_SECONDS[dataset], frame_rate)
        first = layouts.first_frame(seed, participant, task) if dataset == "BP4D" else 1
        stage = answer_stage(seed, dataset, (dataset, participant, task), face)
        shown = [(number, held(course.moment(number - first))) for number in numbers.tolist()]
        pictures = cut_moments(face, stage, shown, dataset, Path(part), size, mode)
        with replacing(Path(part)) as stream:
            np.save(stream, pictures)
    return sum(len(numbers) for _, _, numbers in sessions)


def held(moment: Moment) -> Moment:
    """The same expression and gaze with the head in its middle place, towards the camera."""
    return replace(moment, yaw=0.0, pitch=0.0, roll=0.0, shift=(0.0, 0.0, 0.0))


def cut_moments(
    face: Face, stage: Stage, shown: list[tuple[int, Moment]], dataset: str, part: Path, size: int, mode: str
) -> np.ndarray:
    """Frames of one session (number and moment) on a face, uint8 (n, size, size), cut by their exact points.

    The frame's number chooses its grain, and pictures are compressed as `dataset`'s, so that at the same pose they are
    the corpora's answers. A video beside `part` comes and goes.
    """
    points = []

    def drawn() -> Iterator[np.ndarray]:
        for number, moment in shown:
            picture, five = render(face, stage, moment, number)
            points.append(five.astype(np.float32))
            yield picture

    stored = _as_images(drawn()) if dataset == "BP4D" else _as_video(drawn(), part.with_suffix(".avi"), stage)
    return np.array([cut(picture, points[row], size, mode) for row, picture in enumerate(stored)])


def _as_images(pictures: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """The pictures as they come out of BP4D's files."""
    for picture in pictures:
        _, stored = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        yield np.asarray(cv2.imdecode(stored, cv2.IMREAD_GRAYSCALE))


def _as_video(pictures: Iterable[np.ndarray], path: Path, stage: Stage) -> Iterator[np.ndarray]:
    """The pictures as they come out of DISFA's videos. Raises StudyError where one does not."""
    writer, count = open_video(path, stage.camera.size), 0
    for picture in pictures:
        writer.write(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
        count += 1
    writer.release()
    for _, image, reason in grey_frames(path.parent, [path.name], np.arange(count)):
        if image is None:
            raise StudyError(f"{path.name}, written a moment ago: {reason}; is the disk full?")
        yield image
    path.unlink()
