"""Labels from text files: small tables of integers, rows by frame number, codes that mean nothing counted."""

import io
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import StudyError
from ..frames import MISSING
from .files import read_text

UNCODABLE = 9


@dataclass
class Codes:
    """The labels of a session (BP4D) or person (DISFA): `frame` int64 (n,) ascending; `codes` maps columns of the frame
    table to int8 (n,), -1 missing; `odd` counts what was odd."""

    frame: np.ndarray
    codes: dict[str, np.ndarray]
    odd: Counter[str]


def read_numbers(path: Path, header: bool) -> tuple[list[str], np.ndarray]:
    """A comma, semicolon, tab or space separated table of integers, whatever its line ends.

    Returns the header's cells (none where no `header` is asked for) and int64 (n, k), -1 for cells that are empty or no
    whole number. Raises StudyError where a line has more cells than the first, or a header was asked for and is none.
    """
    body = read_text(path).strip("\r\n \t\x00")
    first, _, rest = body.partition("\n")
    separator = next((mark for mark in ",;\t" if mark in first), r"\s+")
    cells: list[str] = []
    if header:
        body = rest
        cells = [cell.strip().strip('"') for cell in re.split(separator, first)]
        while cells and not cells[-1]:
            cells.pop()
    if not body.strip():
        return cells, np.empty((0, len(cells)), np.int64)
    try:
        table = pd.read_csv(io.StringIO(body), header=None, sep=separator, skipinitialspace=True, low_memory=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as problem:
        message = str(problem).split("C error: ")[-1].strip()
        raise StudyError(f"{path} is damaged ({message}); take it from the distribution again") from None
    width = len(cells) if header else table.shape[1]
    if table.iloc[:, width:].notna().any(axis=None):
        raise StudyError(
            f"{path}: {table.shape[1]} columns under a header of {width}; take it from the distribution again"
        )
    table = table.iloc[:, :width]
    if all(dtype.kind in "iu" for dtype in table.dtypes):
        return cells, table.to_numpy(np.int64)
    numbers = table.apply(pd.to_numeric, errors="coerce").to_numpy(float)
    whole = np.isfinite(numbers) & (numbers == np.round(numbers)) & (np.abs(numbers) < 2**31)
    return cells, np.where(whole, np.nan_to_num(numbers), -1).astype(np.int64)


def by_frame(values: np.ndarray, path: Path, first_line: int = 1) -> np.ndarray:
    """The rows of `values` (n, k) in the order of the frame numbers in column 0; `first_line` is the first row's line.

    Raises StudyError for a row without a frame number, and for two rows of one frame.
    """
    bad = np.flatnonzero(values[:, 0] < 0)
    if len(bad):
        raise StudyError(f"{path}: row {bad[0] + first_line} has no frame number; mend the row or take the file anew")
    values = values[np.argsort(values[:, 0], kind="stable")]
    twice = np.flatnonzero(np.diff(values[:, 0]) == 0)
    if len(twice):
        raise StudyError(
            f"{path}: frame {values[twice[0], 0]} has two rows ({len(twice)} such frames); take the file anew"
        )
    return values


def known_codes(values: np.ndarray, highest: int, what: str, odd: Counter[str]) -> np.ndarray:
    """Codes (n,) as int8, -1 where they are not 0 … `highest`; those are counted in `odd` as `what` codes."""
    known = (values >= 0) & (values <= highest)
    odd[f"{what} codes 9 (not codable), read as missing"] += int((values == UNCODABLE).sum())
    for code, count in zip(*np.unique(values[~known & (values != UNCODABLE)], return_counts=True)):
        name = "empty or unreadable" if code == MISSING else f"unknown ({code})"
        odd[f"{what} codes {name}, read as missing"] += int(count)
    return np.where(known, values, MISSING).astype(np.int8)


def odd_notices(dataset: str, odd: Counter[str]) -> list[str]:
    """What was odd in a dataset's codes, one line each."""
    return [f"{dataset}, {what}: {count}" for what, count in sorted(odd.items()) if count]
