"""Differences with the uncertainty of all that was drawn: the participants, and the models, each a split and a seed."""

from collections.abc import Sequence
from dataclasses import dataclass
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
    shared = set.intersection(*(set(some["participant"]) for some in rows)) if same_people else set()
    if shared:
        rows = [some[some["participant"].isin(shared)] for some in rows]
    if not all(len(some) for some in rows):
        return Contrast()
    value, parts = 0.0, []
    for (weight, _), some in zip(terms, rows):
        counts = some.groupby("participant")["score"].transform("size").to_numpy()
        share = 1 / (counts * some["participant"].nunique())
        mean = float((share * some["score"]).sum())
        value += weight * mean
        parts.append(some.assign(apart=weight * share * (some["score"] - mean)))
    people, models = ([some[what].nunique() for some in rows] for what in ("participant", "model"))
    found = Estimate(value, sd=_spread(terms, rows) if shared else nan, n=len(shared) or sum(people))
    told = {"people": min(people), "models": min(models), "paired": bool(shared)}
    by_person, by_model = (_variances(parts, what) for what in ("participant", "model"))
    if any(count < 2 for _, count in by_person + by_model):
        return Contrast(found, **told)
    both = pd.concat([some for some in parts if not _own(some)] or [parts[0].iloc[:0]])
    twice = float(np.square(both.groupby(["participant", "model"])["apart"].sum()).sum())
    of_people, of_models = (sum(part for part, _ in some) for some in (by_person, by_model))
    variance = max(of_people + of_models - twice, of_people, of_models)
    if variance == 0:
        return Contrast(Estimate(value, value, value, found.sd, found.n), 0.0, nan, **told)
    df = variance**2 / sum(part**2 / (count - 1) for part, count in by_person + by_model)
    error = float(np.sqrt(variance))
    reach = float(stats.t.ppf(0.5 + plan.confidence / 2, df)) * error
    return Contrast(Estimate(value, value - reach, value + reach, found.sd, found.n), error, df, **told)


def _rows(series: pd.Series) -> pd.DataFrame:
    """Columns model, participant, score. A model of one person alone is named after that person, too; so is the one of
    a series that is indexed by participant only."""
    person = series.index.get_level_values(-1 if series.index.nlevels == 1 else "participant").astype(str)
    model = "/" + person if series.index.nlevels == 1 else series.index.get_level_values("repetition").astype(str)
    own = np.asarray(model.str.startswith("/"))
    table = pd.DataFrame({"model": np.where(own, model + "/" + person, model), "participant": person})
    return table.assign(score=series.to_numpy(float)).dropna()


def _own(some: pd.DataFrame) -> bool:
    """Whether each model is of one person: then it is drawn with the person, and no source of luck of its own."""
    return bool((some.groupby("model")["participant"].nunique() == 1).all())


def _variances(parts: Sequence[pd.DataFrame], what: str) -> list[tuple[float, int]]:
    """The variance that drawing `what` makes, and its number, for each lot of terms that have some in common."""
    lots: list[tuple[set, list[pd.DataFrame]]] = []
    for some in parts:
        if what == "model" and _own(some):
            continue
        names, joined = set(some[what]), [some]
        for lot in [lot for lot in lots if lot[0] & names]:
            lots.remove(lot)
            names, joined = names | lot[0], lot[1] + joined
        lots.append((names, joined))
    found = []
    for names, joined in lots:
        sums = pd.concat(joined).groupby(what)["apart"].sum()
        found.append((len(names) / max(len(names) - 1, 1) * float(np.square(sums).sum()), len(names)))
    return found


def _spread(terms: Sequence[Term], rows: Sequence[pd.DataFrame]) -> float:
    """The SD of the participants' own sums."""
    means = [weight * some.groupby("participant")["score"].mean() for (weight, _), some in zip(terms, rows)]
    return float(sum(means[1:], means[0]).std(ddof=1))


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
