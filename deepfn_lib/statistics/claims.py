"""The paper's sentences, each judged once, by one rule, in one family (data_manifests/claims.csv).

A sentence is a contrast of cells of Table 5, of which some may be those of one training and one test group. What is
claimed of DeepFN is asked of our own method, too; that is a family of its own, as it is not the paper's claim.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from math import inf, nan
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from ..arms import ARMS, PAPERS, label
from ..artefacts import project_root
from ..errors import StudyError
from ..recognition.protocol import CONDITIONS
from .bootstrap import Plan
from .comparisons import holm
from .drawn import Contrast, contrast
from .participants import repetition_scores
from .published import checked_rows, published, published_table

FILE = "claims.csv"
HOLDS, SMALLER = "holds", "holds, smaller than the paper's"
OPPOSITE, EQUAL, OPEN = "opposite", "equal within the margin", "cannot be told"
FEW, YOUNG, NOT_RUN = "too few", "not trained to the end", "not run"
OUTCOMES = (HOLDS, SMALLER, OPPOSITE, EQUAL, OPEN, FEW, YOUNG, NOT_RUN)
FEWEST_PEOPLE, FEWEST_MODELS = 6, 4  # below either there is no verdict
UNSETTLED = 0.005  # of F1: what the last tenth of a training may still have gained, the mean over models

RULE = (
    "Each sentence is a difference with a bound: more than nothing where it says *higher*, no loss of the margin where "
    "it says *similar*, as the paper means by it that nothing is lost. It *holds* where a t-test over participants and "
    "models puts the difference above the bound, after Holm's correction over the whole list; *holds, smaller than the "
    "paper's* where our interval ends below the paper's number; is *opposite* where the test puts it below; *equal "
    "within the margin* where a higher one was claimed and two one-sided tests place it within the margin either way; "
    f"else it *cannot be told*. There is no verdict on fewer than {FEWEST_PEOPLE} participants or {FEWEST_MODELS} "
    "models (*too few*), on classifiers whose validation F1 the last tenth of the epochs still raised by over half a "
    "point (*not trained to the end*), or on cells that no run has (*not run*). The margin of 2 points is less than "
    "the smallest difference that the paper itself calls a gap, 2.4."
)

_TERM = re.compile(r"([+-])([a-z-]+)\.([a-z]+)(?:\[(\w+)>(\w+)\])?")


@dataclass(frozen=True)
class Run:
    """Where verdicts may come from: its name, all its scores, and how its classifiers were trained (`trained`)."""

    name: str
    scores: pd.DataFrame
    training: pd.DataFrame

    @cached_property
    def _parts(self) -> dict[tuple, pd.DataFrame]:
        return dict(list(self.scores.groupby(["condition", "arm"], observed=True)))

    @cached_property
    def units(self) -> list[str]:
        return sorted(self.scores["action_unit"].unique())

    @cached_property
    def _known(self) -> dict[tuple, pd.Series]:
        return {}

    def cell(self, condition: str, arm: str, groups: tuple[str | None, str | None], unit: str = "") -> pd.Series:
        """By repetition and participant: the scores of an arm in a condition, of one direction or one unit alone."""
        which = condition, arm, groups, unit
        if which not in self._known:
            part = self._parts.get((condition, arm), self.scores.iloc[:0])
            part = part[part["action_unit"] == unit] if unit else part
            self._known[which] = repetition_scores(part, None, None, *groups)
        return self._known[which]


@dataclass(frozen=True)
class Mean:
    """A mean of Table 5: sign, condition, and "original" or "deepfn"; groups where it is one direction's alone."""

    sign: float
    condition: str
    column: str
    train_group: str | None
    test_group: str | None

    def scores(self, run: Run, arm: str, unit: str = "") -> pd.Series:
        """By repetition and participant, with `arm` in DeepFN's place."""
        shown = arm if self.column == PAPERS else self.column
        return run.cell(self.condition, shown, (self.train_group, self.test_group), unit)


class Sentence(BaseModel):
    """One row of the table. `kind`: what the contrast `terms` is claimed to be: "higher" than nothing, "harder" (the
    same of means over different people), "not lower", or the "most" or "least" of all action units for `unit`. `p`
    names the paper's p-value in published.csv. `{arm}` in `text` is whose sentence it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    section: str
    question: Literal["person", "gender", "skin", "dataset"]
    kind: Literal["higher", "harder", "not lower", "most", "least"]
    unit: str
    terms: str
    p: str
    text: str
    quote: str

    @property
    def cells(self) -> list[Mean]:
        """Raises StudyError for terms that are not `+condition.column -condition.column[train>test]` and so on."""
        found = [_TERM.fullmatch(part) for part in self.terms.split()]
        if not all(found) or any(one[2] not in CONDITIONS for one in found if one):
            raise StudyError(f"{FILE}: {self.id}: terms {self.terms!r} cannot be read")
        return [Mean(1.0 if one[1] == "+" else -1.0, *one.groups()[1:]) for one in found if one]

    @property
    def of_a_method(self) -> bool:
        """Whether it is about DeepFN, and not about faces as filmed alone."""
        return any(cell.column == PAPERS for cell in self.cells)

    def papers(self, arm: str) -> tuple[float, str]:
        """The paper's difference, points, and its p as printed; NaN and nothing where it has none, or of another's."""
        if self.unit or (self.of_a_method and arm != PAPERS):
            return nan, ""
        value, quoted = nan, published(self.p) if self.p else None
        if not any(cell.test_group for cell in self.cells):
            value = sum(cell.sign * published(f"{cell.condition}.{cell.column}").value for cell in self.cells)
        return value, f"{quoted.relation} {quoted.printed}" if quoted else ""

    def contrasts(self, run: Run, arm: str, plan: Plan) -> list[Contrast]:
        """What is claimed to be above the bound: one difference, or the unit's against each other unit's."""
        if not self.unit:
            terms = [(cell.sign, cell.scores(run, arm)) for cell in self.cells]
            return [contrast(terms, plan, same_people=self.kind != "harder")]
        sign = 1.0 if self.kind == "most" else -1.0
        own = [(sign * cell.sign, cell.scores(run, arm, self.unit)) for cell in self.cells]
        return [
            contrast([*own, *((-sign * cell.sign, cell.scores(run, arm, unit)) for cell in self.cells)], plan)
            for unit in run.units
            if unit != self.unit
        ]

    def is_in(self, run: Run, arm: str) -> bool:
        """Whether a run has all its cells."""
        return all(len(cell.scores(run, arm)) for cell in self.cells) and (not self.unit or self.unit in run.units)


@cache
def sentences(path: Path | None = None) -> tuple[Sentence, ...]:
    """All sentences, checked. Raises StudyError for a file that cannot be read, or a wrong or repeated row."""
    path = path or project_root() / "data_manifests" / FILE
    found = checked_rows(path, "paper's sentences", lambda row: Sentence(**row))  # type: ignore[arg-type]  # it checks
    for line, one in enumerate(found, start=2):
        if one.p and one.p not in published_table().index:
            raise StudyError(f"{path.name}, line {line}: no published p is called {one.p!r}")
        assert one.cells
    if len({one.id for one in found}) < len(found):
        raise StudyError(f"{path.name}: an id appears twice")
    return tuple(found)


def trained(courses: pd.DataFrame) -> pd.DataFrame:
    """One line for each classifier from its course (`Study.training_courses`): family, train_group, arm, repetition,
    epochs, kept (the epoch, from 1), f1 (its validation F1, 0 to 1), and earlier: the best of the first nine tenths."""
    keys = ["arm", "family", "train_group", "repetition"]
    rows = []
    for key, course in courses.groupby(keys, observed=True):
        f1 = course.sort_values("epoch")["validation_f1"].to_numpy()
        earlier = f1[: max(1, int(0.9 * len(f1)))].max()
        rows.append([*key, len(f1), int(f1.argmax()) + 1, float(f1.max()), float(earlier)])
    return pd.DataFrame(rows, columns=[*keys, "epochs", "kept", "f1", "earlier"])


def last_gains(training: pd.DataFrame) -> pd.Series:
    """What the last tenth of the epochs added to the validation F1, the mean over models; index arm, family."""
    return (training["f1"] - training["earlier"]).groupby([training["arm"], training["family"]]).mean()


def judge(runs: Sequence[Run], arm: str, plan: Plan, filmed: bool = True) -> pd.DataFrame:
    """The verdicts on all sentences with `arm` in DeepFN's place, a row each; one family of Holm's correction.

    Each is judged on the first of `runs` that has all its cells. Without `filmed` those that are not about a method are
    left out. Columns: id, section, question, claim, quote, arm, run, paper, paper_p, difference, low, high, error,
    detectable (the difference that these people and models find four times in five), participants, models, p_ours,
    p_holm, last_gain, verdict, told, size (whether the paper's number lies in the interval: "inside", "outside", or
    nothing).
    """
    asked = [one for one in sentences() if filmed or one.of_a_method]
    found = [_measure(one, runs, arm, plan) for one in asked]
    adjusted = holm([one.p for one in found], plan.level)
    gains: dict[str, Mapping] = {run.name: last_gains(run.training) for run in runs}
    rows = []
    for sentence, one, p in zip(asked, found, adjusted):
        paper, paper_p = sentence.papers(arm)
        parts = {
            (arm if cell.column == PAPERS else cell.column, CONDITIONS[cell.condition][0]) for cell in sentence.cells
        }
        # Of what no run says how it was trained nothing says that it was to the end.
        last = max(gains[one.run].get(part, inf) for part in parts) if one.run else nan
        d = one.smallest.difference
        decided = _verdict(sentence, one, p, last, paper, plan)
        size = "" if pd.isna(paper) or pd.isna(d.low) else "inside" if d.low <= paper <= d.high else "outside"
        rows.append(
            {
                "id": sentence.id,
                "section": sentence.section,
                "question": sentence.question,
                "claim": sentence.text.format(arm=label(arm)),
                "quote": sentence.quote,
                "arm": arm if sentence.of_a_method else "",
                "run": one.run,
                "paper": paper,
                "paper_p": paper_p,
                "difference": d.value,
                "low": d.low,
                "high": d.high,
                "error": one.smallest.error,
                "detectable": one.smallest.detectable(plan.level),
                "participants": one.smallest.people,
                "models": one.smallest.models,
                "p_ours": one.p,
                "p_holm": p,
                "last_gain": 100 * last,
                "verdict": decided,
                "told": told(decided, arm if sentence.of_a_method else ""),
                "size": size,
            }
        )
    return pd.DataFrame(rows)


APART = 2.0  # errors of both runs together, from which on a difference of theirs is more than luck


def beside(judged: pd.DataFrame, run: Run, arm: str, plan: Plan) -> pd.DataFrame:
    """Verdicts with what another run has, in a column `here`: its difference, and whether it agrees with the verdict's
    run within the luck of both. Nothing where it has not the sentence, or is the verdict's own."""
    by_id, texts = {one.id: one for one in sentences()}, []
    for row in judged.itertuples():
        text, found = "", Contrast()
        if row.run not in ("", run.name):
            found = _measure(by_id[row.id], [run], arm, plan).smallest
        if found.people:
            apart = abs(found.difference.value - row.difference) / np.hypot(found.error, row.error)
            text = f"{found.difference.value:+.1f}" + ("" if pd.isna(apart) else ", agrees")
            text = text.replace("agrees", "differs") if apart > APART else text
        texts.append(text)
    return judged.assign(here=texts)


def told(decided: str, arm: str = "") -> str:
    """A verdict as a page prints it: of an arm with networks it stands at the budget that these have had."""
    trains = any(one.network for one in ARMS if one.name == arm)
    return decided + (" at this budget" if trains and decided not in (FEW, YOUNG, NOT_RUN) else "")


@dataclass(frozen=True)
class _Measured:
    """A sentence's contrasts on a run: the smallest, its bound, and the p that all are above it (or one below)."""

    run: str = ""
    smallest: Contrast = Contrast()
    bound: float = 0.0
    p: float = nan
    equal: float = nan  # p of two one-sided tests within the margin


def _measure(sentence: Sentence, runs: Sequence[Run], arm: str, plan: Plan) -> _Measured:
    run = next((one for one in runs if sentence.is_in(one, arm)), None)
    if run is None:
        return _Measured()
    bound = -plan.margin if sentence.kind == "not lower" else 0.0
    found = sentence.contrasts(run, arm, plan)
    smallest = min(found, key=lambda one: one.difference.value)
    if any(pd.isna(one.error) for one in found):
        return _Measured(run.name, smallest, bound)
    # All above: the largest of their p. One below is enough against it, but it was picked from so many.
    above = max(2 * one.above(bound) for one in found)
    below = min(len(found) * 2 * one.below(bound) for one in found)
    return _Measured(run.name, smallest, bound, min(above, below, 1.0), smallest.within(plan.margin))


def _verdict(sentence: Sentence, one: _Measured, p: float, last: float, paper: float, plan: Plan) -> str:
    """One of OUTCOMES, by RULE."""
    found, difference = one.smallest, one.smallest.difference
    if not one.run:
        return NOT_RUN
    if found.people < FEWEST_PEOPLE or found.models < FEWEST_MODELS or pd.isna(p):
        return FEW
    if last > UNSETTLED:
        return YOUNG
    if p < plan.level:
        if difference.value < one.bound:
            return OPPOSITE
        smaller = sentence.kind == "higher" and difference.high < paper
        return SMALLER if smaller else HOLDS
    if sentence.kind in ("higher", "harder") and one.equal < plan.level:
        return EQUAL
    return OPEN
