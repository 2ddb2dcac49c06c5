"""From splits and arms to `scores.parquet`, the table under every number of the results chapters."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..artefacts import replacing
from ..cluster import HERE, Machine
from ..frames import BP4D_ACTION_UNITS, SHARED_ACTION_UNITS
from ..measures import score
from .jobs import Model, Result, train_models
from .protocol import Split, Training, named_seeds

CODE_VERSION = 1  # raise when the same settings would give other scores
SCORE_COLUMNS = [
    "condition",
    "train_group",
    "test_group",
    "arm",
    "repetition",
    "participant",
    "action_unit",
    "f1",
    "accuracy",
    "roc_auc",
    "n_frames",
    "n_positive",
]
KEYS = ["condition", "train_group", "test_group", "repetition", "participant", "action_unit"]


def action_units_of(family: str) -> tuple[str, ...]:
    """The action units that a family's models recognise: five for the dataset conditions, else twelve."""
    return SHARED_ACTION_UNITS if family == "dataset" else BP4D_ACTION_UNITS


@dataclass(frozen=True)
class Tested:
    """One test of a split: the participant of each row as a number, and the participants' names in that order."""

    rows: np.ndarray
    groups: np.ndarray
    participants: list[str]


def tested(split: Split, test_group: str, names: np.ndarray) -> Tested:
    """The participants of a test; `names` is the frame table's participant column."""
    rows = split.tests[test_group]
    participants, groups = np.unique(names[rows], return_inverse=True)
    return Tested(rows, groups.astype(np.int32), participants.tolist())


def label_array(frames: pd.DataFrame) -> np.ndarray:
    """Labels of BP4D's twelve action units, int8 (frames, 12): 1, 0, and -1 where not coded."""
    return np.ascontiguousarray(frames[list(BP4D_ACTION_UNITS)].to_numpy(np.int8))


def train_and_judge(
    folder: Path,
    frames: pd.DataFrame,
    splits: Sequence[Split],
    arms: Mapping[str, Path],
    *,
    seed: int,
    training: Training,
    keep_predictions: Sequence[str] = (),
    machine: Machine = HERE,
) -> None:
    """Train and judge every model of `splits` on every arm; leave the tables in `folder`.

    `frames`: the frame table. `arms`: name to the path of an array uint8 (frames, 64, 64). `keep_predictions`:
    families of which the test probabilities are stored (float16).
    Leaves `scores.parquet` (SCORE_COLUMNS), `constants.parquet`, `courses.parquet` (loss and validation F1 of each
    epoch), `labels.npy`, and `predictions/<arm>/<model>.npz`. Each model's result is stored in `parts/` as its job
    ends, so an interrupted run continues.
    """
    labels, names = label_array(frames), frames["participant"].astype(str).to_numpy()
    np.save(folder / "labels.npy", labels)
    models = [
        _model(split, names, seed, split.epochs or training.epochs, split.family in keep_predictions)
        for split in splits
    ]
    todo = [
        (arm, str(path), group)
        for arm, path in arms.items()
        for group in _grouped([m for m in models if not _part(folder, arm, m.name).exists()])
    ]

    def store(position: int, results: list[Result]) -> None:
        for result in results:
            _write_part(_part(folder, todo[position][0], result.name), result)

    jobs = [(path, str(folder / "labels.npy"), training, group) for _, path, group in todo]
    if jobs:
        machine.run(train_models, jobs, description="classifiers", done=store)
    scores, courses = _assemble(folder, splits, list(arms), names)
    scores.to_parquet(folder / "scores.parquet")
    courses.to_parquet(folder / "courses.parquet")
    constants(labels, splits, names, training.empty_f1).to_parquet(folder / "constants.parquet")
    _move_predictions(folder)
    shutil.rmtree(folder / "parts")


def _model(split: Split, names: np.ndarray, seed: int, epochs: int, keep: bool) -> Model:
    own_seed = named_seeds(seed, "weights", split.family, split.train_group, split.repetition).generate_state(1)[0]
    tests = {group: tested(split, group, names) for group in split.tests}
    columns = tuple(BP4D_ACTION_UNITS.index(unit) for unit in action_units_of(split.family))
    return Model(
        split.name,
        int(own_seed),
        epochs,
        columns,
        split.train,
        split.validation,
        {group: test.rows for group, test in tests.items()},
        {group: test.groups for group, test in tests.items()},
        {group: len(test.participants) for group, test in tests.items()},
        keep,
    )


def _grouped(models: list[Model]) -> list[list[Model]]:
    """Jobs of about equal cost: the small person-dependent trainings go many to a job."""
    if not models:
        return []
    limit = max(model.frames_seen for model in models)
    jobs: list[list[Model]] = [[]]
    cost = 0
    for model in sorted(models, key=lambda m: (len(m.columns), m.frames_seen, m.name), reverse=True):
        if jobs[-1] and cost + model.frames_seen > limit:
            jobs.append([])
            cost = 0
        jobs[-1].append(model)
        cost += model.frames_seen
    return jobs


def _part(folder: Path, arm: str, name: str) -> Path:
    return folder / "parts" / arm / f"{name}.npz"


def _write_part(path: Path, result: Result) -> None:
    arrays = {"losses": result.losses, "validation_f1": result.validation_f1, "best_epoch": np.int32(result.best_epoch)}
    for group, measures in result.tests.items():
        arrays |= {f"{group}/{measure}": values for measure, values in measures.items()}
    arrays |= {f"{group}/predictions": values for group, values in result.predictions.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]  # NumPy takes one of its options for an array


def _assemble(
    folder: Path, drawn: Sequence[Split], arms: Sequence[str], names: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The parts as tables: scores (SCORE_COLUMNS) and courses, rows in the order of arms and splits."""
    scores, courses = [], []
    for arm in arms:
        for split in drawn:
            with np.load(_part(folder, arm, split.name)) as part:
                for group in split.tests:
                    measures = {m: part[f"{group}/{m}"] for m in SCORE_COLUMNS[-5:]}
                    rows = _score_rows(split, group, tested(split, group, names), measures)
                    scores.append(rows.assign(arm=arm))
                courses.append(_course(split, arm, part))
    return pd.concat(scores, ignore_index=True)[SCORE_COLUMNS], pd.concat(courses, ignore_index=True)


def _score_rows(split: Split, test_group: str, test: Tested, measures: Mapping[str, np.ndarray]) -> pd.DataFrame:
    units = action_units_of(split.family)
    return pd.DataFrame(
        {
            "condition": split.condition(test_group),
            "train_group": split.train_group,
            "test_group": test_group,
            "repetition": np.int32(split.repetition),
            "participant": np.repeat(test.participants, len(units)),
            "action_unit": np.tile(units, len(test.participants)),
        }
        | {name: np.asarray(values).ravel() for name, values in measures.items()}
    )


def _course(split: Split, arm: str, part: Mapping) -> pd.DataFrame:
    epochs = np.arange(len(part["losses"]), dtype=np.int32)
    return pd.DataFrame(
        {
            "family": split.family,
            "train_group": split.train_group,
            "arm": arm,
            "repetition": np.int32(split.repetition),
            "epoch": epochs,
            "loss": part["losses"],
            "validation_f1": part["validation_f1"],
            "kept": epochs == int(part["best_epoch"]),
        }
    )


def _move_predictions(folder: Path) -> None:
    """Keep the probabilities of the parts that have them: `predictions/<arm>/<model>.npz`, one array a test group."""
    for path in sorted((folder / "parts").glob("*/*.npz")):
        with np.load(path) as part:
            kept = {key.removesuffix("/predictions"): part[key] for key in part if key.endswith("/predictions")}
        if kept:
            target = folder / "predictions" / path.parent.name / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            np.savez(target, **kept)


def constants(labels: np.ndarray, drawn: Sequence[Split], names: np.ndarray, empty_f1: str) -> pd.DataFrame:
    """What predictors that see no image earn in the same tests, one row for each row of an arm's scores.

    Columns: KEYS, then scores (0–1): `constant_score` says for each action unit what scores best on the
    split's training people, `best_constant_score` what scores best on its test people, `always_score` and
    `never_score` the one answer throughout; and `says_present`, the first one's answer.
    """
    tables = []
    for split in drawn:
        columns = [BP4D_ACTION_UNITS.index(unit) for unit in action_units_of(split.family)]
        people, groups = np.unique(names[split.train], return_inverse=True)
        learnt = _best_answer(_both_answers(labels[split.train][:, columns], groups, len(people), empty_f1))
        for test_group in split.tests:
            test = tested(split, test_group, names)
            answers = _both_answers(labels[test.rows][:, columns], test.groups, len(test.participants), empty_f1)
            never, always = answers
            measures = {
                "constant_score": np.where(learnt, always, never),
                "best_constant_score": np.where(_best_answer(answers), always, never),
                "always_score": always,
                "never_score": never,
                "says_present": np.broadcast_to(learnt, always.shape),
            }
            tables.append(_score_rows(split, test_group, test, measures))
    return pd.concat(tables, ignore_index=True)


def _both_answers(
    labels: np.ndarray, groups: np.ndarray, n_groups: int, empty_f1: str
) -> tuple[np.ndarray, np.ndarray]:
    """Scores (groups, action units) of saying "absent" and of saying "present" throughout."""
    n_positive = score.confusion(labels, labels >= 0, groups, n_groups)[0]
    n_frames = sum(score.confusion(labels, labels >= 0, groups, n_groups))
    absent, present = (score.constant_score(n_positive, n_frames, says, empty_f1) for says in (False, True))
    return absent, present


def _best_answer(answers: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Whether "present" scores better than "absent", the mean over people, for each action unit."""
    never, always = (np.nan_to_num(scores).mean(axis=0) for scores in answers)
    return always > never
