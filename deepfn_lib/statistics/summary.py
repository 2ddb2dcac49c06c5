"""Views on the scores: Table 5 by condition and arm, Figs. 5–7 by direction, Fig. 4 by action unit."""

import numpy as np
import pandas as pd

from ..arms import ARMS, ORACLE, ORIGINAL
from .bootstrap import Estimate, Plan, mean_interval
from .comparisons import holm
from .drawn import contrast, oracle_share
from .participants import action_unit_scores, participant_constants, participant_scores, repetition_scores, select
from .published import published_score


def _arms(scores: pd.DataFrame, arms) -> list[str]:
    present = list(dict.fromkeys(scores["arm"]))
    return [a for a in arms if a in present] if arms is not None else present


def _line(scores: pd.DataFrame, constants: pd.DataFrame, where: dict, arm: str, plan: Plan) -> dict:
    """One condition or direction, one arm: mean, SD, interval, AUC, constants, share of the oracle's gain."""
    values = repetition_scores(scores, arm=arm, **where)
    mean, share = contrast([(1.0, values)], plan).difference, Estimate()
    floor, best_floor = (
        participant_constants(constants, column=column, **where) for column in ("constant_score", "best_constant_score")
    )
    if ORACLE in set(scores["arm"]) and arm not in (ORIGINAL, ORACLE):
        base, best = (repetition_scores(scores, arm=name, **where) for name in (ORIGINAL, ORACLE))
        # Of nothing that a constant has as well there is no share.
        if mean_interval(best.groupby("participant").mean() - floor, plan).low > 0:
            share = oracle_share(values, base, best, plan)
    return {
        "participants": mean.n,
        "mean": mean.value,
        "sd": mean.sd,
        "low": mean.low,
        "high": mean.high,
        "roc_auc": participant_scores(scores, arm=arm, value="roc_auc", **where).mean(),
        "constant": floor.mean(),
        "best_constant": best_floor.mean(),
        "share": share.value,
        "share_low": share.low,
        "share_high": share.high,
    }


def condition_table(
    scores: pd.DataFrame, constants: pd.DataFrame, plan: Plan, conditions=None, arms=None
) -> pd.DataFrame:
    """Table 5 of these scores, percent: a row for each condition and arm, in the order given.

    Columns: condition, arm, participants, mean, sd (over participants), low, high (interval of the mean over
    participants and models), roc_auc, constant and best_constant (image-free, of the same splits), share, share_low,
    share_high (of the oracle's gain; NaN where there is no oracle, or one that is not surely above original and
    constant), paper, paper_sd (NaN where the paper has no such arm).
    """
    rows = []
    for condition in conditions or list(dict.fromkeys(scores["condition"])):
        here = select(scores, condition)
        for arm in _arms(here, arms):
            quoted = published_score(condition, arm)
            rows.append(
                {
                    "condition": condition,
                    "arm": arm,
                    **_line(here, constants, {"condition": condition}, arm, plan),
                    "paper": quoted.value if quoted else np.nan,
                    "paper_sd": quoted.sd if quoted else np.nan,
                }
            )
    return pd.DataFrame(rows)


def direction_table(scores: pd.DataFrame, constants: pd.DataFrame, plan: Plan, conditions, arms=None) -> pd.DataFrame:
    """The same for each training and testing group (Figs. 5–7): columns train_group, test_group and those above."""
    rows = []
    for condition in conditions:
        here = select(scores, condition)
        for train, test in here[["train_group", "test_group"]].drop_duplicates().itertuples(index=False):
            where = {"condition": condition, "train_group": train, "test_group": test}
            some = select(here, train_group=train, test_group=test)
            rows += [{**where, "arm": arm, **_line(some, constants, where, arm, plan)} for arm in _arms(some, arms)]
    return pd.DataFrame(rows)


def above_ceiling(scores: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Where an arm is surely above the exact answer, which pictures alone do not allow: it knows of the labels.

    Asked of each condition, arm and measure (score and ROC AUC), over all action units and of each alone; one-sided,
    over participants and models, with Holm's correction over all of these questions. Columns: condition, arm, measure,
    action_unit (empty: all), above (points), p; no row where there is no such arm.
    """
    asked, exact = [], {arm.name for arm in ARMS if arm.exact}
    for condition, here in scores.groupby("condition", sort=False, observed=True):
        for unit in ("", *sorted(here["action_unit"].unique())):
            some = here[here["action_unit"] == unit] if unit else here
            of_arm = dict(list(some.groupby("arm", sort=False, observed=True)))
            for value in ("score", "roc_auc") if ORACLE in of_arm else ():
                best = repetition_scores(of_arm[ORACLE], value=value)
                for arm in [name for name in of_arm if name not in exact]:
                    less = (repetition_scores(of_arm[arm], value=value) - best).dropna()
                    found = contrast([(1.0, less)], plan)
                    asked.append([condition, arm, value, unit, found.difference.value, found.above(0.0)])
    rows = pd.DataFrame(asked, columns=["condition", "arm", "measure", "action_unit", "above", "p"])
    rows["p"] = holm(rows["p"].tolist(), plan.level)
    return rows[rows["p"] < plan.level].reset_index(drop=True)


def action_unit_table(
    scores: pd.DataFrame, condition: str, plan: Plan, arms=None, value: str = "score"
) -> pd.DataFrame:
    """Fig. 4 of these scores: a row for each action unit and arm, mean over participants with its interval, percent,
    and `gain`, the mean difference from the original arm over participants with its interval, points."""
    here = select(scores, condition)
    tables = {arm: action_unit_scores(here, arm=arm, value=value) for arm in _arms(here, arms)}
    rows = []
    for arm, cells in tables.items():
        for unit in cells:
            mean = mean_interval(cells[unit], plan)
            row = {"action_unit": unit, "arm": arm, "mean": mean.value, "low": mean.low, "high": mean.high}
            if arm != ORIGINAL and ORIGINAL in tables:
                gain = mean_interval(cells[unit] - tables[ORIGINAL][unit], plan)
                row |= {"gain": gain.value, "gain_low": gain.low, "gain_high": gain.high}
            rows.append(row)
    return pd.DataFrame(rows)
