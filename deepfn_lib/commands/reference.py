"""`deepfn reference`: the run behind the verdicts, longer than a reader waits. Its small tables are committed.

A few repetitions of one arm in one family of conditions after another, all arms before the next few: it can be stopped
at any moment, a part can be made alone, and what is in the tables already is not made again, on another machine either.
"""

import io
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
import pandas as pd

from ..arms import ORACLE, ORIGINAL, OURS, PAPERS, STABILISED, SUBTRACTED, UNTRAINED, find
from ..artefacts import Store, environment, replacing, write_json
from ..errors import StudyError
from ..frames import BP4D_ACTION_UNITS, INTENSITIES, OCCURRENCES
from ..recognition.protocol import FAMILIES
from ..recognition.scores import KEYS, SCORE_COLUMNS
from ..statistics import last_gains, repetition_scores, trained
from ..statistics.reference import (
    CARD,
    CONSTANTS,
    COURSES,
    CURVE,
    FACES,
    FRAMES,
    HALF_TRAINED,
    NEARNESS,
    PARTICIPANTS,
    SCANS,
    SCORES,
    SENSITIVITY,
    TRAINED,
    reference_folder,
)
from ..study import Study, quality
from ..study.makers import MOTION_VARIANTS
from ..study.scores import SCORES as SCORES_FILE

STRANGERS = "people"  # the family in which everything is scored
JUDGED = (ORIGINAL, SUBTRACTED, PAPERS, OURS, ORACLE)  # what is scored in the others
SENSITIVE = (ORIGINAL, SUBTRACTED, OURS, ORACLE)  # what is scored by classifiers that are trained otherwise
MARKS = (100, 300, 1000)  # iterations at which the paper's method is looked at
TOGETHER = 4  # repetitions of an arm that are trained in one go
PARTS = ("scores", "curve", "sensitivity", "courses")
PEOPLE_OF_CURVE = 8
# How the classifiers are trained, otherwise (chapter 9): the paper's learning rate has not learnt by its 50 epochs.
CHANGES: dict[str, dict[str, Any]] = {
    "half the epochs": {"epochs": 30},
    "twice the epochs": {"epochs": 120},
    "the paper's learning rate and epochs": {"classifier_learning_rate": 5e-5, "epochs": 50},
    "the paper's learning rate, 300 epochs": {"classifier_learning_rate": 5e-5, "epochs": 300},
    "a batch of 128": {"classifier_batch": 128},
    "grey levels as inputs": {"classifier_inputs": "0-1"},
}
FOLLOWED = 3  # people whose networks are followed
# On faces from scans: what is scored, and a corpus and a network that two cores make beside other work.
CARRIED = (ORIGINAL, SUBTRACTED, STABILISED, UNTRAINED, OURS, ORACLE)
SMALL = {
    "bp4d_people": 12,
    "disfa_people": 4,
    "bp4d_frame_rate": 0.5,
    "disfa_frame_rate": 0.05,
    "motion_iterations": 1500,
    "repetitions": 4,
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


def run_reference(
    store: Store,
    only: Sequence[str] = (),
    families: Sequence[str] = (),
    parts: Sequence[str] = PARTS,
    again: bool = False,
) -> Path:
    """Go on with the tables, or with some `parts` of them; the folder.

    "scores": of everything of `shown` (or `only` some). "curve": classifiers of one's own over their number of frames.
    "sensitivity": classifiers trained otherwise. "courses": the paper's method over its training.
    `families` of conditions: strangers for everything, the others for JUDGED (or `only` some). Lines of what is not
    asked for stay; repetitions that are there already are made anew with `again` alone.
    Raises StudyError for a name that is not there.
    """
    study = Study.open("reference", artefacts=str(store.root))
    files, folder = shown(study), reference_folder()
    for given, there in ((only, files), (families, FAMILIES), (parts, PARTS)):
        if unknown := [name for name in given if name not in there]:
            raise StudyError(f"{unknown[0]!r} is nothing of the reference run; there are {', '.join(there)}")
    if "scores" in parts:
        _make_scores(
            folder, study, files, only, families or sorted(FAMILIES, key=lambda name: name != STRANGERS), again
        )
        _keep_people(folder, study)
    if "curve" in parts and (again or not (folder / CURVE).exists()):
        with _noted(folder, study):
            _make_curve(folder, store)
    if "sensitivity" in parts:
        _make_sensitivity(folder, study, files, again)
    if "courses" in parts and (again or not (folder / COURSES).exists()):
        people = [name for name in study.others if name.startswith("BP4D")]
        people = people[:: max(1, len(people) // FOLLOWED)][:FOLLOWED]
        with _noted(folder, study):
            found = study.courses(people, MARKS).round(4)
            (folder / COURSES).unlink(missing_ok=True)  # of the same people at the same marks, or not at all
            _keep(folder / COURSES, found, ["person"], {"person": people})
    return folder


def _make_scores(
    folder: Path,
    study: Study,
    files: dict[str, Callable[[], Path]],
    only: Sequence[str],
    families: Sequence[str],
    again: bool,
) -> None:
    """The first few repetitions of every arm in every family, then the next."""
    drawn = {family: study.draw((family,)) for family in families}
    for first in range(0, study.settings.repetitions, TOGETHER):
        for family, splits in drawn.items():
            some = splits[splits["repetition"].between(first, first + TOGETHER - 1)]
            possible = files if family == STRANGERS else [name for name in JUDGED if name in files]
            for name in [one for one in only or possible if one in possible]:
                if len(some) and (again or not set(some["repetition"]) <= _repetitions_there(folder, name, family)):
                    _score(folder, study, name, files[name], some, list(files))


def _score(
    folder: Path, study: Study, name: str, arm: Callable[[], Path], splits: pd.DataFrame, order: Sequence[str]
) -> Path:
    """Score an arm on some splits and keep the lines, of arms in this `order`; the arm's file."""
    made: dict[str, str] = {}
    with _noted(folder, study, made):
        path = arm()
        made[name] = path.parent.name
        _keep_scores(folder, study.judged(study.models(splits), {name: path}), order)
    return path


def _make_sensitivity(folder: Path, study: Study, files: dict[str, Callable[[], Path]], again: bool) -> None:
    """The scores of SENSITIVE, on strangers' first few repetitions, by classifiers trained otherwise."""
    splits = study.draw((STRANGERS,))
    models = study.models(splits[splits["repetition"] < TOGETHER])
    for change, values in CHANGES.items():
        other = study.changed(**values)
        for name in SENSITIVE:
            if again or _there(folder / SENSITIVITY, change=change, arm=name).empty:
                with _noted(folder, study):
                    _keep_change(folder, change, name, other.judged(models, {name: files[name]()}))


def run_scans(store: Store, checkout: str, only: Sequence[str] = ()) -> Path:
    """Score CARRIED (or `only` some) on strangers with faces of a checkout of ICT-FaceKit, measure their nearness to
    the exact answers, and write the tables and a picture into a folder of their own; the folder.

    Raises StudyError for a name that is not there, and for what is no checkout.
    """
    chosen = {**SMALL, "ict_facekit": checkout, "arms": CARRIED, "normaliser_arm": OURS}
    study, folder = Study.open("reference", chosen, str(store.root)), reference_folder() / SCANS
    if unknown := [name for name in only if name not in CARRIED]:
        raise StudyError(f"{unknown[0]!r} is not scored on faces from scans; there are {', '.join(CARRIED)}")
    splits = study.draw((STRANGERS,))
    for name in only or CARRIED:
        path = _score(folder, study, name, partial(study.arm_path, name), splits, CARRIED)
        near = quality.summary(study.quality({name: path})).round(4)
        _keep(folder / NEARNESS, near, ["arm"], {"arm": list(CARRIED)})
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


def _make_curve(folder: Path, store: Store) -> None:
    """Chapter 13 trains its curve, and keeps the rows where the run's tables are."""
    from .runner import failures, run_chapters

    with tempfile.TemporaryDirectory() as place:
        rows = Path(place) / CURVE
        given = {"write": str(rows), "people": PEOPLE_OF_CURVE}
        runs = run_chapters("reference", given, ["13"], store, destination=Path(place) / "pages", again=True)
        if failures(runs):
            raise StudyError(f"{failures(runs)}: {runs[0].error}")
        with replacing(folder / CURVE) as stream:
            pd.read_parquet(rows).to_parquet(stream, index=False, compression="zstd")


def _there(path: Path, **wanted: str) -> pd.DataFrame:
    """The lines of a table that have these values; none where it was not made yet."""
    if not path.exists():
        return pd.DataFrame()
    lines = pd.read_csv(path)
    return lines[np.logical_and.reduce([lines[column] == value for column, value in wanted.items()])]


def _keep_change(folder: Path, change: str, arm: str, judged: Path) -> None:
    """A participant's score and ROC AUC by each model, and what the last tenth of its epochs gained, percent."""
    scores, courses = (pd.read_parquet(judged / name) for name in (SCORES_FILE, "courses.parquet"))
    measures = {name: repetition_scores(scores, value=name) for name in ("score", "roc_auc")}
    lines = pd.DataFrame(measures).reset_index().assign(change=change, arm=arm)
    lines["last_gain"] = 100 * float(last_gains(trained(courses)).iloc[0])
    order = {"change": list(CHANGES), "arm": list(SENSITIVE)}
    _keep(folder / SENSITIVITY, lines.round(3), ["change", "arm"], order)


def _repetitions_there(folder: Path, arm: str, family: str) -> set[int]:
    """The repetitions that the tables have of an arm in a family."""
    return set(_there(folder / TRAINED, arm=arm, family=family).get("repetition", ()))


def _keep_scores(folder: Path, judged: Path, arms: Sequence[str]) -> None:
    """Put the tables of one arm in one family where the run's are."""
    scores = pd.read_parquet(judged / SCORES_FILE, columns=SCORE_COLUMNS)
    constants = pd.read_parquet(judged / CONSTANTS)
    order = {"arm": list(arms), "family": list(FAMILIES)}
    for table in (scores, constants):
        table[table.select_dtypes("float").columns] = table.select_dtypes("float").astype("float32")
    _keep(folder / SCORES, scores, ["arm", "condition", "repetition"], order)
    _keep(folder / CONSTANTS, constants, [KEYS[0], "repetition"], {})
    lines = trained(pd.read_parquet(judged / "courses.parquet")).round(4)
    _keep(folder / TRAINED, lines, ["arm", "family", "repetition"], order)


def _keep_people(folder: Path, study: Study) -> None:
    """Who is in the run and what their labels are: what pages say about groups stands on it, without a picture."""
    frames = study.faces.frames[["dataset", "participant", "task", *OCCURRENCES, *INTENSITIES]]
    with replacing(folder / FRAMES) as stream:
        frames.to_parquet(stream, index=False, compression="zstd")
    _keep(folder / PARTICIPANTS, study.faces.participants, ["dataset", "participant"], {})


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


@contextmanager
def _noted(folder: Path, study: Study, made: Mapping[str, str] = MappingProxyType({})) -> Iterator[None]:
    """What is done here goes onto the card with its seconds, and the arms `made` by then, name to artefact."""
    began = time.monotonic()
    yield
    _note(folder, study, made, time.monotonic() - began)


def _note(folder: Path, study: Study, made: Mapping[str, str], seconds: float) -> None:
    """The card: what each line rests on."""
    path = folder / CARD
    card = json.loads(path.read_text()) if path.exists() else {"arms": {}, "seconds": 0.0}
    told = environment()
    settings = study.settings.model_dump(exclude={"cluster", "workers", "gpus_per_worker", "ict_facekit"})
    card |= {"command": "deepfn reference", "commit": told["commit"], "versions": told["versions"]}
    card |= {"settings": settings, "finished": time.strftime("%Y-%m-%d")}
    card["arms"] |= made
    costs = card.setdefault("costs", {})
    for name in made:
        if name in study.arms and find(name).network:
            costs[name] = study.spent(name)
    card["seconds"] = round(card["seconds"] + seconds)
    write_json(path, card)
