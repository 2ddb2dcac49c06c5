"""The paper held against its own numbers: p-values, sums, sizes and what they allow to be concluded
(chapter 14).
"""

from math import comb

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.power import TTestIndPower

from .bootstrap import Plan
from .comparisons import equivalence_from_summary, two_sample_from_summary
from .published import Published, published, published_table

AGREES, ROUNDING, DISAGREES, UNCHECKED = ("agrees", "agrees within rounding", "does not agree", "cannot be checked")
SD_HALF_UNIT = 0.05  # Table 5 prints SDs with one decimal


def p_range(first: Published, second: Published, sizes: tuple[int, int] | None = None) -> tuple[float, float]:
    """The smallest and largest p of the two-sample t-test that rounding of means and SDs allows.

    p falls with the size of the difference and rises with either SD, so the ends lie at corners of the box of
    unrounded values; where the difference may be nil the largest p is 1.
    """
    n, m = sizes or (first.n, second.n)
    difference = abs(first.value - second.value)
    reach = first.half_unit + second.half_unit
    ends = []
    for d, shift in ((difference + reach, -SD_HALF_UNIT), (max(difference - reach, 0.0), SD_HALF_UNIT)):
        ends.append(two_sample_from_summary(d, first.sd + shift, n, 0.0, second.sd + shift, m).p)
    return ends[0], ends[1]


def compare_quoted(quoted: Published, p: float, low: float, high: float) -> str:
    """Whether a recomputed p, and the range that rounding leaves, agree with the quoted one."""
    if quoted.relation == "=":
        bottom, top = quoted.value - quoted.half_unit, quoted.value + quoted.half_unit
        if bottom <= p <= top:
            return AGREES
        return ROUNDING if low <= top and high >= bottom else DISAGREES
    if p < quoted.value or (quoted.relation == "<=" and p <= quoted.value):
        return AGREES
    return ROUNDING if low < quoted.value else DISAGREES


def audit_p_values() -> pd.DataFrame:
    """Every p-value the paper quotes, recomputed from Table 5's means and SDs and Table 4's sizes."""
    rows = []
    for key, row in published_table().query("unit == 'p'").iterrows():
        quoted = published(key)
        line = {
            "section": row["section"],
            "claim": key.removeprefix("p."),
            "place": row["pointer"],
            "quoted": f"{row['relation'].replace('<=', '≤')} {row['printed']}",
        }
        if not row["first"]:
            rows.append(line | {"verdict": UNCHECKED})
            continue
        first, second = published(row["first"]), published(row["second"])
        p = two_sample_from_summary(first.value, first.sd, first.n, second.value, second.sd, second.n).p
        low, high = p_range(first, second)
        rows.append(
            line
            | {
                "first": f"{first.printed} ({first.sd:.1f})",
                "second": f"{second.printed} ({second.sd:.1f})",
                "sizes": f"{first.n} + {second.n}",
                "p": p,
                "p_low": low,
                "p_high": high,
                "verdict": compare_quoted(quoted, p, low, high),
            }
        )
    return pd.DataFrame(rows)


def sizes_that_fit(keys: list[str], most: int) -> list[tuple[int, int]]:
    """Numbers of participants (first, second) of two conditions, each up to `most`, at which rounding lets
    every quoted p of `keys` be right, where each key compares sizes in the order dependent, independent.

    A comparison within one condition takes that condition's number on both sides.
    """
    table = published_table()
    found = []
    for dependent in range(3, most + 1):
        for independent in range(3, most + 1):
            size = {"dependent": dependent, "independent": independent}
            if all(_fits(table.loc[k], published(k), size) for k in keys):
                found.append((dependent, independent))
    return found


def _fits(row: pd.Series, quoted: Published, size: dict[str, int]) -> bool:
    first, second = published(row["first"]), published(row["second"])
    sizes = tuple(size["independent" if "-independent" in key else "dependent"] for key in (first.key, second.key))
    low, high = p_range(first, second, sizes)
    middle = two_sample_from_summary(first.value, first.sd, sizes[0], second.value, second.sd, sizes[1]).p
    return compare_quoted(quoted, middle, low, high) in (AGREES, ROUNDING)


def all_tested(pool: int, tested: int, repetitions: int) -> float:
    """The chance that `repetitions` draws of `tested` out of `pool` participants test every one at least
    once.

    Inclusion and exclusion over the sets of participants that are never drawn.
    """
    draws = comb(pool, tested)
    return float(
        sum(
            (-1) ** k * comb(pool, k) * (comb(pool - k, tested) / draws) ** repetitions
            for k in range(pool - tested + 1)
        )
    )


def detectable(sd: float, n_first: int, n_second: int, power: float = 0.8, level: float = 0.05) -> float:
    """The difference of means (units of `sd`) that the two-sample t-test finds with this power."""
    effect = TTestIndPower().solve_power(nobs1=n_first, ratio=n_second / n_first, alpha=level, power=power)
    return float(np.squeeze(effect)) * sd


def audit_similar(plan: Plan, power: float = 0.8) -> pd.DataFrame:
    """Each place where the paper reads a large p as "similar": TOST from the same table, the interval of
    the difference, and the difference that such a test would have found with this power. `sd` is the pooled
    SD, `n` the participants of each side.
    """
    rows = []
    for claim in (
        "person.matches-dependent",
        "person.keeps-dependent",
        "skin.keeps-dependent",
        "skin.matches-dependent",
    ):
        entry = published_table().loc["p." + claim]
        first, second = published(entry["first"]), published(entry["second"])
        sd = np.sqrt(((first.n - 1) * first.sd**2 + (second.n - 1) * second.sd**2) / (first.n + second.n - 2))
        error = sd * np.sqrt(1 / first.n + 1 / second.n)
        reach = stats.t.ppf((1 + plan.confidence) / 2, first.n + second.n - 2) * error
        difference = first.value - second.value
        p = equivalence_from_summary(first.value, first.sd, first.n, second.value, second.sd, second.n, plan.margin)
        rows.append(
            {
                "section": entry["section"],
                "claim": claim,
                "p_quoted": entry["printed"],
                "difference": difference,
                "low": difference - reach,
                "high": difference + reach,
                "p_similar": p,
                "detectable": detectable(sd, first.n, second.n, power, plan.level),
                "sd": sd,
                "n": first.n,
                "verdict": "similar" if p < plan.level else "not shown",
            }
        )
    return pd.DataFrame(rows)
