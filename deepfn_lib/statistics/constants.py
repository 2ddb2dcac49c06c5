"""What predictors that see no image score on the paper's measure: the floor under every table (chapter 14).

With a share p of positive frames, "always present" has F1 2p/(1+p) and accuracy p; "always absent" has no
true positive, hence F1 0, and accuracy 1 − p; a coin that says "present" with chance q has F1 2pq/(p+q) in
the limit of many frames and accuracy pq + (1−p)(1−q).
"""

import numpy as np
import pandas as pd


def always_present(p):
    """Mean of F1 and accuracy of "always present" where a share `p` of the frames is positive; all in 0–1."""
    p = np.asarray(p, float)
    return (2 * p / (1 + p) + p) / 2


def always_absent(p, empty_f1: float = 0.0):
    """The same of "always absent"; `empty_f1` is the F1 granted where there is no positive frame either."""
    p = np.asarray(p, float)
    return (np.where(p == 0, empty_f1, 0.0) + 1 - p) / 2


def coin(p, q):
    """The expected score, for many frames, of saying "present" by chance `q`, whatever the frame shows."""
    p, q = np.asarray(p, float), np.asarray(q, float)
    both = p + q
    f1 = np.divide(2 * p * q, both, out=np.zeros(np.broadcast(p, q).shape), where=both > 0)
    return (f1 + p * q + (1 - p) * (1 - q)) / 2


def indifference() -> float:
    """The share of positive frames at which "always present" and "always absent" score the same: (√17 − 3)
    / 4.
    """
    return (np.sqrt(17) - 3) / 4


def constants_table(frames: pd.DataFrame, action_units, empty_f1: float = 0.0) -> pd.DataFrame:
    """Image-free predictors on a frame table, one row a participant, percent, mean over action units.

    `frames` has `participant` and, for each action unit, an int8 column of 1, 0 and -1 (not coded, left
    out). Columns: always present, always absent, majority (of all frames), best constant (the one with the
    better mean over participants, each action unit for itself), best constant for each participant, coin at
    own rates.
    """
    labels = frames[list(action_units)].astype(float).where(lambda v: v >= 0)
    rates = labels.groupby(frames["participant"]).mean()  # participants × action units
    present, absent = (
        pd.DataFrame(v, rates.index, rates.columns)
        for v in (always_present(rates), np.where(rates.isna(), np.nan, always_absent(rates, empty_f1)))
    )
    majority = (labels.mean() > 0.5).to_numpy()
    better = (present.mean() > absent.mean()).to_numpy()
    return (
        pd.DataFrame(
            {
                "always present": present.mean(axis=1),
                "always absent": absent.mean(axis=1),
                "majority": _choose(majority, present, absent),
                "best constant": _choose(better, present, absent),
                "best constant for each participant": np.fmax(present, absent).mean(axis=1),
                "coin at own rates": pd.DataFrame(coin(rates, rates), rates.index, rates.columns).mean(axis=1),
            }
        )
        * 100
    )


def _choose(present_better: np.ndarray, present: pd.DataFrame, absent: pd.DataFrame) -> pd.Series:
    return pd.DataFrame(np.where(present_better, present, absent), present.index, present.columns).mean(axis=1)
