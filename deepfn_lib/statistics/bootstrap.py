"""Intervals by resampling participants, for means and differences."""

from dataclasses import dataclass
from math import nan

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Plan:
    """The statistical choices of a chapter, in one place.

    confidence: of every interval; its complement is the level of every test. samples: bootstrap resamples, drawn by
    seed. margin: percentage points within which two scores count as similar.
    """

    confidence: float = 0.95
    samples: int = 4000
    margin: float = 2.0
    seed: int = 1

    @property
    def level(self) -> float:
        return 1 - self.confidence


@dataclass(frozen=True)
class Estimate:
    """A number with its interval, both NaN where there are too few participants (`n`); `sd` is theirs, or NaN."""

    value: float = nan
    low: float = nan
    high: float = nan
    sd: float = nan
    n: int = 0

    def __str__(self) -> str:
        return f"{self.value:.1f} ({self.low:.1f} to {self.high:.1f})"


def _widened(confidence: float, n: int) -> float:
    """The percentile level whose interval is as wide as Student's: with few participants, plain percentiles are too
    narrow by sqrt((n-1)/n) and by the normal quantile (Hesterberg 2015, The American Statistician 69(4), section 5)."""
    tail = stats.norm.cdf(np.sqrt(n / (n - 1)) * stats.t.ppf((1 - confidence) / 2, n - 1))
    return float(min(1 - 2 * tail, 1 - 1e-9))


def _interval(samples: tuple, statistic, plan: Plan, n: int, paired: bool = False) -> tuple[float, float]:
    result = stats.bootstrap(
        samples,
        statistic,
        n_resamples=plan.samples,
        paired=paired,
        vectorized=True,
        method="percentile",
        confidence_level=_widened(plan.confidence, n),
        rng=np.random.default_rng(plan.seed),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def _known(values) -> np.ndarray:
    values = np.asarray(values, float)
    return values[~np.isnan(values)]


def mean_interval(values, plan: Plan) -> Estimate:
    """Mean over participants with its bootstrap interval; `values` one number a participant, NaN left out."""
    values = _known(values)
    n = len(values)
    if n < 2:
        return Estimate(float(values[0]) if n else nan, n=n)
    low, high = _interval((values,), np.mean, plan, n)
    return Estimate(float(values.mean()), low, high, float(values.std(ddof=1)), n)


def difference_interval(first, second, plan: Plan) -> Estimate:
    """Difference of the means of two separate groups of participants, resampled apart."""
    first, second = _known(first), _known(second)
    n = min(len(first), len(second))
    if n < 2:
        return Estimate(n=n)

    def statistic(a, b, axis):
        return np.mean(a, axis=axis) - np.mean(b, axis=axis)

    low, high = _interval((first, second), statistic, plan, n)
    return Estimate(float(first.mean() - second.mean()), low, high, n=len(first) + len(second))
