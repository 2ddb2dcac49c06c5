"""What there is to check in a DISFA folder."""

from pathlib import Path

import numpy as np
import pandas as pd

from ...datasets.codes import Codes
from ...datasets.disfa import PARTICIPANTS, Files, extracted_frames, read_codes, scan_disfa, within_error_log
from ...datasets.files import Key
from ...datasets.manifests import load_manifest
from ...datasets.videos import video_packets
from ...errors import StudyError
from ...frames import DISFA_ACTION_UNITS, evenly
from .codes import read_all, tell_odd
from .report import GOOD, NOTE, PROBLEM, Report, Samples

ROWS = 4845  # label rows of everyone but SN010, who has one less
THRESHOLDS = (1, 2)


def check_disfa(root: str | Path, report: Report) -> tuple[set[str], Samples]:
    """Fill `report`; returns the same as `check_bp4d`. Raises StudyError where it is not DISFA at all."""
    files = scan_disfa(root)
    report.add(
        GOOD, "recognised", f"DISFA: label files of {len(files.people)} participants, {len(files.videos)} videos"
    )
    codes = read_all(report, files.people, lambda person: read_codes(files, person), most=len(files.people))
    _counts(files, codes, report)
    lengths = _videos(files, codes, report)
    _codes(codes, report)
    return set(codes) & set(PARTICIPANTS), lambda count: _samples(files, codes, lengths, count)


def _counts(files: Files, codes: dict[str, Codes], report: Report) -> None:
    official = load_manifest("disfa").counts
    rows = {person: len(some.frame) for person, some in codes.items() if person in PARTICIPANTS}
    report.compare("participants", len(rows), official["participants"], "participants with labels")
    report.compare("label rows", sum(rows.values()), official["frames"], "label rows")
    strangers = sorted(set(codes) - set(PARTICIPANTS))
    if strangers:
        report.add(NOTE, "participants", f"not DISFA's, left out: {', '.join(strangers)}")
    odd = [f"{person} {count}" for person, count in rows.items() if count != ROWS - (person == "SN010")]
    if odd:
        some = ", ".join(odd[:4])
        report.add(NOTE, "label rows", f"{len(odd)} participants have not their {ROWS:,} rows: {some}")
    lacking = [f"{p} {u}" for p in codes for u in DISFA_ACTION_UNITS if (p, u) not in files.labels]
    if lacking:
        some = ", ".join(lacking[:4]) + (", …" if len(lacking) > 4 else "")
        report.add(NOTE, "label files", f"{len(lacking)} missing: {some}")
    left = sum(int((~within_error_log(p, c.frame)).sum()) for p, c in codes.items())
    report.add(GOOD, "error log", f"{left:,} rows would be left with disfa_drop_error_log")


def _videos(files: Files, codes: dict[str, Codes], report: Report) -> dict[Key, int]:
    """Each video's frames beside the label rows; the lengths of those that open, by camera and participant."""
    found = {key: video_packets(files.root / path) for key, path in files.videos.items()}
    lengths = {key: packets.length for key, packets in found.items() if packets}
    rows = []
    for camera in ("left", "right"):
        people = [p for p in codes if (camera, p) in found]
        closed = [p for p in people if found[camera, p] is None]
        there = {p: packets for p in people if (packets := found[camera, p])}
        told = {
            "cannot be opened": closed,
            "are shorter than their labels; rows beyond the end are left out": [
                p for p, packets in there.items() if packets.length < codes[p].frame.max(initial=0)
            ],
            f"have frames that were dropped ({sum(p.dropped for p in there.values()):,} in all); their rows are left "
            "out, no other moves": [p for p, packets in there.items() if packets.dropped],
            f"have frames of nothing but zeros ({sum(p.zeroed for p in there.values()):,} in all)": [
                p for p, packets in there.items() if packets.zeroed
            ],
            "have another number of frames than their headers say; what is in them counts": [
                p for p, packets in there.items() if packets.claimed not in (0, packets.length)
            ],
        }
        for what, some in told.items():
            if some:
                report.add(NOTE, "videos", f"{len(some)} {camera} videos {what}: {', '.join(some[:4])}")
        if people:
            report.add(GOOD, "videos", f"{len(people)} {camera} videos")
        for person in dict.fromkeys(person for some in told.values() for person in some):
            packets = there.get(person)
            numbers = (packets.length, packets.dropped, packets.claimed) if packets else (-1, 0, 0)
            rows.append((person, camera, len(codes[person].frame), *numbers))
    if rows:
        columns = ["participant", "camera", "label rows", "video frames", "dropped", "header's"]
        report.tables["Videos that are not as their labels"] = pd.DataFrame(rows, columns=columns)
    if not lengths:
        _extracted(files, report)
    elif not any(camera == "left" for camera, _ in lengths):
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
    folder = (files.root / people[min(people)].folder).parent.resolve()
    report.add(NOTE, "videos", f"none; extracted frames of {len(people)} participants: set disfa_frames to {folder}")


def _codes(codes: dict[str, Codes], report: Report) -> None:
    tell_odd(report, codes.values(), "intensities 0 to 5 only, the same frames for every action unit")
    rows = []
    for unit in DISFA_ACTION_UNITS:
        values = [some.codes[f"{unit}_intensity"] for some in codes.values()]
        known = np.concatenate([v[v >= 0] for v in values] or [np.empty(0)])
        row: dict[str, object] = {"action unit": unit}
        for threshold in THRESHOLDS:
            reached = round(100 * float((known >= threshold).mean()), 2) if len(known) else None
            row[f"present % at {threshold}"] = reached
        row["people who never reach 2"] = sum(not (v >= 2).any() for v in values)
        rows.append(row)
    report.tables["Action units"] = pd.DataFrame(rows)


def _samples(
    files: Files, codes: dict[str, Codes], lengths: dict[Key, int], count: int
) -> list[tuple[str, list[str], np.ndarray]]:
    found = []
    for (camera, person), length in sorted(lengths.items()):
        if camera == "left" and length > 0 and person in codes:
            chosen = evenly(length, count)
            found.append((person, [files.videos[camera, person]] * len(chosen), chosen))
    return found
