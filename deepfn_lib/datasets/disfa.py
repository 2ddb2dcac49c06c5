"""DISFA as licensees receive it: one video a person and camera, one text file of intensities an action unit.

Label frame N is frame N-1 of the video, counted from 0. Files are found by their names, wherever they are.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import StudyError
from ..frames import DISFA_ACTION_UNITS, MISSING, Loaded, session_frames
from ..frames import DISFA_PARTICIPANTS as PARTICIPANTS
from ..frames import DISFA_TASK as TASK
from .codes import Codes, by_frame, known_codes, odd_notices, read_numbers
from .files import Key, SessionImages, refuse_two, scan
from .videos import DROPPED, video_packets

CODE_VERSION = 1  # raise when the same files would be read otherwise

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

_FRAMES_FOLDER = re.compile(r"SN\d{3}", re.IGNORECASE)


@dataclass
class Files:
    """What one pass over a DISFA folder found: videos by (camera, participant), label files by (participant, action
    unit); paths are relative to `root`."""

    root: Path
    videos: dict[Key, str]
    labels: dict[Key, str]

    @property
    def people(self) -> list[str]:
        """Whose label files there are, in order."""
        return sorted({person for person, _ in self.labels})


def scan_disfa(root: str | Path) -> Files:
    """One pass over `root`: where the videos and label files are.

    Raises StudyError for a folder without label files, for BP4D, and for two different copies of a file.
    """
    found = scan(root, "DISFA")
    root, labels = found.root, found.files["DISFA labels"]
    videos = {(camera.lower(), person): paths for (camera, person), paths in found.files["DISFA video"].items()}
    for (camera, person), paths in videos.items():
        refuse_two(root, f"the {camera} video of {person} is", paths)
    if not labels and found.files["BP4D occurrence"]:
        raise StudyError(f"{root} holds BP4D's label files, not DISFA's; give it as BP4D")
    if not labels:
        found.refuse_archives("label files")
        raise StudyError(
            f"{root} holds no label file of DISFA (SN001_au1.txt, …) anywhere below; unpack ActionUnit_Labels into it"
        )
    chosen = found.choose("DISFA labels", "labels", preferred="ActionUnit_Labels")
    return Files(root, {key: paths[0] for key, paths in videos.items()}, chosen)


def read_codes(files: Files, participant: str) -> Codes:
    """One person's intensities, all twelve, its action units joined by frame number.

    Raises StudyError for a damaged file, a doubled frame, or frames counted from 0.
    """
    odd: Counter[str] = Counter()
    read: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for unit in DISFA_ACTION_UNITS:
        path = files.labels.get((participant, unit))
        if path is None:
            odd[f"people without a label file for {unit}"] += 1
            continue
        read[unit] = _read_label_file(files.root / path, odd)
    frame = np.unique(np.concatenate([numbers for numbers, _ in read.values()] or [np.empty(0, np.int64)]))
    codes = {f"{unit}_intensity": np.full(len(frame), MISSING, np.int8) for unit in DISFA_ACTION_UNITS}
    for unit, (numbers, values) in read.items():
        codes[f"{unit}_intensity"][np.searchsorted(frame, numbers)] = values
        lacking = len(frame) - len(numbers)
        odd["frames that one action unit's file has and another's lacks, read as missing"] += lacking
    return Codes(frame, codes, odd)


def _read_label_file(path: Path, odd: Counter[str]) -> tuple[np.ndarray, np.ndarray]:
    """Frame numbers int64 (n,) ascending and intensities int8 (n,)."""
    _, values = read_numbers(path, header=False)
    if not len(values):
        odd["empty label files"] += 1
        return np.empty(0, np.int64), np.empty(0, np.int8)
    if values.shape[1] != 2:
        raise StudyError(f"{path}: {values.shape[1]} columns, expected frame,intensity; take the file anew")
    if values[:, 0].min() == 0:
        raise StudyError(f"{path}: frames are counted from 0, DISFA's from 1; take the file from the distribution")
    values = by_frame(values, path)
    return values[:, 0], known_codes(values[:, 1], 5, "intensity", odd)


def extracted_frames(frames_folder: str | Path, camera: str, notices: list[str]) -> dict[str, SessionImages]:
    """Numbered images of each participant in a folder of extracted frames: `<…SN001…>/<number>.<suffix>`.

    A folder whose path names the other camera is passed over; what was left alone is told of in `notices`. Raises
    StudyError for two folders of one person.
    """
    found = scan(frames_folder, "extracted DISFA frames")
    other = {"left": "right", "right": "left"}[camera]

    def person_of(folder: str) -> Key | None:
        match = _FRAMES_FOLDER.search(folder.rsplit("/", 1)[-1])
        return (match[0].upper(),) if match and other not in folder.lower() else None

    people = found.images(person_of, "frames", notices)
    if not people:
        raise StudyError(f"{found.root} holds no extracted frames; expected folders SN001, … with numbered images")
    return {person: images for (person,), images in people.items()}


def within_error_log(participant: str, frame: np.ndarray) -> np.ndarray:
    """Which label frames (n,) of a participant the distribution's error log calls badly tracked: bool (n,)."""
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

    `camera` is "left" or "right". `frames_folder` (absolute, or relative to `root`) holds extracted frames instead of
    the videos; `first_image` is the number of their first image (0, or 1 for ffmpeg's). Rows beyond a video's end are
    excluded and counted, never shifted; so are people without a video, and with `drop_error_log` the frames of the
    distribution's error log. Raises StudyError for what is no DISFA folder.
    """
    if camera not in ("left", "right"):
        raise StudyError(f"DISFA camera {camera!r} is unknown; choose left or right")
    files = scan_disfa(root)
    if frames_folder and not (files.root / frames_folder).exists() and Path(frames_folder).exists():
        frames_folder = Path(frames_folder).resolve()  # given from where the user stands
    left_alone: list[str] = []
    images = extracted_frames(files.root / frames_folder, camera, left_alone) if frames_folder else {}
    parts, excluded = [], []
    odd: Counter[str] = Counter()
    for participant in files.people:
        codes = read_codes(files, participant)
        if participant not in PARTICIPANTS:
            excluded.append((participant, TASK, "participant is not one of DISFA's 27", len(codes.frame)))
            continue
        odd.update(codes.odd)
        keep = np.ones(len(codes.frame), bool)
        if drop_error_log:
            keep = ~within_error_log(participant, codes.frame)
            excluded.append((participant, TASK, "in DISFA's error log", int((~keep).sum())))
        if frames_folder:
            sources, reasons = _from_images(images.get(participant), codes.frame - 1 + first_image, frames_folder)
        else:
            sources, reasons = _from_video(files, camera, participant, codes.frame)
        left_out = Counter(reasons[keep & (reasons != "")].tolist())
        excluded += [(participant, TASK, reason, count) for reason, count in left_out.items()]
        keep &= reasons == ""
        index = -1 if frames_folder else codes.frame[keep] - 1
        parts.append(_rows(participant, codes, keep, sources[keep].tolist(), index, threshold))
    whole = sum(len(part) > 0 for part in parts)
    if not whole:
        videos = f"{camera} videos ({camera.title()}VideoSN001_comp.avi, …)"
        what = f"images in {frames_folder}" if frames_folder else videos
        raise StudyError(f"{root} holds DISFA's labels but no {what} that belong to them; give the folder above both")
    notices = [f"DISFA {notice}" for notice in left_alone] + odd_notices("DISFA", odd)
    if whole < len(PARTICIPANTS):
        notices.append(f"DISFA: {whole} of {len(PARTICIPANTS)} participants have both labels and pictures")
    filmed = {person for side, person in files.videos if side == camera}
    excluded = [row for row in excluded if row[-1]]
    excluded += [(person, TASK, "video without label files", 0) for person in sorted(filmed - set(files.people))]
    return Loaded.of("DISFA", parts, excluded, set(files.people) & set(PARTICIPANTS), notices)


def _rows(
    participant: str, codes: Codes, keep: np.ndarray, sources: list[str], index: int | np.ndarray, threshold: int
) -> pd.DataFrame:
    """The rows of one person's frames where `keep` (n,) is True, with their sources and source indices."""
    columns = {name: values[keep] for name, values in codes.codes.items()}
    for unit in DISFA_ACTION_UNITS:
        intensity = columns[f"{unit}_intensity"]
        columns[unit] = np.where(intensity == MISSING, MISSING, intensity >= threshold).astype(np.int8)
    return session_frames("DISFA", participant, TASK, codes.frame[keep], sources, index, columns)


def _from_video(files: Files, camera: str, participant: str, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The video's path for each label frame (n,), and why its picture is not there, "" where it is."""
    path = files.videos.get((camera, participant), "")
    packets = video_packets(files.root / path) if path else None
    if packets is None:
        reason = "video cannot be opened" if path else f"no {camera} video of this participant"
        return np.full(len(frame), path, object), np.full(len(frame), reason, object)
    reasons = np.where(np.isin(frame - 1, packets.positions), "", DROPPED).astype(object)
    reasons[frame > packets.length] = "label frame beyond the video's end"
    return np.full(len(frame), path, object), reasons


def _from_images(
    images: SessionImages | None, numbers: np.ndarray, frames_folder: str | Path
) -> tuple[np.ndarray, np.ndarray]:
    """The paths of the images of these numbers (n,), and why there is none, "" where there is one."""
    if images is None:
        reason = "no extracted frames of this participant"
        return np.full(len(numbers), "", object), np.full(len(numbers), reason, object)
    found, paths = images.sources(numbers)
    sources = np.full(len(numbers), "", object)
    sources[found] = [(Path(frames_folder) / path).as_posix() for path in paths]
    return sources, np.where(found, "", "no extracted image for the label frame").astype(object)
