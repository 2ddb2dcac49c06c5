"""From rows of scores to one number a participant: the unit that every test of the study counts (section 4.3)."""

import numpy as np
import pandas as pd

from ..errors import StudyError

PERCENT = 100.0
MEASURES = ("score", "f1", "accuracy", "roc_auc")


def measure(scores: pd.DataFrame, name: str) -> pd.Series:
    """One measure of each row, in percent: `score` is the paper's, the mean of F1 and accuracy (section 4.3).

    A row whose F1 is undefined has no score either, and leaves the mean over action units.
    Raises StudyError for a name that is neither `score` nor a column.
    """
    if name == "score":
        return (scores["f1"] + scores["accuracy"]) / 2 * PERCENT
    if name not in scores:
        raise StudyError(f"measure {name!r} is not in the scores; choose one of {', '.join(MEASURES)}")
    return scores[name] * PERCENT


def select(
    scores: pd.DataFrame,
    condition: str | None = None,
    arm: str | None = None,
    train_group: str | None = None,
    test_group: str | None = None,
) -> pd.DataFrame:
    """The rows of one condition, arm and direction; None leaves a column alone. The result may be empty."""
    wanted = {"condition": condition, "arm": arm, "train_group": train_group, "test_group": test_group}
    keep = np.ones(len(scores), bool)
    for column, value in wanted.items():
        if value is not None:
            keep &= (scores[column] == value).to_numpy()
    return scores[keep]


def repetition_scores(scores: pd.DataFrame, *which: str | None, value: str = "score", **named: str) -> pd.Series:
    """Mean over action units of each participant in each test, percent; index (repetition, participant).

    A repetition is one trained model: where groups train apart its name has the group in front. In the
    person-dependent condition nobody shares a model, and a repetition is its number alone. `which` and `named` are the
    arguments of `select`.
    """
    chosen = select(scores, *which, **named)
    values = measure(chosen, value).astype(float)
    own = chosen["train_group"].astype(str) == chosen["participant"].astype(str)
    model = chosen["train_group"].astype(str).where(~own, "") + "/" + chosen["repetition"].astype(str)
    keys = [model.rename("repetition"), chosen["participant"].astype(str)]
    return values.groupby(keys).mean().dropna().rename(value)


def participant_scores(scores: pd.DataFrame, *which: str | None, value: str = "score", **named: str) -> pd.Series:
    """A participant's score in a condition, percent: the mean over action units, then over the repetitions in which
    the participant was tested (section 4.3). Index: participant.

    `which` and `named` are the arguments of `select`: `participant_scores(scores, "gender-dependent", "deepfn")`.
    """
    return repetition_scores(scores, *which, value=value, **named).groupby("participant").mean()


def action_unit_scores(scores: pd.DataFrame, *which: str | None, value: str = "score", **named: str) -> pd.DataFrame:
    """Participants × action units, percent: each cell the mean over the repetitions that tested the participant."""
    chosen = select(scores, *which, **named)
    values = measure(chosen, value).astype(float)
    return values.groupby([chosen[key].astype(str) for key in ("participant", "action_unit")]).mean().unstack()


def participant_constants(
    constants: pd.DataFrame, *which: str | None, column: str = "constant_score", **named: str
) -> pd.Series:
    """What predictors that see no image score on the same participants, percent; index participant.

    `column` is `constant_score` (the better constant of each action unit, chosen on the training frames) or
    `best_constant_score` (chosen on the test frames: no constant can do better). The averages are those of
    `participant_scores`; `which` and `named` name condition and groups as in `select`, without an arm.
    """
    chosen = select(constants, *which, **named)
    values = chosen[column].astype(float) * PERCENT
    keys = [chosen["train_group"].astype(str), chosen["repetition"], chosen["participant"].astype(str)]
    return values.groupby(keys).mean().groupby("participant").mean().dropna().rename(column)
