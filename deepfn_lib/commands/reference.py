"""`deepfn reference`: the run behind the verdicts, longer than a reader waits. Its small tables are committed.

One arm in one family of conditions after another, each an artefact of its own: it can be stopped at any moment and goes
on, and a part can be made alone.
"""

import io
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from ..arms import ORACLE, ORIGINAL, OURS, PAPERS, STABILISED, SUBTRACTED, UNTRAINED
from ..artefacts import Store, environment, replacing, write_json
from ..errors import StudyError
from ..frames import BP4D_ACTION_UNITS
from ..recognition.protocol import FAMILIES
from ..recognition.scores import KEYS, SCORE_COLUMNS
from ..statistics import trained
from ..statistics.reference import (
    CARD,
    CONSTANTS,
    COURSES,
    FACES,
    HALF_TRAINED,
    NEARNESS,
    SCANS,
    SCORES,
    TRAINED,
    reference_folder,
)
from ..study import Study, quality
from ..study.makers import MOTION_VARIANTS
from ..study.scores import SCORES as SCORES_FILE

STRANGERS = "people"  # the family in which everything is scored
JUDGED = (ORIGINAL, SUBTRACTED, PAPERS, OURS, ORACLE)  # what is scored in the others
MARKS = (100, 300, 1000)  # iterations at which the paper's method is looked at
FOLLOWED = 3  # people whose networks are followed
# On faces from scans: what is scored, and a corpus and a network that two cores make beside other work.
CARRIED = (ORIGINAL, SUBTRACTED, STABILISED, UNTRAINED, OURS, ORACLE)
SMALL = {
    "bp4d_people": 12,
    "disfa_people": 4,
    "bp4d_frame_rate": 0.5,
    "disfa_frame_rate": 0.05,
    "motion_iterations": 1500,
}
SHOWN = 6  # people of its picture


def shown(study: Study) -> dict[str, Callable[[], Path]]:
    """Everything that LeNet-5 is shown, by name: arms, our arm with something changed, and networks trained anew."""
    files: dict[str, Callable[[], Path]] = {name: partial(study.arm_path, name) for name in study.arms}
    files |= {name: partial(study.arm_path, name) for name in study.still_arms}
    files |= {label: partial(study.motion_arm, how) for label, how in MOTION_VARIANTS.items()}
    files["codes matched"] = study.matched_arm
    # Networks of half the iterations, to be compared with the first of them.
    half = replace(study.motion, iterations=max(1, study.motion.iterations // 2))
    files[HALF_TRAINED] = partial(study.motion_arm, {}, half)
    files[f"{HALF_TRAINED}, people it never saw"] = partial(study.unseen_arm, half)
    files[f"{HALF_TRAINED}, a code without shades"] = partial(study.motion_arm, {}, replace(half, shades=0))
    files[f"{HALF_TRAINED}, a code of 16 and 32"] = partial(study.motion_arm, {}, replace(half, code=16))
    return files


def run_reference(store: Store, only: Sequence[str] = (), families: Sequence[str] = (), courses: bool = True) -> Path:
    """Score everything of `shown` (or `only` some), follow the paper's method, and write the tables; the folder.

    `families` of conditions: strangers for everything, the others for JUDGED (or `only` some). Lines of what is not
    asked for stay. Raises StudyError for a name that is not there.
    """
    study = Study.open("reference", artefacts=str(store.root))
    files, folder = shown(study), reference_folder()
    for given, there in ((only, files), (families, FAMILIES)):
        if unknown := [name for name in given if name not in there]:
            raise StudyError(f"{unknown[0]!r} is nothing of the reference run; there are {', '.join(there)}")
    for family in families or sorted(FAMILIES, key=lambda name: name != STRANGERS):
        possible = files if family == STRANGERS else [name for name in JUDGED if name in files]
        for name in [one for one in only or possible if one in possible]:
            began, path = time.monotonic(), files[name]()
            judged = study.judged(study.models(study.draw((family,))), {name: path})
            _keep_scores(folder, judged, list(files))
            _note(folder, study, {name: path.parent.name}, time.monotonic() - began)
    if courses:
        people = [name for name in study.others if name.startswith("BP4D")]
        people = people[:: max(1, len(people) // FOLLOWED)][:FOLLOWED]
        began, found = time.monotonic(), study.courses(people, MARKS).round(4)
        (folder / COURSES).unlink(missing_ok=True)  # of the same people at the same marks, or not at all
        _keep(folder / COURSES, found, ["person"], {"person": people})
        _note(folder, study, {}, time.monotonic() - began)
    return folder


def run_scans(store: Store, checkout: str, only: Sequence[str] = ()) -> Path:
    """Score CARRIED (or `only` some) on strangers with faces of a checkout of ICT-FaceKit, measure their nearness to
    the exact answers, and write the tables and a picture into a folder of their own; the folder.

    Raises StudyError for a name that is not there, and for what is no checkout.
    """
    chosen = {**SMALL, "ict_facekit": checkout, "arms": CARRIED, "normaliser_arm": OURS}
    study, folder = Study.open("reference", chosen, str(store.root)), reference_folder() / SCANS
    if unknown := [name for name in only if name not in CARRIED]:
        raise StudyError(f"{unknown[0]!r} is not scored on faces from scans; there are {', '.join(CARRIED)}")
    for name in only or CARRIED:
        began, path = time.monotonic(), study.arm_path(name)
        judged = study.judged(study.models(study.draw((STRANGERS,))), {name: path})
        _keep_scores(folder, judged, CARRIED)
        near = quality.summary(study.quality({name: path})).round(4)
        _keep(folder / NEARNESS, near, ["arm"], {"arm": list(CARRIED)})
        _note(folder, study, {name: path.parent.name}, time.monotonic() - began)
    people = [name for name in study.others if name.startswith("BP4D")][:SHOWN]
    busiest = [_busiest(study, name) for name in people]
    pictures = [study.faces.images[busiest], study.faces.answers[busiest]]
    cv2.imwrite(str(folder / FACES), np.vstack([np.hstack(list(row)) for row in pictures]))
    card = json.loads((folder / CARD).read_text())
    write_json(folder / CARD, {**card, "shown": people, "worn": study.template.name})
    return folder


def _busiest(study: Study, name: str) -> int:
    """The frame of a person that shows the most action units: its row."""
    rows = study.faces.rows(name)
    return int(rows[(study.faces.frames[list(BP4D_ACTION_UNITS)].to_numpy()[rows] == 1).sum(axis=1).argmax()])


def _keep_scores(folder: Path, judged: Path, arms: Sequence[str]) -> None:
    """Put the tables of one arm in one family where the run's are."""
    scores = pd.read_parquet(judged / SCORES_FILE, columns=SCORE_COLUMNS[:-2])
    constants = pd.read_parquet(judged / CONSTANTS)
    order = {"arm": list(arms), "family": list(FAMILIES)}
    for table in (scores, constants):
        table[table.select_dtypes("float").columns] = table.select_dtypes("float").astype("float32")
    _keep(folder / SCORES, scores, ["arm", "condition"], order)
    _keep(folder / CONSTANTS, constants, KEYS[:1], {})
    lines = trained(pd.read_parquet(judged / "courses.parquet")).round(4)
    _keep(folder / TRAINED, lines, ["arm", "family"], order)


def _keep(path: Path, lines: pd.DataFrame, columns: list[str], order: dict[str, list[str]]) -> None:
    """Put lines in the place of earlier ones of the same names in `columns`, in the order of names."""
    binary = path.suffix == ".parquet"
    earlier = (pd.read_parquet if binary else pd.read_csv)(path) if path.exists() else lines.iloc[:0]
    anew = set(lines[columns].itertuples(index=False, name=None))
    kept = earlier[[row not in anew for row in earlier[columns].itertuples(index=False, name=None)]]
    whole = pd.concat([kept, lines], ignore_index=True)
    for column in reversed(columns):
        places = {name: k for k, name in enumerate(order.get(column, sorted(whole[column].unique())))}
        whole = whole.sort_values(column, key=lambda names, places=places: names.map(places), kind="stable")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as stream:
        if binary:
            whole.to_parquet(stream, index=False, compression="zstd")
        else:
            text = io.TextIOWrapper(stream, write_through=True)
            whole.to_csv(text, index=False, lineterminator="\n")
            text.detach()


def _note(folder: Path, study: Study, made: dict[str, str], seconds: float) -> None:
    """The card: what each line rests on."""
    path = folder / CARD
    card = json.loads(path.read_text()) if path.exists() else {"arms": {}, "seconds": 0.0}
    told = environment()
    settings = study.settings.model_dump(exclude={"cluster", "workers", "gpus_per_worker", "ict_facekit"})
    card |= {"command": "deepfn reference", "commit": told["commit"], "versions": told["versions"]}
    card |= {"settings": settings, "finished": time.strftime("%Y-%m-%d")}
    card["arms"] |= made
    card["seconds"] = round(card["seconds"] + seconds)
    write_json(path, card)
