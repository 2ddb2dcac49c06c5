"""The rendered corpora's files, in the folders and formats in which BP4D and DISFA are handed to licensees."""

from pathlib import Path

import numpy as np

from .expressions import Course
from .label_statistics import BP4D_COLUMNS, BP4D_INTENSITY_UNITS, BP4D_UNITS, DISFA_UNITS, UNITS
from .seeds import generator

BP4D_IMAGES = "Sequences(2D+3D)"
UNCODABLE = 9  # a code that could not be given, or an action unit that is not coded
OCCURRENCE_COLUMNS = 100  # the frame, action units 1 to 98, the flag of an unreliable frame
LONG_SESSION = 1000  # from this frame number on, a session's image names have four digits


def first_frame(seed: int, participant: str, task: str) -> int:
    """Number of a BP4D session's first coded frame: 1 in about a third of the sessions, else anywhere up to 2400."""
    draw = generator(seed, "first frame", participant, task)
    return 1 if draw.random() < 118 / 328 else int(draw.integers(2, 2400))


def bp4d_image(participant: str, task: str, frame: int, last: int) -> str:
    """Path of an image below the root of BP4D; the padding is the session's, by its last frame number."""
    digits = 4 if last >= LONG_SESSION else 3
    return f"{BP4D_IMAGES}/{participant}/{task}/{frame:0{digits}d}.jpg"


def disfa_video(participant: str) -> str:
    """Path of the left camera's video below the root of DISFA."""
    return f"Videos_LeftCamera/LeftVideo{participant}_comp.avi"


def _write(path: Path, rows: np.ndarray, header: str = "") -> None:
    """Rows of whole numbers as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(path, rows, fmt="%d", delimiter=",", comments="", header=header)


def write_bp4d_labels(root: Path, seed: int, participant: str, task: str, frames: np.ndarray, course: Course) -> None:
    """Occurrence and intensity CSVs of one session; `frames` are the label frame numbers."""
    table = np.full((len(frames), OCCURRENCE_COLUMNS), UNCODABLE)
    table[:, 0], table[:, -1] = frames, 0
    table[:, BP4D_UNITS] = course.level[:, BP4D_COLUMNS] > 0
    header = ",".join(map(str, range(OCCURRENCE_COLUMNS)))
    _write(root / "AUCoding" / "AU_OCC" / f"{participant}_{task}.csv", table, header)
    for unit in BP4D_INTENSITY_UNITS:
        level = _uncodable(course.level[:, UNITS.index(unit)], generator(seed, "uncodable", participant, task, unit))
        path = root / "AUCoding" / "AU_INT" / f"AU{unit:02d}" / f"{participant}_{task}_AU{unit:02d}.csv"
        _write(path, np.stack([frames, level], axis=1))


def _uncodable(level: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Intensity with a short stretch marked 9 (could not be coded) in one session of twenty."""
    start, share = draw.random(), draw.uniform(0.03, 0.12)
    if draw.random() < 0.05:
        level = level.copy()
        level[int(start * len(level)) : int(start * len(level) + share * len(level)) + 1] = UNCODABLE
    return level


def write_disfa_labels(root: Path, participant: str, course: Course) -> None:
    """One text file an action unit, "frame,intensity" with frames from 1; SN010 lacks its last row, as in DISFA."""
    rows = len(course.level) - (participant == "SN010")
    for unit in DISFA_UNITS:
        path = root / "ActionUnit_Labels" / participant / f"{participant}_au{unit}.txt"
        _write(path, np.stack([np.arange(1, rows + 1), course.level[:rows, UNITS.index(unit)]], axis=1))
