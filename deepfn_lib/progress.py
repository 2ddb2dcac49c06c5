"""One progress bar for all long work: text, with time left, quiet in logs that nobody watches."""

import sys

from tqdm import tqdm


def progress(iterable=None, *, total: int | None = None, description: str = "", unit: str = "it"):
    """A text progress bar (`tqdm`) with rate and time left, on standard error.

    Where standard error is not a terminal it writes a line every few seconds at most, so that logs stay short.
    """
    watched = sys.stderr.isatty()
    return tqdm(
        iterable,
        total=total,
        desc=description,
        unit=unit,
        file=sys.stderr,
        dynamic_ncols=watched,
        ncols=None if watched else 100,
        mininterval=0.2 if watched else 10,
    )
