"""`deepfn check`: is this folder BP4D or DISFA, is it whole, and does it agree with what others have found in it?

Reads label files and folder listings; of the pictures only sizes in bytes, one image a participant, and which
frames each video holds. Writes reports and nothing else.
"""

import sys
from pathlib import Path
from typing import TextIO

import pandas as pd

from ...datasets.manifests import check_groups, load_manifest, read_groups
from ...errors import StudyError
from ...frames import participant_table
from .bp4d import check_bp4d
from .disfa import check_disfa
from .report import GOOD, NOTE, PROBLEM, Report, Samples

KINDS = {"BP4D": check_bp4d, "DISFA": check_disfa}


def check_dataset(root: str | Path, kind: str, *, groups: str = "", faces: str | Path = "", sample: int = 0) -> Report:
    """The integrity report of the folder `root`, `kind` being "BP4D" or "DISFA".

    `groups` is the licensee's groups file; `faces` the folder of a faces artefact, whose detection failures are then
    given by gender and skin group; `sample` frames of each session are otherwise tried (0: none). Nothing is raised for
    a folder that cannot be used: the report says so.
    """
    report = Report(f"{kind} check", str(root))
    try:
        people, samples = KINDS[kind](root, report)
        participants = participant_table(kind, people)
        if groups:
            participants, notices = read_groups(groups, participants)
            for notice in notices:
                report.add(NOTE, "groups", notice)
        _check_groups(report, kind, participants)
        if faces:
            _stored_detections(report, Path(faces), kind)
        elif sample:
            _sampled_detections(report, Path(root), participants, samples, sample)
    except StudyError as problem:
        report.add(PROBLEM, "folder", str(problem))
    return report


def _check_groups(report: Report, kind: str, participants: pd.DataFrame) -> None:
    manifest = load_manifest(kind.lower())
    template = report.tables["Template ranking"]["participant"].iloc[0] if "Template ranking" in report.tables else ""
    skin, gender = ((participants[column] != "").any() for column in ("skin_group", "gender"))
    if kind == "DISFA" and not gender:
        report.add(NOTE, "groups", "gender is not given (a CSV with participant,gender); the study does not need it")
        return
    differences = check_groups(participants, manifest, template)
    if kind == "BP4D" and not skin:
        need = "no skin groups (give a CSV with participant,skin_group); the skin chapter needs them"
        report.add(NOTE, "groups", need)
        differences = [line for line in differences if "everyone" in line]
    for line in differences:
        report.add(NOTE, "groups", line)
    if not differences:
        report.add(GOOD, "groups", "those that are known have the paper's sizes")


def failure_table(detections: pd.DataFrame, participants: pd.DataFrame) -> pd.DataFrame:
    """Detection failures by gender and skin group: `detections` has participant, due, failed, recovered.

    Rates are shares of the frames that were due for detection, with the number of people they come from.
    """
    table = detections.merge(participants[["participant", "gender", "skin_group"]], on="participant", how="left")
    rows = []
    for column in ("gender", "skin_group"):
        for group, some in table.groupby(table[column].fillna("").replace("", "not given")):
            due, failed, recovered = some[["due", "failed", "recovered"]].sum()
            rows.append(
                {
                    "by": column.replace("_", " "),
                    "group": group,
                    "people": some["participant"].nunique(),
                    "frames tried": due,
                    "without a face": failed,
                    "not even beside": failed - recovered,
                    "failure %": round(100 * failed / max(due, 1), 2),
                }
            )
    return pd.DataFrame(rows)


def _stored_detections(report: Report, faces: Path, kind: str) -> None:
    try:
        detections = pd.read_parquet(faces / "detections.parquet")
        participants = pd.read_parquet(faces / "participants.parquet")
    except OSError as problem:
        raise StudyError(f"{faces} is no faces artefact ({problem.strerror or problem}); see `deepfn status`") from None
    detections = detections[detections["dataset"] == kind]
    report.tables["Detection failures by group"] = failure_table(detections, participants)
    report.add(GOOD, "detection", f"{int(detections['due'].sum()):,} detections of the faces artefact, by group below")


def _sampled_detections(report: Report, root: Path, participants: pd.DataFrame, samples: Samples, count: int) -> None:
    """Try the detector on `count` frames of each session; only counts are kept."""
    from ...faces.detection import detect
    from ...faces.sources import grey_frames
    from ...progress import progress

    rows = []
    for participant, sources, indices in progress(samples(count), description="detection", unit="session"):
        pictures = [image for _, image, _ in grey_frames(root, sources, indices) if image is not None]
        found = int(detect(pictures).found.sum()) if pictures else 0
        rows.append((participant, len(pictures), len(pictures) - found, 0))
    detections = pd.DataFrame(rows, columns=["participant", "due", "failed", "recovered"])
    report.tables["Detection failures by group"] = failure_table(detections, participants)
    missed = int(detections["failed"].sum())
    tried = int(detections["due"].sum())
    level = NOTE if missed else GOOD
    report.add(level, "detection", f"{missed:,} of {tried:,} sampled frames without a face")


def run_check(
    bp4d: str = "",
    disfa: str = "",
    out: str | Path = "",
    *,
    groups: str = "",
    faces: str = "",
    sample: int = 0,
    stream: TextIO | None = None,
) -> int:
    """Check the folders given, print the reports, save them in `out` where it is given.

    Returns 0 where all can be used, else 1. Raises StudyError where no folder is given.
    """
    stream = stream or sys.stdout
    folders = {"BP4D": bp4d, "DISFA": disfa}
    if not any(folders.values()):
        raise StudyError("nothing to check; give --bp4d FOLDER, --disfa FOLDER or both")
    usable = True
    for kind, folder in folders.items():
        if not folder:
            continue
        report = check_dataset(folder, kind, groups=groups, faces=faces, sample=sample)
        usable &= report.usable
        print(report.text(), file=stream)
        if out:
            saved = report.save(Path(out), f"check-{kind.lower()}")
            print(f"saved: {', '.join(str(path) for path in saved)}", file=stream)
        print(file=stream)
    return 0 if usable else 1
