"""Verdicts on the paper's sentences, by a rule stated once and applied to all."""

from dataclasses import dataclass
from math import nan

import numpy as np
import pandas as pd

from ..arms import ARMS, ORIGINAL
from .bootstrap import Plan
from .comparisons import Comparison, Mixed, compare, holm, mixed_model
from .participants import participant_scores, repetition_scores
from .published import published, published_score

HOLDS, FAILS, OPEN = "holds here", "does not hold here", "cannot be told"
AT_BUDGET = {  # the same of what has been trained: with more training it may be otherwise
    HOLDS: "holds at this budget",
    FAILS: "does not hold at this budget",
    OPEN: "cannot be told at this budget",
}

RULE = (
    "A claim that one score is higher *holds here* if our test rejects equality after Holm's correction "
    "and the difference has the claimed sign; it *does not hold here* if the interval rules out a "
    "difference as large as the margin in the claimed direction; else it *cannot be told*. A claim that "
    "two scores are similar *holds here* if two one-sided tests place the difference within the margin; "
    "it *does not hold here* if equality is rejected and similarity is not shown; else it *cannot be "
    "told*. A verdict on an arm with networks is one *at this budget*: at the training that they have had."
)


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper and what we measured for it.

    kind: "higher" (the first of the comparison beats the second) or "similar". paper: the difference that the paper
    reports, points (NaN where it gives none); paper_p: the p it quotes, as printed. mixed: optional, beside ours.
    arm: the arm that the sentence is about; empty where it is about faces as filmed.
    """

    text: str
    kind: str
    comparison: Comparison
    paper: float = nan
    paper_p: str = ""
    mixed: Mixed | None = None
    arm: str = ""


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


def told(decided: str, arm: str = "") -> str:
    """A verdict as a page prints it: of an arm with networks it stands at the budget that these have had."""
    return AT_BUDGET[decided] if any(one.network for one in ARMS if one.name == arm) else decided


def judge(claims: list[Claim], plan: Plan) -> pd.DataFrame:
    """One row a claim: the paper's difference and p beside ours, the verdict, and how it is told. The family of Holm's
    correction is the list given: a chapter's claims about one method together."""
    adjusted = holm([claim.comparison.ours.p for claim in claims], plan.level)
    rows = []
    for claim, p in zip(claims, adjusted):
        c, m = claim.comparison, claim.mixed or Mixed()
        d = c.difference
        decided = verdict(claim.kind, d.low, d.high, p, c.similar, d.value, plan)
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
                "verdict": decided,
                "told": told(decided, claim.arm),
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
    about = next((arm for _, arm in (first, second) if arm != ORIGINAL), "")
    return Claim(text, kind, compared, paper, paper_p, modelled, about)


def gap_claim(scores, text: str, within: str, across: str, arm: str, *, plan: Plan) -> Claim:
    """The abstract's sentence that an arm reduces the gap between the conditions `within` and `across`.

    Per participant, points: within - across on the original, less within - across on `arm`. Who lacks one of the four
    scores is left out, so both gaps are of the same people. The paper's difference is Table 5's where it has all four
    cells; it quotes no p, for it tests no gap against another.
    """
    cells = [(condition, which) for which in (ORIGINAL, arm) for condition in (within, across)]
    each = [participant_scores(scores, *cell) for cell in cells]
    people = pd.concat(each, axis=1, join="inner", keys=range(len(cells))).dropna()
    filmed, changed = people[0] - people[1], people[2] - people[3]
    quoted = [published_score(*cell) for cell in cells]
    table_5 = [one.value for one in quoted if one]
    paper = float(np.dot(table_5, (1, -1, -1, 1))) if len(table_5) == len(cells) else nan
    return Claim(text, "higher", compare(filmed, changed, plan), paper, arm=arm)
