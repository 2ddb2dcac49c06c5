"""`deepfn bench`: speeds as ratios, both sides measured in turn in one run."""

import time
from collections.abc import Callable, Sequence

import numpy as np


def entry(values: Sequence[float] | np.ndarray, unit: str) -> dict:
    """A measurement as bench.json holds it: the median of `values`, the least and the largest, how many."""
    return {
        "value": float(np.median(values)),
        "unit": unit,
        "low": float(np.min(values)),
        "high": float(np.max(values)),
        "n": len(values),
    }


def seconds(work: Callable) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
