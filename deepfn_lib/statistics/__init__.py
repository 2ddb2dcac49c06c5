"""Statistics of the study: participants' scores, tests, intervals, verdicts, constants and the published numbers."""

from .bootstrap import Estimate, Plan, difference_interval, mean_interval, oracle_share, rank_share
from .claims import FAILS, HOLDS, OPEN, RULE, Claim, gap_claim, judge, rank_verdict, table_claim, told, verdict
from .comparisons import Comparison, compare, detectable, holm, mixed_model
from .crossed import crossed_effects, crossed_scores
from .drawn import drawn_interval, two_way
from .participants import action_unit_scores, participant_constants, participant_scores, repetition_scores
from .published import published, published_score, published_table
from .reference import (
    HALF_TRAINED,
    headline,
    reference_arms,
    reference_card,
    reference_constants,
    reference_courses,
    reference_difference,
    reference_mean,
    reference_people,
    reference_scores,
    reference_share,
    reference_training,
)
from .summary import action_unit_table, condition_table, direction_table

__all__ = [
    "Claim",
    "Comparison",
    "Estimate",
    "FAILS",
    "HALF_TRAINED",
    "HOLDS",
    "OPEN",
    "Plan",
    "RULE",
    "action_unit_scores",
    "action_unit_table",
    "compare",
    "condition_table",
    "crossed_effects",
    "crossed_scores",
    "detectable",
    "difference_interval",
    "direction_table",
    "drawn_interval",
    "gap_claim",
    "headline",
    "holm",
    "judge",
    "mean_interval",
    "mixed_model",
    "oracle_share",
    "participant_constants",
    "participant_scores",
    "published",
    "published_score",
    "published_table",
    "rank_share",
    "rank_verdict",
    "reference_arms",
    "reference_card",
    "reference_constants",
    "reference_courses",
    "reference_difference",
    "reference_mean",
    "reference_people",
    "reference_scores",
    "reference_share",
    "reference_training",
    "repetition_scores",
    "table_claim",
    "told",
    "two_way",
    "verdict",
]
