"""DISFA as licensees receive it: one video a person and camera, one text file of intensities an action unit.

Label frame N is frame N-1 of the video, counted from 0. Files are found by their names, wherever they are.
"""

import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import StudyError
from ..frames import (
    DISFA_ACTION_UNITS,
    MISSING,
    Loaded,
    exclusion_table,
    join_sessions,
    participant_table,
    session_frames,
)
from .bp4d import _known
from .files import SessionImages, choose_file, existing_folder, numbered_images, read_numbers, walk

PARTICIPANTS = tuple(f"SN{n:03d}" for n in (*range(1, 14), 16, 17, 18, 21, *range(23, 33)))
TASK = "video"

# Frames that the distribution's own error log calls badly tracked: first and last label frame, inclusive.
ERROR_LOG: Mapping[str, tuple[tuple[int, int], ...]] = {
    "SN001": ((398, 420), (3190, 3243)),
    "SN002": ((800, 826),),
    "SN004": ((4541, 4555),),
    "SN006": ((1349, 1405),),
    "SN009": ((1736, 1808), (1851, 1885)),
    "SN011": ((4529, 4533), (4830, 4845)),
    "SN021": (
        (574, 616),
        (985, 1164),
        (1190, 1205),
        (1305, 1338),
        (1665, 1710),
        (1862, 2477),
        (2554, 4657),
        (4710, 4722),
    ),
    "SN023": ((1021, 1049), (3378, 3557), (3584, 3668), (4547, 4621), (4741, 4772), (4825, 4845)),
    "SN025": ((4596, 4662), (4816, 4835)),
    "SN027": ((3461, 3494), (4738, 4785)),
    "SN028": ((1875, 1885), (4571, 4690)),
    "SN029": ((4090, 4543),),
    "SN030": ((939, 962), (1406, 1422), (2100, 2132), (2893, 2955)),
}

_VIDEO = re.compile(r"^(Left|Right)VideoSN(\d{3})_comp\.(avi|mp4|mov)$", re.IGNORECASE)
_LABELS = re.compile(r"^SN(\d{3})_AU(\d{1,2})\.txt$", re.IGNORECASE)
_FRAMES_FOLDER = re.compile(r"SN(\d{3})", re.IGNORECASE)


@dataclass
class Files:
    """What one pass over a DISFA folder found; paths are relative to `root`."""

    root: Path
    videos: dict[tuple[str, str], str] = field(default_factory=dict)
    labels: dict[tuple[str, str], str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


@dataclass
class Codes:
    """One person's intensities: `frame` int64 (n,) ascending, `intensity` int8 (n, 12), -1 missing; odd
    things."""

    frame: np.ndarray
    intensity: np.ndarray
    odd: Counter


def scan_disfa(root: str | Path) -> Files:
    """One pass over `root`: videos by (camera, participant), label files by (participant, action unit).

    Raises StudyError for a folder without label files, for BP4D, and for two different copies of a file.
    """
    root = existing_folder(root, "DISFA")
    files, labels, archives, bp4d = Files(root), {}, [], 0
    for folder, names in walk(root):
        for name in names:
            path = f"{folder}/{name}" if folder else name
            if match := _VIDEO.match(name):
                key = (match[1].lower(), f"SN{match[2]}")
                if key in files.videos:
                    raise StudyError(
                        f"{root}: the {key[0]} video of {key[1]} is in {files.videos[key]} and in {path}; "
                        "keep one of them"
                    )
                files.videos[key] = path
            elif match := _LABELS.match(name):
                labels.setdefault((f"SN{match[1]}", f"AU{int(match[2]):02d}"), []).append(path)
            elif name.lower().endswith((".zip", ".tar", ".7z", ".rar")):
                archives.append(name)
            elif re.match(r"^[FM]\d{3}_T\d\.csv$", name, re.IGNORECASE):
                bp4d += 1
    if not labels:
        if bp4d:
            raise StudyError(f"{root} holds BP4D's label files, not DISFA's; give it as BP4D")
        if archives:
            raise StudyError(
                f"{root} holds archives ({archives[0]}, {len(archives)} in all) and no label files; unpack them first"
            )
        raise StudyError(
            f"{root} holds no label file of DISFA (SN001_au1.txt, …) anywhere below; unpack ActionUnit_Labels into it"
        )
    for key, paths in sorted(labels.items()):
        files.labels[key] = choose_file(root, paths, f"labels of {' '.join(key)}", preferred="ActionUnit_Labels")
    return files


def read_codes(files: Files, participant: str) -> Codes:
    """One person's intensities, its action units joined by frame number.

    Raises StudyError for a damaged file, a doubled frame, or frames counted from 0.
    """
    odd: Counter = Counter()
    columns: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for unit in DISFA_ACTION_UNITS:
        name = files.labels.get((participant, unit))
        if name is None:
            odd[f"people without a label file for {unit}"] += 1
            continue
        frame, values = _read_label_file(files.root / name, odd)
        if not len(frame):
            odd["empty label files"] += 1
        columns[unit] = frame, values
    numbers = [frame for frame, _ in columns.values()]
    frame = np.unique(np.concatenate(numbers)) if numbers else np.empty(0, np.int64)
    intensity = np.full((len(frame), len(DISFA_ACTION_UNITS)), MISSING, np.int8)
    for position, unit in enumerate(DISFA_ACTION_UNITS):
        if unit in columns:
            numbers, values = columns[unit]
            intensity[np.searchsorted(frame, numbers), position] = values
            odd["frames that one action unit's file has and another's lacks, read as missing"] += len(frame) - len(
                numbers
            )
    return Codes(frame, intensity, odd)


def _read_label_file(path: Path, odd: Counter) -> tuple[np.ndarray, np.ndarray]:
    values = read_numbers(path, header=False).values
    if not len(values):
        return np.empty(0, np.int64), np.empty(0, np.int8)
    if values.shape[1] != 2:
        raise StudyError(f"{path}: {values.shape[1]} columns, expected frame,intensity; take the file anew")
    if (values[:, 0] < 0).any():
        row = int(np.flatnonzero(values[:, 0] < 0)[0]) + 1
        raise StudyError(f"{path}: row {row} has no frame number; mend the row or take the file anew")
    values = values[np.argsort(values[:, 0], kind="stable")]
    if values[0, 0] == 0:
        raise StudyError(f"{path}: frames are counted from 0, DISFA's from 1; take the file from the distribution")
    twice = np.flatnonzero(np.diff(values[:, 0]) == 0)
    if len(twice):
        raise StudyError(
            f"{path}: frame {values[twice[0], 0]} has two rows ({len(twice)} such frames); take the file anew"
        )
    return values[:, 0], _known(values[:, 1], (0, 5), odd, "intensity")


def video_length(path: Path) -> int:
    """The number of frames a video's header claims; 0 where it opens but does not say, -1 where it does not
    open."""
    import cv2

    video = cv2.VideoCapture(str(path))
    try:
        return max(int(video.get(cv2.CAP_PROP_FRAME_COUNT)), 0) if video.isOpened() else -1
    finally:
        video.release()


def extracted_frames(frames_folder: str | Path, camera: str, notices: list[str]) -> dict[str, SessionImages]:
    """Numbered images of each participant in a folder of extracted frames: `<…SN001…>/<number>.<suffix>`.

    A folder whose path names the other camera is passed over. Raises StudyError for two folders of one
    person.
    """
    root = existing_folder(frames_folder, "extracted DISFA frames")
    other = {"left": "right", "right": "left"}[camera]
    people: dict[str, SessionImages] = {}
    for folder, names in walk(root):
        match = _FRAMES_FOLDER.search(folder.rsplit("/", 1)[-1])
        if not match or other in folder.lower():
            continue
        found = numbered_images(folder, names, root)
        if found is None:
            continue
        if found.ignored:
            notices.append(
                f"DISFA {folder}: {found.ignored} images without a frame number as their name were left alone"
            )
        participant = f"SN{match[1]}"
        if len(found.numbers) and participant in people:
            raise StudyError(
                f"{root}: frames of {participant} are in {people[participant].folder} and in {folder}; keep one of them"
            )
        if len(found.numbers):
            people[participant] = found
    if not people:
        raise StudyError(f"{root} holds no extracted frames; expected folders SN001, … with numbered images")
    return people


def within_error_log(participant: str, frame: np.ndarray) -> np.ndarray:
    """Which label frames (n,) of a participant the distribution's error log calls badly tracked: bool
    (n,)."""
    inside = np.zeros(len(frame), bool)
    for first, last in ERROR_LOG.get(participant, ()):
        inside |= (frame >= first) & (frame <= last)
    return inside


def read_disfa(
    root: str | Path,
    *,
    camera: str = "left",
    threshold: int = 2,
    drop_error_log: bool = False,
    frames_folder: str | Path = "",
    first_image: int = 0,
) -> Loaded:
    """The frame table of a DISFA folder; occurrence is intensity >= `threshold` (1-5).

    `camera` is "left" or "right". `frames_folder` (absolute, or relative to `root`) holds extracted frames
    instead of the videos; `first_image` is the number of their first image (0, or 1 for ffmpeg's). Rows
    beyond a video's end are excluded and counted, never shifted; so are people without a video, and with
    `drop_error_log` the frames of the distribution's error log. Raises StudyError for what is no DISFA
    folder.
    """
    if camera not in ("left", "right"):
        raise StudyError(f"DISFA camera {camera!r} is unknown; choose left or right")
    files = scan_disfa(root)
    notices, excluded, parts, odd = list(files.notices), [], [], Counter()
    if frames_folder and not (files.root / frames_folder).exists() and Path(frames_folder).exists():
        frames_folder = Path(frames_folder).resolve()  # given from where the user stands
    images = extracted_frames(files.root / frames_folder, camera, notices) if frames_folder else None
    for participant in sorted({person for person, _ in files.labels}):
        codes = read_codes(files, participant)
        if participant not in PARTICIPANTS:
            excluded.append(("DISFA", participant, TASK, "participant is not one of DISFA's 27", len(codes.frame)))
            continue
        odd.update(codes.odd)
        keep = np.ones(len(codes.frame), bool)
        if drop_error_log:
            keep = ~within_error_log(participant, codes.frame)
            excluded.append(("DISFA", participant, TASK, "in DISFA's error log", int((~keep).sum())))
        if images is not None:
            found, source, index, reason = _from_images(
                images.get(participant), codes.frame, first_image, frames_folder
            )
        else:
            found, source, index, reason = _from_video(files, camera, participant, codes.frame)
        excluded.append(("DISFA", participant, TASK, reason, int((keep & ~found).sum())))
        keep &= found
        if keep.any():
            source = source if isinstance(source, str) else [source[i] for i in np.flatnonzero(keep)]
            parts.append(_rows(participant, codes, keep, source, index, threshold))
    frames = join_sessions(parts)
    if not len(frames):
        what = (
            f"images in {frames_folder}"
            if frames_folder
            else f"{camera} videos ({camera.title()}VideoSN001_comp.avi, …)"
        )
        raise StudyError(f"{root} holds DISFA's labels but no {what} that belong to them; give the folder above both")
    notices += [f"DISFA, {what}: {count}" for what, count in sorted(odd.items()) if count]
    found = frames["participant"].nunique()
    if found < len(PARTICIPANTS):
        notices.append(f"DISFA: {found} of {len(PARTICIPANTS)} participants have both labels and pictures")
    unlabelled = sorted(
        {person for side, person in files.videos if side == camera} - {person for person, _ in files.labels}
    )
    excluded += [("DISFA", person, TASK, "video without label files", 0) for person in unlabelled]
    people = {person for person, _ in files.labels} & set(PARTICIPANTS)
    kept = [row for row in excluded if row[-1] or row[-2].startswith("video without")]
    return Loaded(frames, exclusion_table(kept), participant_table("DISFA", people), notices)


def _rows(participant, codes, keep, source, index, threshold):
    intensity = codes.intensity[keep]
    occurrence = np.where(intensity == MISSING, MISSING, intensity >= threshold).astype(np.int8)
    columns = {unit: occurrence[:, k] for k, unit in enumerate(DISFA_ACTION_UNITS)}
    columns |= {f"{unit}_intensity": intensity[:, k] for k, unit in enumerate(DISFA_ACTION_UNITS)}
    index = index if np.ndim(index) == 0 else index[keep]
    return session_frames("DISFA", participant, TASK, codes.frame[keep], source, index, columns)


def _from_video(files: Files, camera: str, participant: str, frame: np.ndarray):
    """(found bool (n,), source path, 0-based frame of the video (n,), reason for the rest)."""
    path = files.videos.get((camera, participant))
    if path is None:
        return np.zeros(len(frame), bool), "", frame - 1, f"no {camera} video of this participant"
    length = video_length(files.root / path)
    if length < 0:
        return np.zeros(len(frame), bool), path, frame - 1, "video cannot be opened"
    # Where the header does not say, decoding finds the end and counts what is beyond it.
    found = frame <= length if length else np.ones(len(frame), bool)
    return found, path, frame - 1, "label frame beyond the video's end"


def _from_images(images: SessionImages | None, frame: np.ndarray, first_image: int, frames_folder):
    if images is None:
        return np.zeros(len(frame), bool), "", -1, "no extracted frames of this participant"
    found, paths = images.sources(frame - 1 + first_image)
    sources = np.full(len(frame), "", object)
    sources[found] = [os.path.join(str(frames_folder), path).replace(os.sep, "/") for path in paths]
    return found, sources, -1, "no extracted image for the label frame"
