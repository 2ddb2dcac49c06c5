"""Do the intervals cover, and do verdicts stay away where nothing is so? Invented studies, whose truth is known."""

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import pandas as pd

from ...arms import ORIGINAL, PAPERS
from ...recognition.protocol import CONDITIONS, GROUPS
from ...statistics import Plan, Run, judge

UNITS = ("AU01", "AU04", "AU14")
SIZES = {"BP4D": 40, "DISFA": 27, "female": 22, "darker": 8, "lighter": 7}  # the paper's Table 4; the others are men
TAKEN = 6  # people of a group who train and choose the epoch
PERSON, HABIT, SPLIT, LUCK, NOISE = 4.0, 1.5, 1.5, 1.0, 2.0  # points, SDs: of what `invented` draws


def invented(seed: Sequence[int], repetitions: int = 4, gain: float = 0.0) -> pd.DataFrame:
    """A study's scores, columns as of `Study.scores`: all conditions are alike, and `PAPERS` gains `gain` points.

    Drawn: each person, what is special about them in a condition, each split, a classifier's luck on an arm, and noise.
    """
    random = np.random.default_rng(seed)
    people = {name: random.normal(0, PERSON) for names in _groups().values() for name in names}
    rows: list[tuple] = []
    for condition, (family, within) in CONDITIONS.items():
        habits = {name: random.normal(0, HABIT) for name in people}
        for group, test_group, repetition, tested in _tests(random, family, within, repetitions):
            # One model has both tests of a family: its luck is that of its name.
            own = np.random.default_rng([*seed, *f"{family}{group}{repetition}".encode()])
            split = own.normal(0, SPLIT)
            for arm, more in ((ORIGINAL, 0.0), (PAPERS, gain)):
                level = 55 + more + split + own.normal(0, LUCK)
                for who in tested:
                    scores = level + people[who] + habits[who] + random.normal(0, NOISE, len(UNITS))
                    head = (condition, group, test_group, arm, repetition, who)
                    rows += [(*head, unit, score / 100, score / 100, 0.5) for unit, score in zip(UNITS, scores)]
    columns = "condition train_group test_group arm repetition participant action_unit f1 accuracy roc_auc".split()
    return pd.DataFrame(rows, columns=columns)


def _groups() -> dict[str, list[str]]:
    """Names by group; women and men, and both skin types, are people of BP4D."""
    bp4d, disfa = ([f"{letter}{n:02d}" for n in range(SIZES[name])] for letter, name in (("B", "BP4D"), ("D", "DISFA")))
    women, men = bp4d[: SIZES["female"]], bp4d[SIZES["female"] :]
    groups = {"BP4D": bp4d, "DISFA": disfa, "female": women, "male": men}
    return groups | {"darker": bp4d[: SIZES["darker"]], "lighter": bp4d[-SIZES["lighter"] :]}


def _tests(random, family: str, within: bool, repetitions: int) -> Iterator[tuple[str, str, int, list[str]]]:
    """Training group, test group, repetition and who is tested, for each test of a condition."""
    groups = _groups()
    if family == "person":
        yield from ((name, name, 0, [name]) for name in groups["BP4D"])
        return
    for group in GROUPS.get(family, ("BP4D",)):
        for repetition in range(repetitions):
            if within:
                left = random.permutation(groups[group])[TAKEN:]
                yield group, group, repetition, sorted(left.tolist())
            for other in GROUPS.get(family, ()) if not within else ():
                if other != group:
                    yield group, other, repetition, groups[other]


@cache
def simulated(studies: int = 400, seed: int = 15) -> dict[str, float]:
    """Over so many invented studies without any difference: the share of 95 % intervals that hold the truth, nothing,
    and the share of studies with any sentence that "holds" more, or is "opposite"."""
    covered, false, opposite = [], 0, 0
    training = pd.DataFrame(columns=["arm", "family", "f1", "earlier"])
    for study in range(studies):
        scores = invented([seed, study])
        rows = judge([Run("invented", scores, training)], PAPERS, Plan())
        known = rows[rows["low"].notna() & ~rows["id"].str.contains("unit-")]
        covered += ((known["low"] <= 0) & (known["high"] >= 0)).tolist()
        higher = ~rows["id"].str.contains("keeps|matches")
        false += bool((higher & rows["verdict"].str.startswith("holds")).any())
        opposite += bool((rows["verdict"] == "opposite").any())
    return {"coverage": float(np.mean(covered)), "false_holds": false / studies, "opposite": opposite / studies}
