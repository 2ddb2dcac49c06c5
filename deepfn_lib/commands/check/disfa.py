"""What there is to check in a DISFA folder."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from ...datasets.disfa import (
    PARTICIPANTS,
    Codes,
    Files,
    extracted_frames,
    read_codes,
    scan_disfa,
    video_length,
    within_error_log,
)
from ...datasets.manifests import load_manifest
from ...errors import StudyError
from ...frames import DISFA_ACTION_UNITS
from .report import GOOD, NOTE, PROBLEM, Report

ROWS = 4845  # label rows of everyone but SN010, who has one less
THRESHOLDS = (1, 2)


def check_disfa(root: str | Path, report: Report):
    """Fill `report`; returns (people, samples) as `check_bp4d` does. Raises StudyError where it is not DISFA
    at all."""
    files = scan_disfa(root)
    people = sorted({person for person, _ in files.labels})
    report.add(GOOD, "recognised", f"DISFA: label files of {len(people)} participants, {len(files.videos)} videos")
    codes: dict[str, Codes] = {}
    for person in people:
        try:
            codes[person] = read_codes(files, person)
        except StudyError as problem:
            report.add(PROBLEM, "label file", str(problem))
    _counts(files, codes, report)
    lengths = _videos(files, codes, report)
    _codes(codes, report)
    return set(codes) & set(PARTICIPANTS), lambda count: _samples(files, codes, lengths, count)


def _counts(files: Files, codes: dict[str, Codes], report: Report) -> None:
    official = load_manifest("disfa").counts
    report.compare(
        "participants", len(set(codes) & set(PARTICIPANTS)), official["participants"], "participants with labels"
    )
    report.compare(
        "label rows", sum(len(c.frame) for p, c in codes.items() if p in PARTICIPANTS), official["frames"], "label rows"
    )
    strangers = sorted(set(codes) - set(PARTICIPANTS))
    if strangers:
        report.add(NOTE, "participants", f"not DISFA's, left out: {', '.join(strangers)}")
    odd = [p for p, c in codes.items() if p in PARTICIPANTS and len(c.frame) != ROWS - (p == "SN010")]
    if odd:
        some = ", ".join(f"{p} {len(codes[p].frame)}" for p in odd[:4])
        report.add(NOTE, "label rows", f"{len(odd)} participants have not their {ROWS:,} rows: {some}")
    lacking = [f"{p} {u}" for p in codes for u in DISFA_ACTION_UNITS if (p, u) not in files.labels]
    if lacking:
        report.add(
            NOTE, "label files", f"{len(lacking)} missing: {', '.join(lacking[:4])}{', …' if len(lacking) > 4 else ''}"
        )
    left = sum(int((~within_error_log(p, c.frame)).sum()) for p, c in codes.items())
    report.add(GOOD, "error log", f"{left:,} rows would be left with disfa_drop_error_log")


def _videos(files: Files, codes: dict[str, Codes], report: Report) -> dict[tuple[str, str], int]:
    """Each video's length by its header beside the label rows; the two cameras' counts."""
    lengths = {key: video_length(files.root / path) for key, path in files.videos.items()}
    rows = []
    for camera in ("left", "right"):
        people = [p for p in codes if (camera, p) in lengths]
        closed = [p for p in people if lengths[camera, p] < 0]
        short = [p for p in people if 0 < lengths[camera, p] < codes[p].frame.max(initial=0)]
        if closed:
            report.add(NOTE, "videos", f"{len(closed)} {camera} videos cannot be opened: {', '.join(closed[:4])}")
        if short:
            report.add(
                NOTE,
                "videos",
                f"{len(short)} {camera} videos are shorter than their labels; rows beyond the end are left out",
            )
        if people:
            report.add(GOOD, "videos", f"{len(people)} {camera} videos")
        for person in (*closed, *short):
            rows.append((person, camera, len(codes[person].frame), lengths[camera, person]))
    if rows:
        report.tables["Videos and labels of different length"] = pd.DataFrame(
            rows, columns=["participant", "camera", "label rows", "video frames"]
        )
    if not any(length >= 0 for length in lengths.values()):
        _extracted(files, report)
    elif not any(camera == "left" and length >= 0 for (camera, _), length in lengths.items()):
        report.add(NOTE, "videos", "only the right camera's; set disfa_camera to right")
    return lengths


def _extracted(files: Files, report: Report) -> None:
    """Without videos, extracted frames may be what the licensee kept."""
    try:
        people = extracted_frames(files.root, "left", [])
    except StudyError:
        report.add(
            PROBLEM, "videos", "no video that opens, and no extracted frames in folders SN001, …; unpack the videos"
        )
        return
    folder = str(Path(people[min(people)].folder).parent)
    report.add(NOTE, "videos", f"none; extracted frames of {len(people)} participants: set disfa_frames to {folder}")


def _codes(codes: dict[str, Codes], report: Report) -> None:
    odd: Counter = Counter()
    for some in codes.values():
        odd.update(some.odd)
    for what, count in sorted(odd.items()):
        if count:
            report.add(NOTE, "codes", f"{what}: {count:,}")
    if not any(odd.values()):
        report.add(GOOD, "codes", "intensities 0 to 5 only, the same frames for every action unit")
    rows = []
    for column, unit in enumerate(DISFA_ACTION_UNITS):
        values = {person: some.intensity[:, column] for person, some in codes.items()}
        known = np.concatenate([v[v >= 0] for v in values.values()] or [np.empty(0)])
        row = {"action unit": unit}
        for threshold in THRESHOLDS:
            row[f"present % at {threshold}"] = (
                round(100 * float((known >= threshold).mean()), 2) if len(known) else None
            )
        row["people who never reach 2"] = sum(not (v >= 2).any() for v in values.values())
        rows.append(row)
    report.tables["Action units"] = pd.DataFrame(rows)


def _samples(files: Files, codes: dict[str, Codes], lengths: dict, count: int) -> list[tuple]:
    found = []
    for (camera, person), length in sorted(lengths.items()):
        if camera == "left" and length > 0 and person in codes:
            chosen = np.unique(np.linspace(0, length - 1, count).round().astype(int))
            found.append((person, [files.videos[camera, person]] * len(chosen), chosen))
    return found
