"""Random numbers by name: the same seed and names give the same numbers, whatever was drawn before."""

import hashlib

import numpy as np


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A generator that depends on the seed and the names only (not on their hash in this process)."""
    words = hashlib.sha256("\x1f".join(str(name) for name in names).encode()).digest()
    return np.random.default_rng([seed, *np.frombuffer(words[:16], "<u4").tolist()])
