"""Finding and parsing: one pass over a folder, image numbers from names, tables of small integers from
text."""

import hashlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import StudyError

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp"})
_SKIPPED_FOLDERS = frozenset({"__MACOSX", "$RECYCLE.BIN", "lost+found"})


def existing_folder(root: str | Path, what: str) -> Path:
    """`root` as a Path. Raises StudyError where it is no folder."""
    root = Path(root).expanduser()
    if not root.exists():
        raise StudyError(f"{what} folder {root} does not exist; give the folder you unpacked {what} into")
    if not root.is_dir():
        raise StudyError(f"{what} folder {root} is a file; give the folder you unpacked {what} into")
    return root


def walk(root: Path) -> Iterator[tuple[str, list[str]]]:
    """(folder relative to `root` with forward slashes, its file names), every folder once, in sorted order.

    Follows symbolic links, but enters no folder twice on one path; skips hidden folders and those that
    unpacking programs leave behind. Raises StudyError for a folder that may not be read.
    """
    stack: list[tuple[str, frozenset[tuple[int, int]]]] = [("", frozenset())]
    while stack:
        relative, above = stack.pop()
        here = root / relative
        try:
            status = os.stat(here)
            identity = (status.st_dev, status.st_ino)
            if identity in above:
                continue
            with os.scandir(here) as entries:
                folders, names = [], []
                for entry in entries:
                    if entry.is_dir():
                        folders.append(entry.name)
                    else:
                        names.append(entry.name)
        except OSError as problem:
            raise StudyError(
                f"cannot read folder {here}: {problem.strerror}; mend its permissions or take it away"
            ) from None
        yield relative, names
        inside = above | {identity}
        for name in sorted(folders, reverse=True):
            if not name.startswith(".") and name not in _SKIPPED_FOLDERS:
                stack.append((f"{relative}/{name}" if relative else name, inside))


LABEL_BYTES = 4 << 20  # files up to this size that are no images are told by their content


@lru_cache(maxsize=8)
def fingerprint(root: str) -> str:
    """Sixteen hex digits that tell a dataset folder's contents from another's, wherever it lies.

    Labels and other small files count with their content, videos with name and size, images with their names alone:
    a folder of 150,000 images takes seconds. One look a process. An image replaced under its own name is not noticed.
    """
    told = hashlib.sha256()
    for folder, names in walk(Path(root)):
        told.update(f"{folder}/\n".encode())
        for name in sorted(names):
            told.update(f"{name}\n".encode())
            if Path(name).suffix.lower() not in IMAGE_SUFFIXES:
                told.update(_content(Path(root) / folder / name))
    return told.hexdigest()[:16]


def _content(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        return path.read_bytes() if size <= LABEL_BYTES else str(size).encode()
    except OSError as problem:  # whoever needs the file will say so
        return str(problem.strerror).encode()


@dataclass
class SessionImages:
    """The numbered images of one folder: `numbers` int64 ascending, `names` in the same order."""

    folder: str
    numbers: np.ndarray
    names: np.ndarray
    ignored: int = 0
    padding: frozenset[int] = field(default_factory=frozenset)

    def sources(self, wanted: np.ndarray) -> tuple[np.ndarray, list[str]]:
        """For frame numbers `wanted` (n,): which have an image, bool (n,), and the paths of those that do."""
        if not len(self.numbers):
            return np.zeros(len(wanted), bool), []
        at = np.minimum(np.searchsorted(self.numbers, wanted), len(self.numbers) - 1)
        found = self.numbers[at] == wanted
        return found, [f"{self.folder}/{name}" for name in self.names[at[found]]]


def numbered_images(folder: str, names: list[str], root: Path) -> SessionImages | None:
    """The images among `names` whose stem is a whole number, by number; None where the folder holds no image.

    Numbers are parsed, never formatted: how many zeros a name has does not matter. Image files with other
    stems are counted in `ignored`. Raises StudyError where two names are the same number.
    """
    numbers, kept, ignored, widths = [], [], 0, set()
    for name in names:
        stem, suffix = os.path.splitext(name)
        if suffix.lower() not in IMAGE_SUFFIXES or name.startswith("."):
            continue
        if stem.isascii() and stem.isdigit():
            numbers.append(int(stem))
            kept.append(name)
            widths.add(len(stem))
        else:
            ignored += 1
    if not numbers and not ignored:
        return None
    order = np.argsort(np.array(numbers, np.int64), kind="stable")
    ordered, ordered_names = np.array(numbers, np.int64)[order], np.array(kept, object)[order]
    twice = np.flatnonzero(np.diff(ordered) == 0)
    if len(twice):
        one, two = sorted(ordered_names[twice[0] : twice[0] + 2])
        raise StudyError(
            f"{root / folder}: {one} and {two} are both frame {ordered[twice[0]]}; keep one of them"
            + (f" ({len(twice)} such pairs)" if len(twice) > 1 else "")
        )
    return SessionImages(folder, ordered, ordered_names, ignored, frozenset(widths))


@dataclass
class NumberTable:
    """Small integers from a text file: `header` cells (or None), `values` int64 (n, k) with -1 for cells that
    are empty or no whole number; `odd` counts those cells."""

    header: list[str] | None
    values: np.ndarray
    odd: int


def read_text(path: Path) -> str:
    """A small text file, with or without a byte order mark, in UTF-8, UTF-16 or Latin-1."""
    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise StudyError(f"cannot read {path}: {problem.strerror}") from None
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def read_numbers(path: Path, header: bool) -> NumberTable:
    """A comma, semicolon, tab or space separated table of integers, whatever its line ends.

    Raises StudyError where a line has more cells than the first, or a header was asked for and is none.
    """
    text = read_text(path).strip("\r\n \t\x00")
    first, _, body = text.partition("\n")
    cells: list[str] | None = None
    separator = next((mark for mark in ",;\t" if mark in first), r"\s+")
    if header:
        cells = [cell.strip().strip('"') for cell in (first.split(separator) if separator != r"\s+" else first.split())]
        while cells and not cells[-1]:
            cells.pop()
    else:
        body = text
    if not body.strip():
        return NumberTable(cells, np.empty((0, len(cells or ())), np.int64), 0)
    try:
        table = pd.read_csv(io.StringIO(body), header=None, sep=separator, skipinitialspace=True, low_memory=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as problem:
        message = str(problem).split("C error: ")[-1].strip()
        raise StudyError(f"{path} is damaged ({message}); take it from the distribution again") from None
    width = len(cells) if cells is not None else table.shape[1]
    if table.shape[1] > width and table.iloc[:, width:].notna().any(axis=None):
        raise StudyError(
            f"{path}: {table.shape[1]} columns under a header of {width}; take it from the distribution again"
        )
    table = table.iloc[:, :width]
    kinds = {dtype.kind for dtype in table.dtypes}
    if kinds <= {"i", "u"}:
        return NumberTable(cells, table.to_numpy(np.int64), 0)
    numbers = table.apply(pd.to_numeric, errors="coerce").to_numpy(float)
    whole = np.isfinite(numbers) & (numbers == np.round(numbers)) & (np.abs(numbers) < 2**31)
    return NumberTable(cells, np.where(whole, np.nan_to_num(numbers), -1).astype(np.int64), int((~whole).sum()))


def choose_file(root: Path, candidates: list[str], what: str, preferred: str = "") -> str:
    """One of several copies of a file. Raises StudyError where their contents differ.

    A copy in a folder named `preferred` comes first.
    """
    ranked = sorted(candidates, key=lambda path: (preferred.lower() not in path.lower().split("/")[:-1], path))
    if len(ranked) > 1:
        first = read_text(root / ranked[0]).split()
        for other in ranked[1:]:
            if read_text(root / other).split() != first:
                raise StudyError(
                    f"{what} is in {ranked[0]} and in {other}, with different contents; keep one of them in {root}"
                )
    return ranked[0]
