"""BP4D-Spontaneous as licensees receive it: numbered images per participant and task, occurrence and intensity CSVs.

Nothing is found by its folder's name: images are numbers below `<participant>/<task>`, label files are known by their
own names. Columns come from each header, rows are joined by frame number, code 9 is missing.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import StudyError
from ..frames import BP4D_ACTION_UNITS, BP4D_INTENSITIES, MISSING, Loaded, locate, session_frames
from ..frames import BP4D_PARTICIPANTS as PARTICIPANTS
from ..frames import BP4D_TASKS as TASKS
from .codes import Codes, by_frame, known_codes, odd_notices, read_numbers
from .files import Key, Scan, SessionImages, scan

CODE_VERSION = 1  # raise when the same files would be read otherwise

FLAG_COLUMN = 99  # "whole face unreliable or occluded"

_SESSION_FOLDER = re.compile(r"(?:^|/)([FM]\d{3})[/_-](T\d{1,2})$", re.IGNORECASE)
_FERA_2015 = re.compile(r"(?:^|/)(BP4D-(?:training|devel(?:opment)?|test))(?=/|$)", re.IGNORECASE)
_HEADER_CELL = re.compile(r"(?:AU)?0*(\d+)", re.IGNORECASE)
_BP4D_PLUS = "this is BP4D+ (140 people, another set of codes), which the study does not read; give BP4D-Spontaneous"


@dataclass
class Files:
    """What one pass over a BP4D folder found, by (participant, task) and, for intensities, action unit; paths are
    relative to `root`."""

    root: Path
    images: dict[Key, SessionImages] = field(default_factory=dict)
    occurrence: dict[Key, str] = field(default_factory=dict)
    intensity: dict[Key, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)

    @property
    def people(self) -> set[str]:
        """Of whom there are images or codes."""
        return {participant for participant, _ in {*self.images, *self.occurrence}}


def scan_bp4d(root: str | Path) -> Files:
    """One pass over `root`: where each session's images, occurrence and intensity codes are.

    Raises StudyError for BP4D+, the FERA-2015 and FERA-2017 packagings, DISFA, two files or folders of one session.
    """
    found = scan(root, "BP4D")
    _refuse_fera(found)
    files = Files(found.root)
    files.images = found.images(_session_of, "images", files.notices)
    for images in files.images.values():
        if len(images.digits) > 1:
            digits = sorted(images.digits)
            files.notices.append(f"{images.folder}: names of {digits} digits in one session; read by number")
    _refuse_others(found, files)
    files.occurrence = found.choose("BP4D occurrence", "occurrence", preferred="AU_OCC")
    files.intensity = found.choose("BP4D intensity", "intensity", preferred="AU_INT")
    return files


def _session_of(folder: str) -> Key | None:
    match = _SESSION_FOLDER.search(folder)
    return (match[1].upper(), match[2].upper()) if match else None


def _refuse_fera(found: Scan) -> None:
    unread = "packaging of BP4D, which the study does not read; give BP4D-Spontaneous"
    for folder, _ in found.folders:
        if match := _FERA_2015.search(folder):
            raise StudyError(
                f"{found.root}: folder {match[1]} is the FERA-2015 {unread} (if these are its own sequences, name the "
                "folder 'Sequences(2D+3D)')"
            )
    for path in found.files["FERA-2017"][()]:
        raise StudyError(f"{found.root}: {path} is the FERA-2017 {unread}")


def _refuse_others(found: Scan, files: Files) -> None:
    root, images, codes = found.root, files.images, found.files["BP4D occurrence"]
    sessions = sorted({*images, *codes})
    strangers = [f"{person} {task}" for person, task in sessions if person not in PARTICIPANTS or task not in TASKS]
    if not sessions and found.files["DISFA labels"]:
        raise StudyError(f"{root} holds DISFA's label files, not BP4D's; give it as DISFA")
    if strangers:
        raise StudyError(f"{root}: {strangers[0]} is no session of BP4D; {_BP4D_PLUS}")
    if not images:
        found.refuse_archives("images")
    if not sessions:
        raise StudyError(
            f"{root} holds nothing of BP4D: no F001_T1.csv and no F001/T1/<number>.jpg anywhere below; "
            "give the folder you unpacked it into"
        )
    if not images:
        raise StudyError(
            f"{root} holds BP4D's codes but no images; give the folder above both the sequences and AUCoding"
        )
    if not codes:
        raise StudyError(
            f"{root} holds BP4D's images but no occurrence codes (F001_T1.csv, …); unpack AUCoding into it"
        )


def header_columns(cells: list[str], path: Path) -> dict[int, int]:
    """Action unit number -> column, from an occurrence file's header. Column 0 is the frame whatever its cell says.

    Raises StudyError where a cell is no number, an action unit occurs twice, or the header is BP4D+'s.
    """
    numbers = [int(match[1]) if (match := _HEADER_CELL.fullmatch(cell)) else None for cell in cells[1:]]
    if cells and cells[0] == "1" and 1 in numbers and 39 in numbers and len(cells) < 50:
        raise StudyError(f"{path}: header of {len(cells)} columns beginning 1,1,2: {_BP4D_PLUS}")
    if not numbers or None in numbers:
        bad = cells[1:][numbers.index(None)] if numbers else ""
        raise StudyError(f"{path}: header cell {bad!r} is no action unit number; expected the first line 0,1,2,…,99")
    columns = {number: column for column, number in enumerate(numbers, start=1) if number is not None}
    if len(columns) < len(numbers):
        twice = next(number for number in numbers if numbers.count(number) > 1)
        raise StudyError(f"{path}: the first line is no header (column {twice} occurs twice); expected 0,1,2,…,99")
    return columns


def read_codes(files: Files, session: Key) -> Codes:
    """Occurrence and intensity of one session, by frame number.

    Raises StudyError for a damaged file. Codes other than those of the manual are missing, and counted in `odd`.
    """
    path = files.root / files.occurrence[session]
    header, values = read_numbers(path, header=True)
    odd: Counter[str] = Counter()
    if not len(values):
        return Codes(np.empty(0, np.int64), {}, odd)
    columns = header_columns(header, path)
    values = by_frame(values, path, first_line=2)
    frame, codes = values[:, 0], {}
    for unit in BP4D_ACTION_UNITS:
        column = columns.get(int(unit[2:]))
        if column is None:
            odd[f"files without a column for {unit}"] += 1
        else:
            codes[unit] = known_codes(values[:, column], 1, "occurrence", odd)
    if FLAG_COLUMN in columns:
        odd["frames flagged unreliable in column 99, kept"] += int((values[:, columns[FLAG_COLUMN]] == 1).sum())
    odd["frame numbers missing inside the coded block"] += int(frame[-1] - frame[0] + 1 - len(frame))
    for unit in BP4D_INTENSITIES:
        if (*session, unit) in files.intensity:
            codes[f"{unit}_intensity"] = _intensity(files.root / files.intensity[(*session, unit)], frame, odd)
        else:
            odd[f"sessions without an intensity file for {unit}"] += 1
    return Codes(frame, codes, odd)


def _intensity(path: Path, frame: np.ndarray, odd: Counter[str]) -> np.ndarray:
    """The intensities of one file, int8 row by row with the occurrences' `frame` (n,)."""
    _, values = read_numbers(path, header=False)
    if len(values) and values[0, 0] < 0:
        values = values[1:]
        odd["intensity files with a first line that is no frame, passed over"] += 1
    result = np.full(len(frame), MISSING, np.int8)
    if not len(values):
        odd["empty intensity files"] += 1
        return result
    if values.shape[1] < 2:
        raise StudyError(f"{path}: one column, expected frame,intensity; take the file anew")
    values = by_frame(values, path)
    at, shared = locate(frame, values[:, 0])
    result[at[shared]] = known_codes(values[shared, 1], 5, "intensity", odd)
    odd["intensity rows without an occurrence row"] += int((~shared).sum())
    odd["occurrence rows without an intensity row"] += len(frame) - int(shared.sum())
    return result


def read_bp4d(root: str | Path, *, frame_offset: int = 0) -> Loaded:
    """The frame table of a BP4D folder. `frame_offset` is the image's number minus the label's frame number: 0 (the
    literature's majority) or -1 (labels from 1, images from 0); `deepfn check` compares the two.

    Rows without an image are excluded and counted; sessions with images and no codes too. Raises StudyError for a
    folder that is not BP4D, a damaged label file, a doubled session or frame, and where no row has an image.
    """
    files = scan_bp4d(root)
    parts, excluded, other = [], [], 0
    odd: Counter[str] = Counter()
    for person, task in sorted({*files.images, *files.occurrence}):
        images = files.images.get((person, task))
        if images and (person, task) not in files.occurrence:
            excluded.append((person, task, "images without an occurrence file", len(images.numbers)))
            continue
        codes = read_codes(files, (person, task))
        odd.update(codes.odd)
        if not len(codes.frame):
            excluded.append((person, task, "occurrence file without rows", 0))
            continue
        if not images:
            excluded.append((person, task, "no image folder for this session", len(codes.frame)))
            continue
        found, sources = images.sources(codes.frame + frame_offset)
        if not found.all():
            excluded.append((person, task, "no image for the label frame", int((~found).sum())))
            other += int(images.sources(codes.frame - 1 - frame_offset)[0].sum()) - int(found.sum())
        kept = {name: values[found] for name, values in codes.codes.items()}
        parts.append(session_frames("BP4D", person, task, codes.frame[found], sources, -1, kept))
    if not any(map(len, parts)):
        raise StudyError(
            f"{root}: no label row has its image (frame_offset {frame_offset}); `deepfn check --bp4d {root}` says more"
        )
    notices = [f"BP4D {notice}" for notice in files.notices] + odd_notices("BP4D", odd) + _incomplete(files)
    if other > 0:
        better = -1 - frame_offset
        notices.append(
            f"BP4D: frame_offset {better} would find {other} more images than {frame_offset}; see `deepfn check`"
        )
    return Loaded.of("BP4D", parts, excluded, files.people, notices)


def _incomplete(files: Files) -> list[str]:
    notices, official = [], len(PARTICIPANTS) * len(TASKS)
    coded = len(files.images.keys() & files.occurrence.keys())
    if coded < official:
        notices.append(f"BP4D: {coded} of {official} sessions have both images and codes")
    orphans = {key[:2] for key in files.intensity} - set(files.occurrence)
    if orphans:
        notices.append(f"BP4D, sessions with intensity but no occurrence codes: {len(orphans)}")
    return notices
