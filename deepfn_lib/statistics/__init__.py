"""Statistics of the study: participants' scores, tests, intervals, verdicts, constants and the published numbers."""

from .bootstrap import Estimate, Plan, difference_interval, mean_interval
from .claims import OUTCOMES, RULE, Run, beside, judge, last_gains, sentences, trained
from .comparisons import Comparison, compare, detectable, holm
from .crossed import crossed_effects, crossed_scores
from .drawn import Contrast, contrast, drawn_interval, oracle_share
from .participants import action_unit_scores, participant_constants, participant_scores, repetition_scores
from .published import published, published_score, published_table
from .reference import (
    HALF_TRAINED,
    carried_over,
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
    scans_faces,
    scans_scores,
    scans_table,
)
from .summary import action_unit_table, condition_table, direction_table

__all__ = [
    "Comparison",
    "Estimate",
    "HALF_TRAINED",
    "OUTCOMES",
    "Plan",
    "RULE",
    "Run",
    "action_unit_scores",
    "action_unit_table",
    "beside",
    "carried_over",
    "Contrast",
    "compare",
    "condition_table",
    "contrast",
    "crossed_effects",
    "crossed_scores",
    "detectable",
    "difference_interval",
    "direction_table",
    "drawn_interval",
    "headline",
    "holm",
    "judge",
    "last_gains",
    "mean_interval",
    "oracle_share",
    "participant_constants",
    "participant_scores",
    "published",
    "published_score",
    "published_table",
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
    "scans_faces",
    "scans_scores",
    "scans_table",
    "sentences",
    "trained",
]
