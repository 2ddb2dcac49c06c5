"""Looking through a dataset's folder: one pass, files by what their names say, images by their numbers."""

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import StudyError
from ..frames import locate

# What a file is, told by its name alone, and whose it is. Both datasets in one table, as people give one for the other.
KINDS = {
    kind: re.compile(pattern, re.IGNORECASE)
    for kind, pattern in {
        "BP4D occurrence": r"([FM]\d{3})_(T\d{1,2})\.csv",
        "BP4D intensity": r"([FM]\d{3})_(T\d{1,2})_(AU\d{1,2})\.csv",
        "FERA-2017": r"FERA17_.*\.csv",
        "DISFA labels": r"(SN\d{3})_(AU\d{1,2})\.txt",
        "DISFA video": r"(Left|Right)Video(SN\d{3})_comp\.(?:avi|mp4|mov)",
        "archive": r".*\.(?:zip|tar|tar\.gz|7z|rar)",
    }.items()
}
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp"})
LABELS = ("BP4D occurrence", "BP4D intensity", "DISFA labels")

_SKIPPED_FOLDERS = frozenset({"__MACOSX", "$RECYCLE.BIN", "lost+found"})
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)

Key = tuple[str, ...]


@dataclass
class SessionImages:
    """The numbered images of one folder: `numbers` int64 ascending, `names` in the same order, and of how many digits
    the names are."""

    folder: str
    numbers: np.ndarray
    names: np.ndarray
    digits: frozenset[int]

    def sources(self, wanted: np.ndarray) -> tuple[np.ndarray, list[str]]:
        """For frame numbers `wanted` (n,): which have an image, bool (n,), and the paths of those that do."""
        at, found = locate(self.numbers, wanted)
        return found, [f"{self.folder}/{name}" for name in self.names[at[found]]]


@dataclass
class Scan:
    """What one pass over a folder found: `folders`, each with the names of its files, and the paths of the `files` of
    `KINDS` by kind and key. Paths are relative to `root`.

    A key is what the pattern's groups hold, in capitals and action units of two digits: ("F001", "T1", "AU06").
    """

    root: Path
    folders: list[tuple[str, list[str]]] = field(default_factory=list)
    files: dict[str, dict[Key, list[str]]] = field(default_factory=lambda: {kind: defaultdict(list) for kind in KINDS})

    def choose(self, kind: str, what: str, preferred: str) -> dict[Key, str]:
        """One of several copies of each file, from a folder named `preferred` where there is one.

        Opens files only where there are copies. Raises StudyError where their contents differ.
        """
        chosen = {}
        for key, paths in sorted(self.files[kind].items()):
            ranked = sorted(paths, key=lambda path: (preferred.lower() not in path.lower().split("/")[:-1], path))
            chosen[key] = ranked[0]
            for other in ranked[1:]:
                if read_text(self.root / other).split() != read_text(self.root / ranked[0]).split():
                    raise StudyError(
                        f"{what} of {' '.join(key)} is in {ranked[0]} and in {other}, with different contents; "
                        f"keep one of them in {self.root}"
                    )
        return chosen

    def images(
        self, session_of: Callable[[str], Key | None], what: str, notices: list[str]
    ) -> dict[Key, SessionImages]:
        """The numbered images of each session; `session_of` says by a folder's path whose it is, if anyone's.

        Image files with other names are counted in `notices`. Raises StudyError where `what` of one session are in
        two folders, and where two names are the same number.
        """
        found: dict[Key, SessionImages] = {}
        for folder, names in self.folders:
            key = session_of(folder)
            images = _numbered_images(self.root, folder, names, notices) if key else None
            if key and images:
                if key in found:
                    refuse_two(self.root, f"{what} of {' '.join(key)} are", [found[key].folder, folder])
                found[key] = images
        return found

    def refuse_archives(self, lacking: str) -> None:
        """Raises StudyError where there are archives, which may hold what is `lacking`."""
        archives = self.files["archive"][()]
        if archives:
            what = f"{archives[0]}, {len(archives)} in all"
            raise StudyError(f"{self.root} holds archives ({what}) and no {lacking}; unpack them first")


def scan(root: str | Path, what: str) -> Scan:
    """One pass over `root`, the folder of `what`. Raises StudyError where it is no folder, or one may not be read."""
    found = Scan(existing_folder(root, what))
    for folder, names in walk(found.root):
        found.folders.append((folder, names))
        for name in names:
            for kind, pattern in KINDS.items():
                if match := pattern.fullmatch(name):
                    key = tuple(re.sub(r"^AU(\d)$", r"AU0\1", part.upper()) for part in match.groups())
                    found.files[kind][key].append(_join(folder, name))
    return found


def existing_folder(root: str | Path, what: str) -> Path:
    """`root` as a Path. Raises StudyError where it is no folder."""
    root = Path(root).expanduser()
    if not root.is_dir():
        problem = "is a file" if root.exists() else "does not exist"
        raise StudyError(f"{what} folder {root} {problem}; give the folder you unpacked {what} into")
    return root


def walk(root: Path) -> Iterator[tuple[str, list[str]]]:
    """(folder relative to `root` with forward slashes, its file names), every folder once, in sorted order.

    Follows symbolic links, but enters no folder twice on one path; skips hidden folders and those that unpacking
    programs leave behind. Raises StudyError for a folder that may not be read.
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
            folders: list[str] = []
            names: list[str] = []
            with os.scandir(here) as entries:
                for entry in entries:
                    (folders if entry.is_dir() else names).append(entry.name)
        except OSError as problem:
            raise StudyError(
                f"cannot read folder {here}: {problem.strerror}; mend its permissions or take it away"
            ) from None
        yield relative, names
        inside = above | {identity}
        for name in sorted(folders, reverse=True):
            if not name.startswith(".") and name not in _SKIPPED_FOLDERS:
                stack.append((_join(relative, name), inside))


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _numbered_images(root: Path, folder: str, names: list[str], notices: list[str]) -> SessionImages | None:
    """The images whose stem is a whole number. It is parsed, never formatted: how many zeros it has does not matter."""
    parts = [os.path.splitext(name) for name in names if not name.startswith(".")]
    images = [(stem, suffix) for stem, suffix in parts if suffix.lower() in IMAGE_SUFFIXES]
    numbered = sorted((int(stem), stem + suffix, len(stem)) for stem, suffix in images if _NUMBER.fullmatch(stem))
    if ignored := len(images) - len(numbered):
        notices.append(f"{folder}: {ignored} images without a frame number as their name were left alone")
    if not numbered:
        return None
    numbers, kept, digits = zip(*numbered)
    twice = np.flatnonzero(np.diff(numbers) == 0)
    if len(twice):
        one, two = kept[twice[0] : twice[0] + 2]
        raise StudyError(
            f"{root / folder}: {one} and {two} are both frame {numbers[twice[0]]}; keep one of them"
            + (f" ({len(twice)} such pairs)" if len(twice) > 1 else "")
        )
    return SessionImages(folder, np.array(numbers, np.int64), np.array(kept, object), frozenset(digits))


def refuse_two(root: Path, what: str, places: Sequence[str]) -> None:
    """Raises StudyError where `what` is in more than one place."""
    if len(places) > 1:
        raise StudyError(
            f"{root}: {what} in {places[0]} and in {places[1]}; keep one of them, or give the folder that holds "
            "only one"
        )


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


def fingerprint(root: Path) -> str:
    """Sixteen hex digits that tell a dataset folder's contents from another's, wherever it lies.

    Label files count with their content, images and videos with name, size and time of their last change, and nothing
    else counts: a folder of 150,000 images takes seconds, whatever lies beside them. A copy that does not keep the
    times is another folder.
    """
    told = hashlib.sha256()
    for folder, names in walk(root):
        for name in sorted(names):
            if content := _content(root / folder / name):
                told.update(f"{folder}/{name}\n".encode(errors="surrogateescape") + content)
    return told.hexdigest()[:16]


def _content(path: Path) -> bytes:
    """What counts of a file: nothing, where no loader reads such a file."""
    labels = any(KINDS[kind].fullmatch(path.name) for kind in LABELS)
    image = path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    if not (labels or image or KINDS["DISFA video"].fullmatch(path.name)):
        return b""
    try:
        if labels:
            return hashlib.sha256(path.read_bytes()).digest()
        status = path.stat()
        return f"{status.st_size} {status.st_mtime_ns}\n".encode()
    except OSError as problem:  # whoever needs the file will say so
        return str(problem.strerror).encode()
