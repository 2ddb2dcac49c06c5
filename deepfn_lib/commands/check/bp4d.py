"""What there is to check in a BP4D folder."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from ...datasets.bp4d import PARTICIPANTS, TASKS, Files, read_codes, scan_bp4d
from ...datasets.codes import Codes
from ...datasets.files import Key
from ...datasets.manifests import load_manifest
from ...frames import BP4D_ACTION_UNITS, BP4D_INTENSITIES, evenly
from ...template import rank_participants
from .codes import read_all, tell_odd
from .report import GOOD, NOTE, PROBLEM, Report, Samples

OFFSETS = (0, -1)


def check_bp4d(root: str | Path, report: Report) -> tuple[set[str], Samples]:
    """Fill `report`; returns whose data there is, and what gives a few frames of each session.

    Raises StudyError where the folder is not BP4D at all.
    """
    files = scan_bp4d(root)
    report.add(
        GOOD, "recognised", f"BP4D: images of {len(files.images)} sessions, {len(files.occurrence)} occurrence files"
    )
    codes = read_all(report, sorted(files.occurrence), lambda session: read_codes(files, session), most=5)
    _counts(files, codes, report)
    _offsets(files, codes, report)
    _listings(files, codes, report)
    _pictures(files, codes, report)
    _codes(codes, report)
    _ranking(codes, report)
    for notice in files.notices:
        report.add(NOTE, "names", notice)
    return files.people, lambda count: _samples(files, codes, count)


def _counts(files: Files, codes: dict[Key, Codes], report: Report) -> None:
    official = load_manifest("bp4d").counts
    people, rows = len({person for person, _ in codes}), sum(len(some.frame) for some in codes.values())
    report.compare("participants", people, official["participants"], "participants with codes")
    report.compare("sessions", len(codes), official["sessions"], "sessions with codes")
    report.compare("label rows", rows, official["frames"], "label rows")
    expected = official["sessions"] * len(BP4D_INTENSITIES)
    report.compare("intensity files", len(files.intensity), expected, "intensity files")
    sessions = {(participant, task) for participant in PARTICIPANTS for task in TASKS}
    for what, missing in (("images", sessions - set(files.images)), ("codes", sessions - set(files.occurrence))):
        if 0 < len(missing) < len(sessions):
            some = ", ".join(" ".join(session) for session in sorted(missing)[:4])
            report.add(NOTE, "sessions", f"{len(missing)} without {what}: {some}{', …' if len(missing) > 4 else ''}")


def _offsets(files: Files, codes: dict[Key, Codes], report: Report) -> None:
    """Label rows without an image, for image number = label frame + 0 and - 1, by session."""
    rows = []
    for session, some in codes.items():
        if session in files.images and len(some.frame):
            missing = [int((~files.images[session].sources(some.frame + offset)[0]).sum()) for offset in OFFSETS]
            rows.append((*session, len(some.frame), *missing))
    names = [f"without image at {offset}" for offset in OFFSETS]
    table = pd.DataFrame(rows, columns=["participant", "task", "label rows", *names])
    lost = [int(table[name].sum()) for name in names]
    if not len(table):
        report.add(PROBLEM, "offset", "no session has both images and codes")
        return
    if max(lost) == 0:
        alike = "every label row has its image under both offsets, so counting cannot tell them apart; keep 0"
        report.add(GOOD, "offset", alike)
    else:
        better = OFFSETS[int(np.argmin(lost))]
        text = ", ".join(f"{offset}: {count:,} rows without an image" for offset, count in zip(OFFSETS, lost))
        report.add(GOOD if min(lost) == 0 else NOTE, "offset", f"{text}; recommended frame_offset {better}")
    if min(lost) == int(table["label rows"].sum()):
        report.add(PROBLEM, "offset", "no label row has its image; these codes and images do not belong together")
    apart = table[table[names[0]] != table[names[1]]]
    shown = apart if len(apart) else table[table[names[0]] > 0]
    if len(shown):
        report.tables["Label rows without an image, by offset"] = shown


def _listings(files: Files, codes: dict[Key, Codes], report: Report) -> None:
    digits = Counter(digit for images in files.images.values() for digit in images.digits)
    lengths = ", ".join(f"{digit} in {count} sessions" for digit, count in sorted(digits.items()))
    report.add(GOOD, "names", f"digits in image names: {lengths}")
    first = Counter(int(images.numbers[0]) for images in files.images.values())
    starts = ", ".join(f"{number} in {count} sessions" for number, count in first.most_common(3))
    report.add(GOOD, "names", f"first image numbers: {starts}")
    gaps = {
        session: int(images.numbers[-1] - images.numbers[0] + 1 - len(images.numbers))
        for session, images in files.images.items()
    }
    holes = [f"{' '.join(session)} ({count})" for session, count in sorted(gaps.items()) if count]
    if holes:
        some = ", ".join(holes[:4])
        report.add(NOTE, "gaps", f"image numbers missing between first and last in {len(holes)} sessions: {some}")
    else:
        report.add(GOOD, "gaps", "no image number is missing inside a session")
    coded = sum(len(some.frame) for some in codes.values())
    images = sum(len(images.numbers) for images in files.images.values())
    report.add(GOOD, "images", f"{images:,} images for {coded:,} label rows")


def _pictures(files: Files, codes: dict[Key, Codes], report: Report) -> None:
    """Sizes in bytes of the labelled images, and one image a participant opened."""
    from ...faces.sources import read_grey

    empty, bad, opened = [], [], set()
    sizes: Counter[str] = Counter()
    for session, some in codes.items():
        if session not in files.images:
            continue
        _, sources = files.images[session].sources(some.frame)
        empty += [source for source in sources if (files.root / source).stat().st_size == 0]
        if sources and session[0] not in opened:
            opened.add(session[0])
            image = read_grey(files.root / sources[len(sources) // 2])
            if image is None:
                bad.append(sources[len(sources) // 2])
            else:
                sizes[f"{image.shape[1]} x {image.shape[0]}"] += 1
    if empty:
        report.add(NOTE, "files", f"{len(empty)} labelled images are empty files ({empty[0]}); they will be left out")
    if bad:
        level = PROBLEM if not sizes else NOTE
        report.add(level, "files", f"{len(bad)} of {len(opened)} images opened cannot be read ({bad[0]})")
    if sizes:
        text = ", ".join(f"{size} ({count})" for size, count in sizes.most_common())
        report.add(GOOD, "files", f"one image opened for each of {len(opened)} participants: {text}")


def _codes(codes: dict[Key, Codes], report: Report) -> None:
    tell_odd(report, codes.values(), "the twelve action units hold 0 and 1 only, intensities 0 to 5")
    shown, rows = _shown(codes), []
    for unit in BP4D_ACTION_UNITS:
        columns = [some.codes[unit] for some in codes.values() if unit in some.codes]
        values = np.concatenate(columns or [np.empty(0, np.int8)])
        known = values >= 0
        rows.append(
            {
                "action unit": unit,
                "present %": round(100 * float((values[known] == 1).mean()), 1) if known.any() else None,
                "missing": int((~known).sum()),
                "people who never show it": " ".join(shown.index[shown[unit] == 0]),
            }
        )
    report.tables["Action units"] = pd.DataFrame(rows)


def _shown(codes: dict[Key, Codes]) -> pd.DataFrame:
    """Frames on which each participant shows each action unit; NaN where no file of theirs has a column for it."""
    rows = [
        {unit: (some.codes[unit] == 1).sum() for unit in BP4D_ACTION_UNITS if unit in some.codes}
        for some in codes.values()
    ]
    table = pd.DataFrame(rows, [person for person, _ in codes], list(BP4D_ACTION_UNITS), dtype=float)
    return table.groupby(level=0).sum(min_count=1)


def _ranking(codes: dict[Key, Codes], report: Report) -> None:
    """The template ranking over all label rows, beside the one computed from published label lists."""
    if not codes:
        return
    ranking = rank_participants(_shown(codes).fillna(0).astype(int))
    published = {entry.participant: entry.median for entry in load_manifest("bp4d").template_ranking}
    table = ranking[["rank", "median"]].rename_axis("participant").reset_index()
    table["published median"] = [published.get(person) for person in table["participant"]]
    report.tables["Template ranking"] = table
    agreeing = sum(ranking["median"].get(person) == median for person, median in published.items())
    first, expected = table["participant"].iloc[0], next(iter(published))
    report.add(
        GOOD if first == expected and agreeing == len(published) else NOTE,
        "template",
        f"the paper's rule gives {first}; expected {expected}; {agreeing} of {len(published)} published medians agree",
    )


def _samples(files: Files, codes: dict[Key, Codes], count: int) -> list[tuple[str, list[str], np.ndarray]]:
    found = []
    for session, some in codes.items():
        if session in files.images and len(some.frame):
            _, sources = files.images[session].sources(some.frame)
            chosen = [sources[k] for k in evenly(len(sources), count)]
            found.append((session[0], chosen, np.full(len(chosen), -1)))
    return found
