"""Statistics of the study: participants' scores, tests, intervals, verdicts, constants, and the audit of
the paper.
"""

from .bootstrap import Estimate, Plan, difference_interval, mean_interval, oracle_share, rank_share
from .claims import FAILS, HOLDS, OPEN, RULE, Claim, judge, rank_verdict, table_claim, verdict
from .comparisons import Comparison, Mixed, compare, holm, mixed_model, two_sample, two_sample_from_summary
from .crossed import Crossed, crossed_effects, crossed_scores
from .participants import action_unit_scores, participant_constants, participant_scores, repetition_scores, select
from .published import published, published_score, published_table
from .summary import action_unit_table, condition_table, direction_table

__all__ = [
    "Claim",
    "Comparison",
    "Crossed",
    "Estimate",
    "FAILS",
    "HOLDS",
    "Mixed",
    "OPEN",
    "Plan",
    "RULE",
    "action_unit_scores",
    "action_unit_table",
    "compare",
    "condition_table",
    "crossed_effects",
    "crossed_scores",
    "difference_interval",
    "direction_table",
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
    "repetition_scores",
    "select",
    "table_claim",
    "two_sample",
    "two_sample_from_summary",
    "verdict",
]
