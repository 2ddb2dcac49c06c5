"""BP4D-Spontaneous as licensees receive it: numbered images per participant and task, occurrence and
intensity CSVs.

Nothing is found by its folder's name: images are numbers below `<participant>/<task>`, label files are known
by their own names. Columns come from each header, rows are joined by frame number, code 9 is missing.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import StudyError
from ..frames import (
    BP4D_ACTION_UNITS,
    BP4D_INTENSITIES,
    MISSING,
    Loaded,
    exclusion_table,
    join_sessions,
    participant_table,
    session_frames,
)
from .files import SessionImages, choose_file, existing_folder, numbered_images, read_numbers, walk

PARTICIPANTS = tuple([f"F{n:03d}" for n in range(1, 24)] + [f"M{n:03d}" for n in range(1, 19)])
TASKS = tuple(f"T{n}" for n in range(1, 9))
UNCODABLE = 9
FLAG_COLUMN = 99  # "whole face unreliable or occluded"

_SESSION_FOLDER = re.compile(r"(?:^|/)([FM]\d{3})[/_-](T\d{1,2})$", re.IGNORECASE)
_OCCURRENCE = re.compile(r"^([FM]\d{3})_(T\d{1,2})\.csv$", re.IGNORECASE)
_INTENSITY = re.compile(r"^([FM]\d{3})_(T\d{1,2})_AU(\d{1,2})\.csv$", re.IGNORECASE)
_FERA_2017 = re.compile(r"^FERA17_", re.IGNORECASE)
_FERA_2015 = re.compile(r"(?:^|/)BP4D-(training|devel(opment)?|test)(?=/|$)", re.IGNORECASE)
_BP4D_PLUS = "this is BP4D+ (140 people, another set of codes), which the study does not read; give BP4D-Spontaneous"

Session = tuple[str, str]


@dataclass
class Files:
    """What one pass over a BP4D folder found; paths are relative to `root`."""

    root: Path
    images: dict[Session, SessionImages] = field(default_factory=dict)
    occurrence: dict[Session, str] = field(default_factory=dict)
    intensity: dict[tuple[str, str, str], str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


@dataclass
class Codes:
    """One session's labels: `frame` int64 (n,) ascending; `codes` maps columns to int8 (n,); what was odd,
    counted."""

    frame: np.ndarray
    codes: dict[str, np.ndarray]
    odd: Counter


def scan_bp4d(root: str | Path) -> Files:
    """One pass over `root`: where each session's images, occurrence and intensity codes are. Opens label
    files only where there are two of the same name.

    Raises StudyError for BP4D+, the FERA-2015 and FERA-2017 packagings, DISFA, two files or folders of one
    session.
    """
    root = existing_folder(root, "BP4D")
    files = Files(root)
    occurrence: dict[Session, list[str]] = {}
    intensity: dict[tuple[str, str, str], list[str]] = {}
    archives, disfa = [], 0
    for folder, names in walk(root):
        if match := _FERA_2015.search(folder):
            raise StudyError(
                f"{root}: folder {match.group(0).strip('/')} is the FERA-2015 packaging of BP4D, which the "
                "study "
                "does not read; give BP4D-Spontaneous (if these are its own sequences, name the folder "
                "'Sequences(2D+3D)')"
            )
        session = _SESSION_FOLDER.search(folder)
        if session:
            _take_images(files, (session[1].upper(), session[2].upper()), folder, names)
        for name in names:
            lower = name.lower()
            if lower.endswith(".csv"):
                path = f"{folder}/{name}" if folder else name
                if match := _OCCURRENCE.match(name):
                    occurrence.setdefault((match[1].upper(), match[2].upper()), []).append(path)
                elif match := _INTENSITY.match(name):
                    key = (match[1].upper(), match[2].upper(), f"AU{int(match[3]):02d}")
                    intensity.setdefault(key, []).append(path)
                elif _FERA_2017.match(name):
                    raise StudyError(
                        f"{root}: {name} is the FERA-2017 packaging of BP4D, which the study does not read; "
                        "give BP4D-Spontaneous"
                    )
            elif lower.endswith((".zip", ".tar", ".7z", ".rar", ".tar.gz")):
                archives.append(name)
            elif lower.endswith(".txt") and re.match(r"sn\d{3}_au\d+\.txt$", lower):
                disfa += 1
    _refuse_others(files, {*files.images, *occurrence}, archives, disfa, bool(occurrence))
    for key, paths in sorted(occurrence.items()):
        files.occurrence[key] = choose_file(root, paths, f"occurrence of {' '.join(key)}", preferred="AU_OCC")
    for key, paths in sorted(intensity.items()):
        files.intensity[key] = choose_file(root, paths, f"intensity of {' '.join(key)}", preferred="AU_INT")
    return files


def _take_images(files: Files, session: Session, folder: str, names: list[str]) -> None:
    found = numbered_images(folder, names, files.root)
    if found is None:
        return
    if found.ignored:
        files.notices.append(f"{folder}: {found.ignored} images without a frame number as their name were left alone")
    if len(found.padding) > 1:
        files.notices.append(f"{folder}: names of {sorted(found.padding)} digits in one session; read by number")
    if not len(found.numbers):
        return
    if session in files.images:
        raise StudyError(
            f"images of {' '.join(session)} are in {files.images[session].folder} and in {folder}; "
            f"keep one of them in {files.root}, or give the folder that holds only one copy"
        )
    files.images[session] = found


def _refuse_others(files: Files, sessions: set[Session], archives: list[str], disfa: int, coded: bool) -> None:
    root = files.root
    if disfa and not sessions:
        raise StudyError(f"{root} holds DISFA's label files, not BP4D's; give it as DISFA")
    for participant, task in sorted(sessions):
        if participant not in PARTICIPANTS or task not in TASKS:
            raise StudyError(f"{root}: {participant} {task} is no session of BP4D; {_BP4D_PLUS}")
    if archives and not files.images:
        raise StudyError(
            f"{root} holds archives ({archives[0]}, {len(archives)} in all) and no images; unpack them first"
        )
    if not files.images and not coded:
        raise StudyError(
            f"{root} holds nothing of BP4D: no F001_T1.csv and no F001/T1/<number>.jpg anywhere below; "
            "give the folder you unpacked it into"
        )
    if not files.images:
        raise StudyError(
            f"{root} holds BP4D's codes but no images; give the folder above both the sequences and AUCoding"
        )
    if not coded:
        raise StudyError(
            f"{root} holds BP4D's images but no occurrence codes (F001_T1.csv, …); unpack AUCoding into it"
        )


def header_columns(cells: list[str], path: Path) -> dict[int, int]:
    """Action unit number -> column, from an occurrence file's header. Column 0 is the frame whatever its cell
    says.

    Raises StudyError where a cell is no number, an action unit occurs twice, or the header is BP4D+'s.
    """
    numbers = [
        match and int(match[1]) for match in (re.match(r"^(?:AU)?0*(\d+)$", cell, re.IGNORECASE) for cell in cells[1:])
    ]
    if cells and cells[0] == "1" and 1 in numbers and 39 in numbers and len(cells) < 50:
        raise StudyError(f"{path}: header of {len(cells)} columns beginning 1,1,2: {_BP4D_PLUS}")
    if not numbers or None in numbers:
        bad = cells[1:][numbers.index(None)] if numbers else ""
        raise StudyError(f"{path}: header cell {bad!r} is no action unit number; expected the first line 0,1,2,…,99")
    twice = [number for number, count in Counter(numbers).items() if count > 1]
    if twice:
        raise StudyError(f"{path}: the first line is no header (column {twice[0]} occurs twice); expected 0,1,2,…,99")
    return {number: column for column, number in enumerate(numbers, start=1)}


def _frame_numbers(values: np.ndarray, path: Path, first_line: int) -> np.ndarray:
    """Order of the rows by frame number. Raises StudyError for rows without one, and for two rows of one
    frame."""
    bad = np.flatnonzero(values[:, 0] < 0)
    if len(bad):
        raise StudyError(f"{path}: row {bad[0] + first_line} has no frame number; mend the row or take the file anew")
    order = np.argsort(values[:, 0], kind="stable")
    twice = np.flatnonzero(np.diff(values[order, 0]) == 0)
    if len(twice):
        raise StudyError(
            f"{path}: frame {values[order[twice[0]], 0]} has two rows ({len(twice)} such frames); take the file anew"
        )
    return order


def read_codes(files: Files, session: Session) -> Codes:
    """Occurrence and intensity of one session, by frame number.

    Raises StudyError for a damaged file. Codes other than those of the manual are missing, and counted in
    `odd`.
    """
    path = files.root / files.occurrence[session]
    table = read_numbers(path, header=True)
    odd: Counter = Counter()
    if not len(table.values):
        return Codes(np.empty(0, np.int64), {}, odd)
    columns = header_columns(table.header or [], path)
    values = table.values[_frame_numbers(table.values, path, 2)]
    frame, codes = values[:, 0], {}
    for unit in BP4D_ACTION_UNITS:
        column = columns.get(int(unit[2:]))
        if column is None:
            odd[f"files without a column for {unit}"] += 1
            continue
        codes[unit] = _known(values[:, column], (0, 1), odd, "occurrence")
    if FLAG_COLUMN in columns:
        odd["frames flagged unreliable in column 99, kept"] += int((values[:, columns[FLAG_COLUMN]] == 1).sum())
    holes = int(frame[-1] - frame[0] + 1 - len(frame))
    if holes:
        odd["frame numbers missing inside the coded block"] += holes
    for unit in BP4D_INTENSITIES:
        if (*session, unit) in files.intensity:
            codes[f"{unit}_intensity"] = _intensity(files, session, unit, frame, odd)
        else:
            odd[f"sessions without an intensity file for {unit}"] += 1
    return Codes(frame, codes, odd)


def _known(values: np.ndarray, allowed: tuple[int, ...], odd: Counter, what: str) -> np.ndarray:
    known = (values >= allowed[0]) & (values <= allowed[-1])
    odd[f"{what} codes 9 (not codable), read as missing"] += int((values == UNCODABLE).sum())
    for code, count in zip(*np.unique(values[~known & (values != UNCODABLE)], return_counts=True)):
        name = "empty or unreadable" if code == MISSING else f"unknown ({code})"
        odd[f"{what} codes {name}, read as missing"] += int(count)
    return np.where(known, values, MISSING).astype(np.int8)


def _intensity(files: Files, session: Session, unit: str, frame: np.ndarray, odd: Counter) -> np.ndarray:
    path = files.root / files.intensity[(*session, unit)]
    values = read_numbers(path, header=False).values
    if len(values) and values[0, 0] < 0:
        values = values[1:]
        odd["intensity files with a first line that is no frame, passed over"] += 1
    result = np.full(len(frame), MISSING, np.int8)
    if not len(values):
        odd["empty intensity files"] += 1
        return result
    if values.shape[1] < 2:
        raise StudyError(f"{path}: one column, expected frame,intensity; take the file anew")
    values = values[_frame_numbers(values, path, 1)]
    at = np.minimum(np.searchsorted(frame, values[:, 0]), len(frame) - 1)
    shared = frame[at] == values[:, 0]
    result[at[shared]] = _known(values[shared, 1], (0, 5), odd, "intensity")
    odd["intensity rows without an occurrence row"] += int((~shared).sum())
    odd["occurrence rows without an intensity row"] += len(frame) - int(shared.sum())
    return result


def read_bp4d(root: str | Path, *, frame_offset: int = 0) -> Loaded:
    """The frame table of a BP4D folder. `frame_offset` is the image's number minus the label's frame number:
    0 (the literature's majority) or -1 (labels from 1, images from 0); `deepfn check` compares the two.

    Rows without an image are excluded and counted; sessions with images and no codes too. Raises StudyError
    for a folder that is not BP4D, a damaged label file, a doubled session or frame, and where no row has an
    image.
    """
    files = scan_bp4d(root)
    parts, excluded, odd, other = [], [], Counter(), 0
    for session in sorted({*files.images, *files.occurrence}):
        images = files.images.get(session)
        if session not in files.occurrence:
            excluded.append(("BP4D", *session, "images without an occurrence file", len(images.numbers)))
            continue
        codes = read_codes(files, session)
        odd.update(codes.odd)
        if not len(codes.frame):
            excluded.append(("BP4D", *session, "occurrence file without rows", 0))
            continue
        if images is None:
            excluded.append(("BP4D", *session, "no image folder for this session", len(codes.frame)))
            continue
        found, sources = images.sources(codes.frame + frame_offset)
        if not found.all():
            excluded.append(("BP4D", *session, "no image for the label frame", int((~found).sum())))
            other += int(images.sources(codes.frame - 1 - frame_offset)[0].sum()) - int(found.sum())
        kept = {name: values[found] for name, values in codes.codes.items()}
        parts.append(session_frames("BP4D", *session, codes.frame[found], sources, -1, kept))
    frames = join_sessions(parts)
    if not len(frames):
        raise StudyError(
            f"{root}: no label row has its image (frame_offset {frame_offset}); `deepfn check --bp4d {root}` says more"
        )
    people = {participant for participant, _ in {*files.images, *files.occurrence}}
    return Loaded(
        frames, exclusion_table(excluded), participant_table("BP4D", people), _notices(files, odd, other, frame_offset)
    )


def _notices(files: Files, odd: Counter, other: int, offset: int) -> list[str]:
    notices = [f"BP4D {notice}" for notice in files.notices]
    notices += [f"BP4D, {what}: {count}" for what, count in sorted(odd.items()) if count]
    coded = sum(session in files.images for session in files.occurrence)
    if coded < len(PARTICIPANTS) * len(TASKS):
        notices.append(f"BP4D: {coded} of {len(PARTICIPANTS) * len(TASKS)} sessions have both images and codes")
    orphans = {key[:2] for key in files.intensity} - set(files.occurrence)
    if orphans:
        notices.append(f"BP4D, sessions with intensity but no occurrence codes: {len(orphans)}")
    if other > 0:
        notices.append(
            f"BP4D: frame_offset {-1 - offset} would find {other} more images than {offset}; see `deepfn check`"
        )
    return notices
