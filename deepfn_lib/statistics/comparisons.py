"""The paper's test and the ones that fit the design beside it: paired, equivalence, with effect sizes."""

from dataclasses import dataclass
from math import nan

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.meta_analysis import effectsize_smd
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW, ttost_ind, ttost_paired

from .bootstrap import Estimate, Plan, difference_interval, mean_interval
from .drawn import contrast


@dataclass(frozen=True)
class Outcome:
    """A test's result: its statistic, degrees of freedom and two-sided p. All NaN where there are too few to test."""

    statistic: float = nan
    df: float = nan
    p: float = nan


@dataclass(frozen=True)
class Comparison:
    """Two sets of participants' scores, first minus second, percentage points.

    `paired` says whether the participants are the same people. `paper` is the paper's two-sample t-test, `ours` the
    paired t-test or, between different people, Welch's; `ranks` Wilcoxon's or Mann and Whitney's test; `effect` is
    d_z (paired) or Hedges' g; `similar` the p of two one-sided tests against the plan's margin.
    """

    difference: Estimate
    paired: bool
    paper: Outcome
    ours: Outcome
    ranks: float
    effect: float
    similar: float
    first: float
    second: float

    def __str__(self) -> str:
        d = self.difference
        if np.isnan([d.value, d.low, d.high]).any():
            return "not computable with so few"
        return f"{d.value:+.1f} points ({d.low:+.1f} to {d.high:+.1f})"


def two_sample(first, second, variances: str = "pooled") -> Outcome:
    """The paper's test (section 4.3): Student's two-sample t with pooled variance, as if nobody were in both.

    With `variances` "unequal" it is Welch's, our test between different people.
    """
    first, second = np.asarray(first, float), np.asarray(second, float)
    if min(len(first), len(second)) < 2:
        return Outcome()
    with np.errstate(all="ignore"):
        statistic, p, df = CompareMeans(DescrStatsW(first), DescrStatsW(second)).ttest_ind(usevar=variances)
    return Outcome(float(statistic), float(df), float(p))


def paired(first, second) -> Outcome:
    """Paired t: our test where the same people are in both. The two have the same order and length."""
    differences = np.asarray(first, float) - np.asarray(second, float)
    if len(differences) < 2:
        return Outcome()
    with np.errstate(all="ignore"):
        statistic, p, df = DescrStatsW(differences).ttest_mean(0)
    return Outcome(float(statistic), float(df), float(p))


def hedges_g(first, second) -> float:
    """Difference of the means over the pooled SD (Cohen's d), corrected for small samples."""
    first, second = np.asarray(first, float), np.asarray(second, float)
    g, _ = effectsize_smd(first.mean(), first.std(ddof=1), len(first), second.mean(), second.std(ddof=1), len(second))
    return float(g)


def d_z(first, second) -> float:
    """Mean of the paired differences over their SD."""
    differences = np.asarray(first, float) - np.asarray(second, float)
    return float(differences.mean() / differences.std(ddof=1))


def equivalence(first, second, margin: float, are_paired: bool) -> float:
    """p of two one-sided tests (TOST) that the means differ by less than `margin` points either way."""
    first, second = np.asarray(first, float), np.asarray(second, float)
    if min(len(first), len(second)) < 2:
        return nan
    with np.errstate(all="ignore"):
        if are_paired:
            return float(ttost_paired(first, second, -margin, margin)[0])
        return float(ttost_ind(first, second, -margin, margin, usevar="unequal")[0])


def detectable(sd: float, n_first: int, n_second: int, power: float = 0.8, level: float = 0.05) -> float:
    """The difference of means (units of `sd`) that the two-sample t-test finds with this power."""
    effect = TTestIndPower().solve_power(nobs1=n_first, ratio=n_second / n_first, alpha=level, power=power)
    return float(np.squeeze(effect)) * sd


def compare(first: pd.Series, second: pd.Series, plan: Plan) -> Comparison:
    """Everything the study says about first minus second. Both are indexed by participant, or by (repetition,
    participant); then interval, our test and similarity are over participants and models (`drawn.contrast`).

    Where all participants of the smaller series are in the other too the comparison is paired over them; where nobody
    is, it is between groups. Partly shared series are compared over the people they share.
    """
    drawn = None
    if first.index.nlevels == 2:
        drawn = contrast([(1.0, first), (-1.0, second)], plan)
        first, second = (series.groupby("participant").mean() for series in (first, second))
    first, second = first.dropna(), second.dropna()
    paper = two_sample(first, second)  # the paper's test takes each condition's own participants
    shared = first.index.intersection(second.index)
    if same_people := len(shared) > 0:
        first, second = first[shared], second[shared]
        ranks, effect, enough = stats.wilcoxon, d_z, len(shared) >= 2 and (first - second).std() > 0
    else:
        ranks, effect, enough = stats.mannwhitneyu, hedges_g, min(len(first), len(second)) >= 2
    if drawn:
        difference, similar = drawn.difference, drawn.within(plan.margin)
        ours = Outcome(difference.value / drawn.error if drawn.error else nan, drawn.df, drawn.p)
    else:
        similar = equivalence(first, second, plan.margin, same_people)
        if same_people:
            difference, ours = mean_interval(first - second, plan), paired(first, second)
        else:
            difference, ours = difference_interval(first, second, plan), two_sample(first, second, "unequal")
    with np.errstate(all="ignore"):
        return Comparison(
            difference,
            same_people,
            paper,
            ours,
            ranks=float(ranks(first, second).pvalue) if enough else nan,
            effect=effect(first, second) if enough else nan,
            similar=similar,
            first=first.mean(),
            second=second.mean(),
        )


def holm(p_values, level: float = 0.05) -> np.ndarray:
    """Holm's adjusted p-values of one family; NaN stays NaN and does not count."""
    p_values = np.asarray(p_values, float)
    adjusted = np.full(p_values.shape, np.nan)
    known = ~np.isnan(p_values)
    if known.any():
        adjusted[known] = multipletests(p_values[known], alpha=level, method="holm")[1]
    return adjusted
