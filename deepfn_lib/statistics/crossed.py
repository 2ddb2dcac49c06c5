"""Two groups, trained and tested in all four ways: what is the match, what the test group (chapter 06 derives it)."""

from dataclasses import dataclass

import pandas as pd

from .bootstrap import Plan
from .comparisons import Comparison, compare
from .participants import participant_scores


@dataclass(frozen=True)
class Crossed:
    """The effects of a two-by-two design, percentage points.

    `match`: own group's classifier minus the other group's, over the same participants (the paper's gap).
    `tested`: participants of the first group minus those of the second, each the mean of both classifiers.
    """

    match: Comparison
    tested: Comparison


def crossed_scores(scores: pd.DataFrame, family: str, arm: str, value: str = "score") -> pd.DataFrame:
    """Participants by who trained the classifier, percent: columns test_group, own, other; index participant.

    `family` is "gender", "skin" or "dataset". A participant whom a direction never tested has NaN there; the
    table is empty where the scores have no such family.
    """
    here = scores[scores["condition"].isin([f"{family}-dependent", f"{family}-independent"])]
    parts = []
    for group in sorted(here["test_group"].unique()):
        own, other = (
            participant_scores(here, f"{family}-{kind}", arm, test_group=group, value=value)
            for kind in ("dependent", "independent")
        )
        parts.append(pd.DataFrame({"own": own, "other": other}).assign(test_group=group))
    if not parts:
        return pd.DataFrame({"own": [], "other": [], "test_group": []}, dtype=float)
    return pd.concat(parts)


def crossed_effects(people: pd.DataFrame, first: str, second: str, plan: Plan) -> Crossed:
    """Both effects of a table of `crossed_scores`; `first` and `second` are test groups. Only participants
    tested by both classifiers count, so neither effect can stand in for the other."""
    both = people.dropna(subset=["own", "other"])
    middle = (both["own"] + both["other"]) / 2
    own_group, other_group = (middle[both["test_group"] == name] for name in (first, second))
    return Crossed(compare(both["own"], both["other"], plan), compare(own_group, other_group, plan))
