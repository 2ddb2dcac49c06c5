"""What predictors that see no image score on the paper's measure: the floor under every table (chapter 14).

With a share p of positive frames, "always present" has F1 2p/(1+p) and accuracy p; "always absent" has no true
positive, hence F1 0, and accuracy 1 − p.
"""

import numpy as np


def always_present(p):
    """Mean of F1 and accuracy of "always present" where a share `p` of the frames is positive; all in 0–1."""
    p = np.asarray(p, float)
    return (2 * p / (1 + p) + p) / 2


def always_absent(p):
    """The same of "always absent"."""
    return (1 - np.asarray(p, float)) / 2


def indifference() -> float:
    """The share of positive frames at which the two score the same: (√17 − 3) / 4."""
    return (np.sqrt(17) - 3) / 4
