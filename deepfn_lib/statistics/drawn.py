"""An interval of all that was drawn: the participants, and the repetitions, each a split with a classifier's seed."""

import numpy as np
import pandas as pd
from scipy import stats

from .bootstrap import Estimate, Plan
from .participants import repetition_scores


def drawn_interval(scores: pd.DataFrame, condition: str, first: str, second: str, plan: Plan, **named: str) -> Estimate:
    """First arm less second in a condition, points, paired by participant and repetition.

    `scores` as of `Study.scores`; `named` as of `participants.repetition_scores`. See `two_way`.
    """
    one, other = (repetition_scores(scores, condition, arm, **named) for arm in (first, second))
    return two_way((one - other).dropna().unstack("repetition").to_numpy(), plan)


def two_way(cells: np.ndarray, plan: Plan) -> Estimate:
    """The mean over participants of their mean over repetitions, with an interval for new ones of both.

    `cells` (participants, repetitions), NaN where a participant was not tested. The variance of the mean is that of
    the participants' means, plus that of the repetitions', less what both count (Cameron, Gelbach and Miller 2011,
    never below the larger of the two); Student's t has Satterthwaite's degrees of freedom. Two repetitions say very
    little about the third: the interval is then wide, as it should be. NaN where there are fewer than two of either.
    """
    cells = cells[~np.isnan(cells).all(axis=1)]
    there = ~np.isnan(cells)
    people, repetitions = len(cells), int(there.any(axis=0).sum()) if len(cells) else 0
    if not people:
        return Estimate()
    weights = there / there.sum(axis=1, keepdims=True) / people
    value = float(np.nansum(weights * cells))
    if min(people, repetitions) < 2:
        return Estimate(value, n=people)
    apart = np.where(there, weights * (np.nan_to_num(cells) - value), 0.0)
    of_people = people / (people - 1) * np.square(apart.sum(axis=1)).sum()
    of_repetitions = repetitions / (repetitions - 1) * np.square(apart.sum(axis=0)).sum()
    variance = max(of_people + of_repetitions - np.square(apart).sum(), of_people, of_repetitions)
    if variance == 0:
        return Estimate(value, value, value, 0.0, people)
    freedom = variance**2 / (of_people**2 / (people - 1) + of_repetitions**2 / (repetitions - 1))
    reach = stats.t.ppf(0.5 + plan.confidence / 2, freedom) * np.sqrt(variance)
    sd = float(np.nanmean(cells, axis=1).std(ddof=1))
    return Estimate(value, value - reach, value + reach, sd, people)
