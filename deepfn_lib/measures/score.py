"""The paper's score of an action unit, (F1 + accuracy) / 2, for many people and action units at once.

Derived in chapter 04. Labels are int8: 1 present, 0 absent, -1 not coded; a frame that is not coded for an
action unit does not count for it. Predictions are probabilities; from 0.5 on they say "present".
"""

import numpy as np
from scipy.stats import rankdata

CODE_VERSION = 1  # raise when the same inputs would give other numbers

THRESHOLD = 0.5
EMPTY_F1 = ("zero", "one-if-no-false-positive", "skip")


def confusion(labels: np.ndarray, predicted: np.ndarray, groups: np.ndarray | None = None, n_groups: int = 1):
    """True positives, false positives, false negatives, true negatives: each int64 (n_groups, action units).

    `labels` int8 (n, action units), `predicted` bool of the same shape, `groups` int (n,) in 0..n_groups-1.
    """
    groups = np.zeros(len(labels), np.intp) if groups is None else groups
    present, absent = labels == 1, labels == 0
    cells = (present & predicted, absent & predicted, present & ~predicted, absent & ~predicted)
    return tuple(_sums(cell, groups, n_groups) for cell in cells)


def _sums(cell: np.ndarray, groups: np.ndarray, n_groups: int) -> np.ndarray:
    """How often `cell` is true in each group and column."""
    columns = cell.shape[1]
    rows, hits = np.nonzero(cell)
    return np.bincount(groups[rows] * columns + hits, minlength=n_groups * columns).reshape(n_groups, columns)


def f1_score(
    true_positives, false_positives, false_negatives, empty_f1: str = "one-if-no-false-positive"
) -> np.ndarray:
    """F1 from counts, elementwise; float64, NaN where it is left out.

    `empty_f1` rules the cells without a positive frame, of which the paper says nothing: "zero" gives 0,
    "one-if-no-false-positive" gives 1 where nothing was predicted either (else F1 is 0 by its formula),
    "skip" gives NaN. Raises ValueError for another policy.
    """
    if empty_f1 not in EMPTY_F1:
        raise ValueError(f"empty_f1 is one of {EMPTY_F1}, not {empty_f1!r}")
    denominator = 2 * true_positives + false_positives + false_negatives
    f1 = 2 * true_positives / np.maximum(denominator, 1)
    if empty_f1 == "one-if-no-false-positive":
        f1 = np.where(denominator == 0, 1.0, f1)
    elif empty_f1 == "skip":
        f1 = np.where(true_positives + false_negatives == 0, np.nan, f1)
    return f1


def accuracy_score(true_positives, false_positives, false_negatives, true_negatives) -> np.ndarray:
    """Share of coded frames that are right; NaN where no frame is coded."""
    coded = true_positives + false_positives + false_negatives + true_negatives
    return np.where(coded > 0, (true_positives + true_negatives) / np.maximum(coded, 1), np.nan)


def roc_auc(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of each column (ties count half), float64 (action units,); NaN without both classes.

    The Mann–Whitney form: the rank sum of the positive frames, so all columns are ranked at once.
    """
    coded = labels >= 0
    # In float64: newer SciPy gives ranks in the type of what it ranks, and half floats cannot add them up. What is not
    # coded is ranked last and changes no other rank.
    ranks = rankdata(np.where(coded, np.asarray(probabilities, np.float64), np.inf), axis=0)
    positive = labels == 1
    n_positive = positive.sum(axis=0)
    n_negative = coded.sum(axis=0) - n_positive
    pairs_won = (ranks * positive).sum(axis=0) - n_positive * (n_positive + 1) / 2
    return np.where((n_positive > 0) & (n_negative > 0), pairs_won / np.maximum(n_positive * n_negative, 1), np.nan)


def evaluate(
    labels: np.ndarray, probabilities: np.ndarray, groups: np.ndarray, n_groups: int, empty_f1: str
) -> dict[str, np.ndarray]:
    """`f1`, `accuracy`, `roc_auc` (float64), `n_frames`, `n_positive` (int64), each (n_groups, action units).

    Frames of one group (a participant) are judged together, whatever their task. NaN where a value is not defined.
    """
    counts = confusion(labels, probabilities >= THRESHOLD, groups, n_groups)
    n_frames = sum(counts)
    f1 = np.where(n_frames > 0, f1_score(counts[0], counts[1], counts[2], empty_f1), np.nan)
    members = [np.flatnonzero(groups == group) for group in range(n_groups)]
    areas = np.array([roc_auc(labels[rows], probabilities[rows]) for rows in members])
    return {
        "f1": f1,
        "accuracy": accuracy_score(*counts),
        "roc_auc": areas.reshape(f1.shape),
        "n_frames": n_frames,
        "n_positive": counts[0] + counts[2],
    }


def score(f1, accuracy):
    """The paper's score of one action unit (section 4.3); NaN where its F1 is left out."""
    return (f1 + accuracy) / 2


def constant_score(n_positive, n_frames, says_present, empty_f1: str) -> np.ndarray:
    """The score of saying the same for every frame: no image is seen, only the base rate counts.

    Elementwise on counts; `says_present` bool. NaN where no frame is coded.
    """
    n_positive, n_frames, says = np.broadcast_arrays(n_positive, n_frames, np.asarray(says_present, bool))
    n_negative = n_frames - n_positive
    zero = np.zeros_like(n_positive)
    counts = (
        np.where(says, n_positive, zero),
        np.where(says, n_negative, zero),
        np.where(says, zero, n_positive),
        np.where(says, zero, n_negative),
    )
    return np.where(
        n_frames > 0, score(f1_score(counts[0], counts[1], counts[2], empty_f1), accuracy_score(*counts)), np.nan
    )
