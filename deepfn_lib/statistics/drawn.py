"""Differences with the uncertainty of all that was drawn: the participants, and the models, each a split and a seed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from math import nan

import numpy as np
import pandas as pd
from scipy import stats

from .bootstrap import Estimate, Plan
from .participants import repetition_scores

Term = tuple[float, pd.Series]  # a weight, and scores by (repetition, participant), as of `repetition_scores`


@dataclass(frozen=True)
class Contrast:
    """A weighted sum of means over participants, points, with its interval; `error` and `df` are its Student's t.

    `people` and `models` are the smallest numbers of either that one of the means rests on; 0 where one has nobody.
    `paired`: whether all means are of the same participants.
    """

    difference: Estimate = Estimate()
    error: float = nan
    df: float = nan
    people: int = 0
    models: int = 0
    paired: bool = False

    @property
    def p(self) -> float:
        """Two-sided, that it is nothing."""
        return float(2 * min(self.above(0.0), self.below(0.0)))

    def above(self, bound: float) -> float:
        """One-sided p against its being no more than `bound`."""
        return _tail(self.difference.value - bound, self.error, self.df)

    def below(self, bound: float) -> float:
        """One-sided p against its being no less than `bound`."""
        return _tail(bound - self.difference.value, self.error, self.df)

    def detectable(self, level: float, power: float = 0.8) -> float:
        """The difference, points, that so many people and models as vary find with this power, one test alone."""
        if not self.error > 0:
            return nan
        return float(stats.t.ppf(1 - level / 2, self.df) + stats.t.ppf(power, self.df)) * self.error

    def within(self, margin: float) -> float:
        """p of two one-sided tests against its being `margin` or more either way."""
        return max(self.above(-margin), self.below(margin))


def _tail(distance: float, error: float, df: float) -> float:
    if error == 0:  # nothing varies
        return 0.0 if distance > 0 else 1.0
    return float(stats.t.sf(distance / error, df))


def contrast(terms: Sequence[Term], plan: Plan, same_people: bool = True) -> Contrast:
    """The sum of weight times mean over participants, of their mean over models.

    Where people are in all terms, all means are of these; else, and without `same_people`, each is of its own. A
    model's luck is common to all that it was tested on, in several terms if it is in several. So a score's influence on
    the sum is added up over the participant and over the model; the variance is that of both sums, less what both count
    (Cameron, Gelbach and Miller 2011, never below the larger of the two), and Student's t has Satterthwaite's degrees
    of freedom. Two repetitions say very little about the third: the interval is then wide, as it should be. NaN where
    there are fewer than two participants, or models that they share.
    """
    rows = [_rows(series) for _, series in terms]
    shared = reduce(np.intersect1d, (np.unique(some.people) for some in rows)) if same_people else np.empty(0)
    if len(shared):
        rows = [some.of(shared) for some in rows]
    if not all(len(some.scores) for some in rows):
        return Contrast()
    value = 0.0
    for (weight, _), some in zip(terms, rows):
        share = 1 / (some.counts * some.n)
        mean = float(share @ some.scores)
        value += weight * mean
        some.apart = weight * share * (some.scores - mean)
    sd = _spread(terms, rows) if len(shared) else nan
    n = len(shared) or sum(some.n for some in rows)
    numbers = min(some.n for some in rows), min(len(np.unique(some.models)) for some in rows), len(shared) > 0
    by_person, by_model = (_variances(rows, what) for what in ("people", "models"))
    if any(count < 2 for _, count in by_person + by_model):
        return Contrast(Estimate(value, sd=sd, n=n), nan, nan, *numbers)
    common = [some for some in rows if not some.own]
    twice = _squares([f"{person}|{model}" for some in common for person, model in some.pairs], common)
    of_people, of_models = (sum(part for part, _ in some) for some in (by_person, by_model))
    variance = max(of_people + of_models - twice, of_people, of_models)
    if variance == 0:
        return Contrast(Estimate(value, value, value, sd, n), 0.0, nan, *numbers)
    df = variance**2 / sum(part**2 / (count - 1) for part, count in by_person + by_model)
    error = float(np.sqrt(variance))
    reach = float(stats.t.ppf(0.5 + plan.confidence / 2, df)) * error
    return Contrast(Estimate(value, value - reach, value + reach, sd, n), error, df, *numbers)


@dataclass
class _Term:
    """A term's scores with the model and the participant of each, and what each is `apart` from the mean by weight."""

    models: np.ndarray
    people: np.ndarray
    scores: np.ndarray
    apart: np.ndarray = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        names, self.places, counts = np.unique(self.people, return_inverse=True, return_counts=True)
        self.n, self.counts = len(names), counts[self.places]

    def of(self, people: np.ndarray) -> "_Term":
        keep = np.isin(self.people, people)
        return _Term(self.models[keep], self.people[keep], self.scores[keep])

    @property
    def pairs(self):
        return zip(self.people, self.models)

    @property
    def own(self) -> bool:
        """Whether each model is of one person: then it is drawn with the person, and no source of luck of its own."""
        return len(set(self.pairs)) == len(np.unique(self.models))


def _rows(series: pd.Series) -> _Term:
    """A model of one person alone is named after that person, too; so is the one of a series that is indexed by
    participant only."""
    series = series.dropna()
    people = series.index.get_level_values(-1 if series.index.nlevels == 1 else "participant").astype(str).to_numpy(str)
    if series.index.nlevels == 1:
        return _Term(people, people, series.to_numpy(float))
    models = series.index.get_level_values("repetition").astype(str).to_numpy(str)
    own = np.char.startswith(models, "/")
    models = np.where(own, np.char.add(np.char.add(models, "/"), people), models)
    return _Term(models, people, series.to_numpy(float))


def _squares(names: Sequence[str] | np.ndarray, rows: Sequence[_Term]) -> float:
    """The sum of squares of what scores of the same name are apart together."""
    if not rows:
        return 0.0
    _, places = np.unique(np.asarray(names), return_inverse=True)
    return float(np.square(np.bincount(places, np.concatenate([some.apart for some in rows]))).sum())


def _variances(rows: Sequence[_Term], what: str) -> list[tuple[float, int]]:
    """The variance that drawing `what` makes, and its number, for each lot of terms that have some in common."""
    lots: list[tuple[set, list[_Term]]] = []
    for some in rows:
        if what == "models" and some.own:
            continue
        names, joined = set(getattr(some, what)), [some]
        for lot in [lot for lot in lots if lot[0] & names]:
            lots.remove(lot)
            names, joined = names | lot[0], lot[1] + joined
        lots.append((names, joined))
    found = []
    for names, joined in lots:
        squares = _squares(np.concatenate([getattr(some, what) for some in joined]), joined)
        found.append((len(names) / max(len(names) - 1, 1) * squares, len(names)))
    return found


def _spread(terms: Sequence[Term], rows: Sequence[_Term]) -> float:
    """The SD of the participants' own sums; all terms are of the same participants."""
    if rows[0].n < 2:
        return nan
    means = (np.bincount(some.places, some.scores) / np.bincount(some.places) for some in rows)
    return float(np.std(sum(weight * mean for (weight, _), mean in zip(terms, means)), ddof=1))


def oracle_share(arm: pd.Series, original: pd.Series, oracle: pd.Series, plan: Plan) -> Estimate:
    """How much of what perfect normalisation would gain an arm gains: (arm - original) / (oracle - original).

    Scores by (repetition, participant), or by participant alone: then the interval is over participants only. 0 is no
    gain, 1 is the oracle's. A ratio of means has, nearly, the error of arm - share · oracle - (1 - share) · original
    over the oracle's gain. Where the interval of that gain reaches zero there is nothing to share, and all is NaN.
    """
    possible = contrast([(1.0, oracle), (-1.0, original)], plan)
    if not possible.difference.low > 0:
        return Estimate(n=possible.people)
    whole = possible.difference.value
    share = contrast([(1 / whole, arm), (-1 / whole, original)], plan).difference.value
    terms = [(1 / whole, arm), (-share / whole, oracle), (-(1 - share) / whole, original)]
    found = contrast(terms, plan).difference
    return Estimate(share, share + found.low - found.value, share + found.high - found.value, n=possible.people)


def drawn_interval(scores: pd.DataFrame, condition: str, first: str, second: str, plan: Plan, **named: str) -> Estimate:
    """First arm less second in a condition, points, paired by participant and repetition.

    `scores` as of `Study.scores`; `named` as of `participants.repetition_scores`. See `contrast`.
    """
    one, other = (repetition_scores(scores, condition, arm, **named) for arm in (first, second))
    return contrast([(1.0, (one - other).dropna())], plan).difference
