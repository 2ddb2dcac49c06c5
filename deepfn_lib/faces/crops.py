"""One aligned grey face for every labelled frame, stored once: the faces artefact.

Every session is a job of its own: it reads its frames once, in order, finds faces in some of them, aligns and cuts all,
and leaves one file; an interrupted run continues with the sessions that are missing.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ..artefacts import replacing
from ..cluster import HERE, Machine
from ..errors import StudyError
from ..frames import KEYS, exclusion_table, locate
from .alignment import MODES, POINT_COLUMNS, crop, cut, transforms
from .sources import grey_frames
from .tracking import Frame, Tracker

CODE_VERSION = 2

NO_FACE = "no face detected in the session"
NO_FACE_NEAR = "no face detected near this frame"
NO_TRUTH = "no exact answer for this frame"
_SESSION = list(KEYS[:3])

# What the renderer knows of one session: the root of the template's pictures, frame numbers (n,) ascending and the five
# points of each (n, 10), in image pixels.
Truth = tuple[str, np.ndarray, np.ndarray]


def build_faces(
    folder: Path,
    frames: pd.DataFrame,
    exclusions: pd.DataFrame,
    participants: pd.DataFrame,
    roots: Mapping[str, Path],
    *,
    crop_size: int = 128,
    alignment: str = "five-points",
    detect_every: int = 5,
    machine: Machine = HERE,
    truth_roots: Mapping[str, Path] | None = None,
    landmarks: Path | None = None,
) -> None:
    """Write the faces artefact into `folder`.

    `frames.parquet` (kept rows), `faces.npy` uint8 (n, crop_size, crop_size), `truth.npy` (same shape, where
    `truth_roots` is given: the same moments on the template's face, cut by the exact points of `landmarks`),
    `exclusions.parquet` (the loader's `exclusions` and ours, with reasons), `participants.parquet`,
    `points.npy` float32 (n, 14: five points and the detector's box, in image pixels),
    `detections.parquet` (one row a session: frames, due, failed, recovered, width and height of the images).

    `roots` maps dataset names to folders; a frame's `source` is relative to its dataset's. Unreadable frames
    and frames without a face are excluded and counted. Raises StudyError where nothing is left.
    """
    if alignment not in MODES:
        raise StudyError(f"alignment {alignment!r} is unknown; choose one of {', '.join(MODES)}")
    folder, frames = Path(folder), frames.reset_index(drop=True)
    parts = folder / "sessions"
    parts.mkdir(parents=True, exist_ok=True)
    jobs, spans = [], []
    points = _landmark_points(landmarks) if truth_roots else {}
    for session, rows in frames.groupby(_SESSION, sort=True):
        key = tuple(map(str, session))
        part = parts / f"{'-'.join(key)}.npz"
        spans.append((key, rows.index.to_numpy(), part))
        if part.exists():
            continue
        unknown = np.empty(0, int), np.empty((0, len(POINT_COLUMNS)))
        truth = (str(truth_roots[key[0]]), *points.get(key, unknown)) if truth_roots else None
        source = rows["source"].iloc[0] if rows["source"].nunique() == 1 else rows["source"].tolist()
        numbers = rows["source_index"].to_numpy(), rows["frame"].to_numpy()
        jobs.append((str(part), str(roots[key[0]]), source, *numbers, crop_size, alignment, detect_every, truth))
    if jobs:
        machine.run(cut_session, jobs, description="faces", unit="session")
    _assemble(folder, frames, exclusions, participants, spans, crop_size, bool(truth_roots))
    for part in parts.iterdir():
        part.unlink()
    parts.rmdir()


def cut_session(
    part: str,
    root: str,
    source: str | list[str],
    indices: np.ndarray,
    frame: np.ndarray,
    side: int,
    alignment: str,
    every: int,
    truth: Truth | None,
) -> str:
    """One job: cut the faces of one session into the file `part` (see `build_faces`); returns its path.

    `source` is one path (a video) or one a frame, relative to `root`; `indices` int (n,) as in the frame table, `frame`
    the frame numbers (n,).
    """
    import cv2

    cv2.setNumThreads(1)
    sources = [source] * len(indices) if isinstance(source, str) else source
    n = len(indices)
    reasons = np.full(n, NO_FACE, dtype="<U48")
    faces, points = np.zeros((n, side, side), np.uint8), np.full((n, 14), np.nan, np.float32)
    tracker, shape = Tracker(every), (0, 0)

    def readable() -> Iterator[Frame]:
        nonlocal shape
        for row, image, reason in grey_frames(Path(root), sources, indices):
            if image is None:
                reasons[row] = reason
            else:
                shape = image.shape
                yield row, float(frame[row]), image

    for row, image, values in tracker.follow(readable()):
        if values is None:
            reasons[row] = NO_FACE_NEAR if tracker.due > tracker.failed - tracker.recovered else NO_FACE
            continue
        matrix = transforms(values[None, :10].reshape(1, 5, 2), values[None, 10:], side, alignment)[0]
        faces[row], points[row] = crop(image, matrix, side), values
        reasons[row] = ""
    rows: dict[str, np.ndarray] = {"faces": faces, "points": points}
    if truth is not None:
        rows["truth"] = _cut_truth(truth, sources, indices, frame, side, alignment, reasons)
    if (reasons != "").any():
        rows = {name: values[reasons == ""] for name, values in rows.items()}
    counts = np.array([n, tracker.due, tracker.failed, tracker.recovered, shape[1], shape[0]])
    with replacing(Path(part)) as stream:
        np.savez(stream, allow_pickle=False, counts=counts, reasons=reasons, **rows)
    return part


def _cut_truth(
    truth: Truth,
    sources: list[str],
    indices: np.ndarray,
    frame: np.ndarray,
    side: int,
    alignment: str,
    reasons: np.ndarray,
) -> np.ndarray:
    """The template's faces at the same moments, cut by the points that the renderer knows, uint8 (n, side, side); a
    frame without one is given a reason in `reasons`."""
    root, numbers, points = truth
    faces = np.zeros((len(indices), side, side), np.uint8)
    at, found = locate(numbers, frame)
    for row, image, _ in grey_frames(Path(root), sources, indices):
        if reasons[row]:
            continue
        if image is None or not found[row]:
            reasons[row] = NO_TRUTH
            continue
        faces[row] = cut(image, points[at[row]].reshape(5, 2), side, alignment)
    return faces


def _landmark_points(landmarks: Path | None) -> dict[tuple[str, ...], tuple[np.ndarray, np.ndarray]]:
    """The template's points by session: (frame numbers ascending, points (n, 10))."""
    if landmarks is None:
        raise StudyError("exact answers need the renderer's landmarks.parquet; render the corpora again")
    table = pd.read_parquet(landmarks, filters=[("identity", "==", "template")]).sort_values("frame")
    return {
        tuple(map(str, session)): (rows["frame"].to_numpy(), rows[POINT_COLUMNS].to_numpy(np.float32))
        for session, rows in table.groupby(_SESSION, sort=False)
    }


def _assemble(
    folder: Path,
    frames: pd.DataFrame,
    exclusions: pd.DataFrame,
    participants: pd.DataFrame,
    spans: list[tuple[tuple[str, ...], np.ndarray, Path]],
    side: int,
    with_truth: bool,
) -> None:
    """Join the sessions' files, in the frame table's order, one at a time; a span is a session, its rows, its file."""
    kept, excluded, detections = np.zeros(len(frames), bool), [], []
    for key, rows, part in spans:
        with np.load(part) as stored:
            reasons, counts = stored["reasons"], stored["counts"]
        kept[rows] = reasons == ""
        left_out = Counter(reasons[reasons != ""].tolist())
        excluded += [(*key, reason, count) for reason, count in sorted(left_out.items())]
        detections.append((*key, *counts.tolist()))
    if not kept.any():
        reason = excluded[0][3] if excluded else "the frame table is empty"
        raise StudyError(f"no face could be cut from any of {len(frames)} frames ({reason}); `deepfn check` says more")
    new_row = np.cumsum(kept) - 1
    total = int(kept.sum())
    arrays = {"faces": ((total, side, side), np.uint8), "points": ((total, 14), np.float32)}
    if with_truth:
        arrays["truth"] = arrays["faces"]
    for name, (shape, kind) in arrays.items():
        path = folder / f"{name}.npy"
        np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=shape)
        for _, rows, part in spans:
            chosen = new_row[rows[kept[rows]]]
            if len(chosen):
                # Opened anew for each session: what a map has touched stays in the process's memory until it closes.
                with np.load(part) as stored:
                    np.load(path, mmap_mode="r+")[chosen] = stored[name]
    tables = {
        "frames": frames[kept].reset_index(drop=True),
        "exclusions": pd.concat([exclusions, exclusion_table(excluded)], ignore_index=True),
        "participants": participants,
        "detections": pd.DataFrame(
            detections, columns=[*_SESSION, "frames", "due", "failed", "recovered", "width", "height"]
        ),
    }
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet")
    say_exclusions(exclusion_table(excluded))


def say_exclusions(exclusions: pd.DataFrame) -> None:
    """One line for each reason on standard error: how many frames, and where the first are."""
    for reason, rows in exclusions[exclusions["frames"] > 0].groupby("reason"):
        first, more = rows.iloc[0], f" and {len(rows) - 1} more" if len(rows) > 1 else ""
        where = f"{first.dataset} {first.participant} {first.task}{more}"
        print(f"left out: {rows.frames.sum()} frames, {reason} ({where})", file=sys.stderr)
