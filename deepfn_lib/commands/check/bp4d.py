"""What there is to check in a BP4D folder."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from ...datasets.bp4d import PARTICIPANTS, TASKS, Codes, Files, read_codes, scan_bp4d
from ...datasets.manifests import load_manifest
from ...errors import StudyError
from ...frames import BP4D_ACTION_UNITS, BP4D_INTENSITIES
from ...template import rank_participants
from .report import GOOD, NOTE, PROBLEM, Report

OFFSETS = (0, -1)


def check_bp4d(root: str | Path, report: Report):
    """Fill `report`; returns (people, samples), samples(n) giving (participant, sources, indices) of a few
    frames each.

    Raises StudyError where the folder is not BP4D at all.
    """
    files = scan_bp4d(root)
    report.add(
        GOOD, "recognised", f"BP4D: images of {len(files.images)} sessions, {len(files.occurrence)} occurrence files"
    )
    codes = _read_all(files, report)
    _counts(files, codes, report)
    _offsets(files, codes, report)
    _listings(files, codes, report)
    _pictures(files, codes, report)
    _codes(codes, report)
    _ranking(codes, report)
    for notice in files.notices:
        report.add(NOTE, "names", notice)
    people = {participant for participant, _ in {*files.images, *files.occurrence}}
    return people, lambda count: _samples(files, codes, count)


def _read_all(files: Files, report: Report) -> dict[tuple[str, str], Codes]:
    """Every session's codes; a damaged file is a problem, and the others are read all the same."""
    found, damaged = {}, 0
    for session in sorted(files.occurrence):
        try:
            found[session] = read_codes(files, session)
        except StudyError as problem:
            damaged += 1
            if damaged <= 5:
                report.add(PROBLEM, "label file", str(problem))
    if damaged > 5:
        report.add(PROBLEM, "label file", f"{damaged - 5} more sessions with damaged label files")
    return found


def _counts(files: Files, codes: dict, report: Report) -> None:
    official = load_manifest("bp4d").counts
    report.compare(
        "participants", len({person for person, _ in codes}), official["participants"], "participants with codes"
    )
    report.compare("sessions", len(codes), official["sessions"], "sessions with codes")
    report.compare("label rows", sum(len(c.frame) for c in codes.values()), official["frames"], "label rows")
    report.compare(
        "intensity files", len(files.intensity), official["sessions"] * len(BP4D_INTENSITIES), "intensity files"
    )
    sessions = {(participant, task) for participant in PARTICIPANTS for task in TASKS}
    for what, missing in (("images", sessions - set(files.images)), ("codes", sessions - set(files.occurrence))):
        if missing and len(missing) < len(sessions):
            some = ", ".join(" ".join(session) for session in sorted(missing)[:4])
            report.add(NOTE, "sessions", f"{len(missing)} without {what}: {some}{', …' if len(missing) > 4 else ''}")


def _offsets(files: Files, codes: dict, report: Report) -> None:
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
        report.add(
            GOOD,
            "offset",
            "every label row has its image under both offsets, so counting cannot tell them apart; keep 0",
        )
    else:
        better = OFFSETS[int(np.argmin(lost))]
        text = ", ".join(f"{offset}: {count:,} rows without an image" for offset, count in zip(OFFSETS, lost))
        report.add(GOOD if min(lost) == 0 else NOTE, "offset", f"{text}; recommended frame_offset {better}")
    if min(lost) == int(table["label rows"].sum()):
        report.add(PROBLEM, "offset", "no label row has its image; these codes and images do not belong together")
    apart = table[table[names[0]] != table[names[1]]]
    report.tables["Label rows without an image, by offset"] = apart if len(apart) else table[table[names[0]] > 0]
    if not len(report.tables["Label rows without an image, by offset"]):
        del report.tables["Label rows without an image, by offset"]


def _listings(files: Files, codes: dict, report: Report) -> None:
    digits = Counter(digit for images in files.images.values() for digit in images.padding)
    report.add(
        GOOD, "names", "digits in image names: " + ", ".join(f"{d} in {n} sessions" for d, n in sorted(digits.items()))
    )
    gaps = {
        session: int(images.numbers[-1] - images.numbers[0] + 1 - len(images.numbers))
        for session, images in files.images.items()
    }
    holes = {session: count for session, count in gaps.items() if count}
    first = Counter(int(images.numbers[0]) for images in files.images.values())
    report.add(
        GOOD, "names", "first image numbers: " + ", ".join(f"{n} in {c} sessions" for n, c in first.most_common(3))
    )
    if holes:
        some = ", ".join(f"{' '.join(session)} ({count})" for session, count in sorted(holes.items())[:4])
        report.add(NOTE, "gaps", f"image numbers missing between first and last in {len(holes)} sessions: {some}")
    else:
        report.add(GOOD, "gaps", "no image number is missing inside a session")
    coded = sum(len(some.frame) for some in codes.values())
    images = sum(len(images.numbers) for images in files.images.values())
    report.add(GOOD, "images", f"{images:,} images for {coded:,} label rows")


def _pictures(files: Files, codes: dict, report: Report) -> None:
    """Sizes in bytes of the labelled images, and one image a participant opened."""
    from ...faces.sources import read_grey

    empty, opened, sizes, bad = [], set(), Counter(), []
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


def _codes(codes: dict, report: Report) -> None:
    odd: Counter = Counter()
    for some in codes.values():
        odd.update(some.odd)
    strange = {what: count for what, count in odd.items() if count}
    for what, count in sorted(strange.items()):
        report.add(NOTE, "codes", f"{what}: {count:,}")
    if not strange:
        report.add(GOOD, "codes", "the twelve action units hold 0 and 1 only, intensities 0 to 5")
    rows = []
    for unit in BP4D_ACTION_UNITS:
        values = np.concatenate(
            [some.codes[unit] for some in codes.values() if unit in some.codes] or [np.empty(0, np.int8)]
        )
        known = values >= 0
        rows.append(
            {
                "action unit": unit,
                "present %": round(100 * float((values[known] == 1).mean()), 1) if known.any() else None,
                "missing": int((~known).sum()),
                "people who never show it": _never(codes, unit),
            }
        )
    report.tables["Action units"] = pd.DataFrame(rows)


def _never(codes: dict, unit: str) -> str:
    shown: dict[str, bool] = {}
    for (participant, _), some in codes.items():
        if unit in some.codes:
            shown[participant] = shown.get(participant, False) or bool((some.codes[unit] == 1).any())
    return " ".join(sorted(person for person, any_shown in shown.items() if not any_shown))


def _ranking(codes: dict, report: Report) -> None:
    """The template ranking over all label rows, beside the one computed from published label lists."""
    counts: dict[str, np.ndarray] = {}
    for (participant, _), some in codes.items():
        shown = np.array(
            [int((some.codes[unit] == 1).sum()) if unit in some.codes else 0 for unit in BP4D_ACTION_UNITS]
        )
        counts[participant] = counts.get(participant, 0) + shown
    if not counts:
        return
    ranking = rank_participants(pd.DataFrame(counts, index=list(BP4D_ACTION_UNITS)).T)
    published = {entry.participant: entry.median for entry in load_manifest("bp4d").template_ranking}
    table = ranking[["rank", "median"]].rename_axis("participant").reset_index()
    table["published median"] = [published.get(person) for person in table["participant"]]
    report.tables["Template ranking"] = table
    agreeing = [
        person
        for person, median in published.items()
        if person in ranking.index and ranking.loc[person, "median"] == median
    ]
    first, expected = table["participant"].iloc[0], next(iter(published))
    level = GOOD if first == expected and len(agreeing) == len(published) else NOTE
    report.add(
        level,
        "template",
        f"the paper's rule gives {first}; expected {expected}; {len(agreeing)} of {len(published)} "
        "published medians agree",
    )


def _samples(files: Files, codes: dict, count: int) -> list[tuple]:
    found = []
    for session, some in codes.items():
        if session in files.images and len(some.frame):
            _, sources = files.images[session].sources(some.frame)
            chosen = (
                [sources[k] for k in np.unique(np.linspace(0, len(sources) - 1, count).round().astype(int))]
                if sources
                else []
            )
            found.append((session[0], chosen, np.full(len(chosen), -1)))
    return found
