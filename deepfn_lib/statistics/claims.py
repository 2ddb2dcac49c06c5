"""Verdicts on the paper's sentences, by a rule stated once and applied to all."""

from dataclasses import dataclass
from math import nan

import numpy as np
import pandas as pd

from .bootstrap import Plan
from .comparisons import Comparison, Mixed, compare, holm, mixed_model
from .participants import participant_scores, repetition_scores
from .published import published, published_score

HOLDS, FAILS, OPEN = "holds here", "does not hold here", "cannot be told"

RULE = (
    "A claim that one score is higher *holds here* if our test rejects equality after Holm's correction "
    "and the difference has the claimed sign; it *does not hold here* if the interval rules out a "
    "difference as large as the margin in the claimed direction; else it *cannot be told*. A claim that "
    "two scores are similar *holds here* if two one-sided tests place the difference within the margin; "
    "it *does not hold here* if equality is rejected and similarity is not shown; else it *cannot be "
    "told*."
)


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper and what we measured for it.

    kind: "higher" (the first of the comparison beats the second) or "similar". paper: the difference that the paper
    reports, points (NaN where it gives none); paper_p: the p it quotes, as printed. mixed: optional, beside ours.
    """

    text: str
    kind: str
    comparison: Comparison
    paper: float = nan
    paper_p: str = ""
    mixed: Mixed | None = None


def verdict(kind: str, low: float, high: float, p: float, similar: float, difference: float, plan: Plan) -> str:
    """One of HOLDS, FAILS, OPEN by RULE. low, high: interval of the difference, points; p: adjusted; similar: TOST's.

    Raises ValueError for another kind than "higher" or "similar".
    """
    if kind not in ("higher", "similar"):
        raise ValueError(f"a claim is 'higher' or 'similar', not {kind!r}")
    if not np.isfinite([low, high, p]).all():
        return OPEN
    if kind == "higher":
        if p < plan.level and difference > 0:
            return HOLDS
        return FAILS if high < plan.margin else OPEN
    if similar < plan.level:
        return HOLDS
    return FAILS if p < plan.level else OPEN


def rank_verdict(share: float, plan: Plan) -> str:
    """For "X is the largest": holds if X comes first in `plan.confidence` of the resamples, fails if in no more than
    the complement of it, else it cannot be told. `share` is `bootstrap.rank_share`; NaN cannot be told."""
    if share >= plan.confidence:
        return HOLDS
    return FAILS if share <= plan.level else OPEN


def judge(claims: list[Claim], plan: Plan) -> pd.DataFrame:
    """One row a claim: the paper's difference and p beside ours, and the verdict. The family of Holm's correction is
    the list given: a chapter's claims together."""
    adjusted = holm([claim.comparison.ours.p for claim in claims], plan.level)
    rows = []
    for claim, p in zip(claims, adjusted):
        c, m = claim.comparison, claim.mixed or Mixed()
        d = c.difference
        rows.append(
            {
                "claim": claim.text,
                "paper": claim.paper,
                "paper_p": claim.paper_p,
                "difference": d.value,
                "low": d.low,
                "high": d.high,
                "participants": d.n,
                "p_two_sample": c.paper.p,
                "p_ours": c.ours.p,
                "p_holm": p,
                "p_ranks": c.ranks,
                "test": "paired t" if c.paired else "Welch",
                "effect": c.effect,
                "p_similar": c.similar,
                "mixed_difference": m.difference,
                "mixed_low": m.low,
                "mixed_high": m.high,
                "p_mixed": m.p,
                "verdict": verdict(claim.kind, d.low, d.high, p, c.similar, d.value, plan),
            }
        )
    return pd.DataFrame(rows)


def table_claim(scores, text: str, kind: str, first, second, key: str, *, plan: Plan, mixed: bool = False) -> Claim:
    """One sentence of section 5 that sets two cells of Table 5, (condition, arm) each, against one another.

    `key` names the paper's p-value in published.csv; the paper's difference is there where it has both cells.
    `mixed` adds the mixed model over repetitions.
    """
    one, other = published_score(*first), published_score(*second)
    paper, quoted, paper_p = float("nan"), published(key), ""
    if one and other:
        paper, paper_p = one.value - other.value, f"{quoted.relation} {quoted.printed}"
    compared = compare(participant_scores(scores, *first), participant_scores(scores, *second), plan)
    modelled = None
    if mixed:
        over_repetitions = repetition_scores(scores, *first), repetition_scores(scores, *second)
        modelled = mixed_model(*over_repetitions, confidence=plan.confidence)
    return Claim(text, kind, compared, paper, paper_p, modelled)
