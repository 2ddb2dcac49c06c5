"""The protocol of section 4.3: who trains, who chooses the epoch and who is tested, in every condition of Table 5.

A *model* is one training: a family ("person", "people", "gender", "skin", "dataset"), a training group within it and a
repetition. The model trained on women of one repetition is tested on the remaining women (within group) and on all men
(across groups): the paper's two conditions then share their models, which pairs them and halves the work. The draw
depends on the seed, the pool of people and the repetition alone: every arm sees the same splits, and the
person-independent models train on the same people as the BP4D models of the dataset conditions.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

CODE_VERSION = 1  # raise when the same inputs would give other splits

# condition: (family, whether the test group is the training group)
CONDITIONS = {
    "person-dependent": ("person", True),
    "person-independent": ("people", True),
    "gender-dependent": ("gender", True),
    "gender-independent": ("gender", False),
    "skin-dependent": ("skin", True),
    "skin-independent": ("skin", False),
    "dataset-dependent": ("dataset", True),
    "dataset-independent": ("dataset", False),
}
FAMILIES = ("person", "people", "gender", "skin", "dataset")
GROUP_COLUMN = {"gender": "gender", "skin": "skin_group", "dataset": "dataset"}
GROUPS = {"gender": ("female", "male"), "skin": ("darker", "lighter"), "dataset": ("BP4D", "DISFA")}
ROLES = ("train", "validation", "within", "cross")
SPLIT_COLUMNS = ["family", "train_group", "repetition", "role", "test_group", "dataset", "participant", "task"]


@dataclass(frozen=True)
class Sizes:
    """How many people (for the person-dependent condition: tasks) train and choose the epoch (paper: 4 and 2)."""

    train_people: int = 4
    validation_people: int = 2
    train_tasks: int = 4
    validation_tasks: int = 2


@dataclass(frozen=True)
class Training:
    """What a training is made of, beside its frames (section 4.3; the batch size is ours)."""

    classifier: str = "lenet-5"
    epochs: int = 50
    batch: int = 32
    learning_rate: float = 5e-5
    beta_1: float = 0.5
    beta_2: float = 0.999
    epsilon: float = 1e-7  # Keras's default
    empty_f1: str = "one-if-no-false-positive"
    inputs: str = "standardised"  # less the training frames' mean picture, over their deviation from it; or "0-1"


def generator(seed: int, *names) -> np.random.Generator:
    """A generator for one named draw: the same name gives the same numbers, whatever was drawn before."""
    return np.random.default_rng(named_seeds(seed, *names))


def named_seeds(seed: int, *names) -> np.random.SeedSequence:
    """The seed sequence of a name below the study's `seed`; stable across machines and Python versions."""
    text = "/".join(str(name) for name in names)
    digest = hashlib.sha256(text.encode()).digest()
    return np.random.SeedSequence([seed, *np.frombuffer(digest[:16], "<u4").tolist()])


def draw_splits(
    frames: pd.DataFrame,
    participants: pd.DataFrame,
    *,
    template: str,
    repetitions: int,
    person_repetitions: int = 0,
    sizes: Sizes = Sizes(),
    seed: int,
    families: tuple[str, ...] = FAMILIES,
) -> tuple[pd.DataFrame, list[str]]:
    """Every split as a table, and a notice for each group that is too small.

    Columns: `family, train_group, repetition, role, test_group, dataset, participant, task`. `role` is train,
    validation, within (test people of the training group) or cross (of another group; `test_group` names it).
    `task` is empty where all of a participant's tasks play the role. Only people of whom `frames` has a row
    take part; `template` (a BP4D participant) takes none. `person_repetitions` are those of the person-dependent
    condition (0: `repetitions`), the first ones of as many.
    """
    present = frames[["dataset", "participant"]].drop_duplicates()
    people = participants.merge(present, on=["dataset", "participant"], how="inner")
    people = people[~((people["dataset"] == "BP4D") & (people["participant"] == template))]
    people = people.sort_values(["dataset", "participant"], ignore_index=True)
    rows: list[tuple] = []
    notices: list[str] = []
    for family in families:
        if family == "person":
            _person_splits(frames, people, sizes, person_repetitions or repetitions, seed, rows, notices)
        else:
            _group_splits(family, people, sizes, repetitions, seed, rows, notices)
    table = pd.DataFrame(rows, columns=SPLIT_COLUMNS)
    return table.astype({"repetition": "int32"}), notices


def _pools(family: str, people: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The groups of a family with their people. All but the dataset conditions are about BP4D (Table 5)."""
    bp4d = people[people["dataset"] == "BP4D"]
    if family == "people":
        return {"BP4D": bp4d}
    source = people if family == "dataset" else bp4d
    return {group: source[source[GROUP_COLUMN[family]] == group] for group in GROUPS[family]}


def _group_splits(family, people, sizes: Sizes, repetitions, seed, rows, notices) -> None:
    pools = _pools(family, people)
    needed = sizes.train_people + sizes.validation_people
    for group, pool in pools.items():
        if len(pool) < needed:
            notices.append(
                f"{family}: no models trained on {group}, {len(pool)} participants where {needed} are needed"
            )
            continue
        others = {name: other for name, other in pools.items() if name != group and len(other)}
        for repetition in range(repetitions):
            order = generator(seed, "people", group, repetition).permutation(len(pool))
            parts = np.split(order, [sizes.train_people, needed])
            for role, members in zip(ROLES, parts):
                test_group = group if role == "within" else ""
                _add(rows, (family, group, repetition, role, test_group), pool.iloc[np.sort(members)])
            for name, other in others.items():
                _add(rows, (family, group, repetition, "cross", name), other)


def _add(rows: list, head: tuple, members: pd.DataFrame) -> None:
    rows += [(*head, dataset, person, "") for dataset, person in zip(members["dataset"], members["participant"])]


def _person_splits(frames, people, sizes: Sizes, repetitions, seed, rows, notices) -> None:
    """The person-dependent condition: each BP4D participant's own tasks, 4 / 2 / the rest."""
    needed = sizes.train_tasks + sizes.validation_tasks
    bp4d = frames[frames["dataset"] == "BP4D"]
    tasks_of = bp4d.groupby("participant", observed=True)["task"].unique()
    for person in people.loc[people["dataset"] == "BP4D", "participant"]:
        tasks = np.sort(np.asarray(tasks_of[person], dtype=str))
        if len(tasks) <= needed:
            notices.append(f"person: no models of {person}, {len(tasks)} tasks where more than {needed} are needed")
            continue
        for repetition in range(repetitions):
            order = generator(seed, "tasks", person, repetition).permutation(len(tasks))
            parts = np.split(order, [sizes.train_tasks, needed])
            for role, members in zip(ROLES, parts):
                head = ("person", person, repetition, role, person if role == "within" else "", "BP4D", person)
                rows += [(*head, task) for task in tasks[np.sort(members)]]


@dataclass(frozen=True)
class Split:
    """One model's rows of the frame table (int32 arrays) and its tests by test group; `label` tells variants apart.

    `epochs` 0: as many as the training has.
    """

    family: str
    train_group: str
    repetition: int
    train: np.ndarray
    validation: np.ndarray
    tests: dict[str, np.ndarray]
    label: str = ""
    epochs: int = 0

    @property
    def name(self) -> str:
        return f"{self.family}-{self.train_group}-{self.repetition:02d}{self.label}"

    def condition(self, test_group: str) -> str:
        """The condition of Table 5 to which the test on `test_group` belongs."""
        within = test_group == self.train_group
        return next(name for name, of in CONDITIONS.items() if of == (self.family, within))


def rows_of(splits: pd.DataFrame, frames: pd.DataFrame, person_epochs: int = 0) -> list[Split]:
    """The splits as rows of `frames`, sorted by family, training group and repetition.

    A model without a training or a validation frame is left out. `person_epochs` are those of the person-dependent
    models, 0 for as many as the others'.
    """
    whole, by_task = _row_index(frames)
    found = []
    for (family, group, repetition), table in splits.groupby(["family", "train_group", "repetition"], observed=True):
        rows: dict[tuple[str, str], list[np.ndarray]] = {}
        for entry in table.itertuples():
            person = (entry.dataset, entry.participant)
            part = by_task[(*person, entry.task)] if entry.task else whole[person]
            role = "test" if entry.role in ("within", "cross") else entry.role
            rows.setdefault((role, entry.test_group), []).append(part)
        joined = {key: np.sort(np.concatenate(parts)).astype(np.int32) for key, parts in rows.items()}
        train, validation = joined.get(("train", "")), joined.get(("validation", ""))
        if train is None or validation is None:
            continue
        tests = {key[1]: part for key, part in joined.items() if key[0] == "test"}
        epochs = person_epochs if family == "person" else 0
        found.append(Split(family, str(group), int(repetition), train, validation, tests, epochs=epochs))
    return found


def _row_index(frames: pd.DataFrame) -> tuple[dict, dict]:
    """Row numbers of each (dataset, participant) and of each (dataset, participant, task)."""
    numbered = frames[["dataset", "participant", "task"]].reset_index(drop=True)
    whole = numbered.groupby(["dataset", "participant"], observed=True).indices
    by_task = numbered.groupby(["dataset", "participant", "task"], observed=True).indices
    return whole, by_task
