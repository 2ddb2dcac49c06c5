"""The rendered corpora's files, in the folders and formats in which BP4D and DISFA are handed to licensees."""

from pathlib import Path

import numpy as np

from . import label_statistics as p
from .expressions import Course
from .seeds import generator

BP4D_IMAGES = "Sequences(2D+3D)"
BP4D_COLUMNS = 100
MISSING = 9
LONG_SESSION = 1000  # from this frame number on, a session's image names have four digits


def first_frame(seed: int, participant: str, task: str) -> int:
    """Number of a BP4D session's first coded frame: 1 in about a third of the sessions, else anywhere up to
    2400.
    """
    draw = generator(seed, "first frame", participant, task)
    return 1 if draw.random() < 118 / 328 else int(draw.integers(2, 2400))


def bp4d_image(participant: str, task: str, frame: int, last: int) -> str:
    """Path of an image below the root of BP4D; the padding is the session's, by its last frame number."""
    digits = 4 if last >= LONG_SESSION else 3
    return f"{BP4D_IMAGES}/{participant}/{task}/{frame:0{digits}d}.jpg"


def disfa_video(participant: str) -> str:
    """Path of the left camera's video below the root of DISFA."""
    return f"Videos_LeftCamera/LeftVideo{participant}_comp.avi"


def disfa_labels(participant: str, unit: int) -> str:
    return f"ActionUnit_Labels/{participant}/{participant}_au{unit}.txt"


def write_bp4d_labels(root: Path, seed: int, participant: str, task: str, frames: np.ndarray, course: Course) -> None:
    """Occurrence and intensity CSVs of one session; `frames` are the label frame numbers."""
    present = (course.level > 0).astype(int)
    table = np.full((len(frames), BP4D_COLUMNS), MISSING)
    table[:, 0], table[:, -1] = frames, 0
    for unit in p.BP4D_UNITS:
        table[:, unit] = present[:, p.UNITS.index(unit)]
    path = root / "AUCoding" / "AU_OCC" / f"{participant}_{task}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(path, table, fmt="%d", delimiter=",", comments="", header=",".join(map(str, range(BP4D_COLUMNS))))
    for unit in p.BP4D_INTENSITY_UNITS:
        level = course.level[:, p.UNITS.index(unit)].astype(int)
        level = _uncodable(level, generator(seed, "uncodable", participant, task, unit))
        path = root / "AUCoding" / "AU_INT" / f"AU{unit:02d}" / f"{participant}_{task}_AU{unit:02d}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savetxt(path, np.stack([frames, level], axis=1), fmt="%d", delimiter=",")


def _uncodable(level: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Intensity with a short stretch marked 9 (could not be coded) in one session of twenty."""
    start, share = draw.random(), draw.uniform(0.03, 0.12)
    if draw.random() < 0.05:
        level = level.copy()
        level[int(start * len(level)) : int(start * len(level) + share * len(level)) + 1] = MISSING
    return level


def write_disfa_labels(root: Path, participant: str, course: Course) -> None:
    """One text file an action unit, "frame,intensity" with frames from 1; SN010 lacks its last row, as in
    DISFA.
    """
    rows = len(course.level) - (participant == "SN010")
    for unit in p.DISFA_UNITS:
        path = root / disfa_labels(participant, unit)
        path.parent.mkdir(parents=True, exist_ok=True)
        level = course.level[:rows, p.UNITS.index(unit)].astype(int)
        np.savetxt(path, np.stack([np.arange(1, rows + 1), level], axis=1), fmt="%d", delimiter=",")
