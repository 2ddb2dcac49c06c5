"""Artefacts: results on disk, keyed by what went into them, never half written, never computed twice.

An artefact is a folder `<root>/<step>/<digest>/` with the files of one step and a `card.json` that says what went
in, what came out (size and SHA-256 of each file), on which code and machine, in how many seconds. While it is made
it is called `<digest>.partial`; that folder survives an interruption, so a step may continue where it stopped.
Only its owner may look into it: it may hold faces that nobody else is licensed to see.
"""

import hashlib
import json
import os
import platform
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from errno import EDQUOT, ENOSPC
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO

import psutil
from filelock import FileLock, Timeout

from .errors import StudyError
from .progress import progress

ENVIRONMENT_VARIABLE = "DEEPFN_ARTEFACTS"
CARD = "card.json"
LISTING = "files.json"  # beside the card of a large tree: its files, which the card has as one
TREE = "*"  # that one entry's name
SECONDS = "seconds.json"  # what an unfinished artefact has cost so far
OURS = re.compile(r"[0-9a-f]{16}(\.(partial|lock|maker))?")
NO_ROOM = 2**20  # bytes free, below which a disk is full
PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "numpy", "opencv-python-headless", "statsmodels", "mtcnn")


def project_root() -> Path:
    """The checkout: the folder that holds `chapters/`, `data_manifests/` and this package."""
    return Path(__file__).resolve().parents[1]


def default_root() -> Path:
    """`DEEPFN_ARTEFACTS` where it is set, else `artefacts/` at the project's root."""
    return Path(os.environ.get(ENVIRONMENT_VARIABLE) or project_root() / "artefacts").resolve()


def digest(inputs: Any) -> str:
    """Sixteen hex digits of the SHA-256 of `inputs` as canonical JSON. Raises TypeError for what JSON cannot hold."""
    text = json.dumps(inputs, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A stream for what is to take the place of `path`: a reader sees the old file or the new one, never a part."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "wb") as stream:
            yield stream
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write JSON so that a reader sees the old file or the new one, never a part."""
    with replacing(path) as stream:
        stream.write(json.dumps(value, indent=1, sort_keys=True).encode() + b"\n")


@cache
def environment() -> dict[str, Any]:
    """Commit, package versions and device: the part of a card that is the same for the whole process."""
    try:
        commit = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=project_root(), capture_output=True, text=True, timeout=10
        ).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        commit = ""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    device = {"machine": platform.machine(), "processors": os.cpu_count()}
    return {"commit": commit or "unknown", "versions": versions, "device": device}


def peak_memory_gib() -> float:
    """The largest resident memory this program has had, in GiB (Linux and macOS; elsewhere the present one)."""
    try:
        # Linux's own count starts anew with each program; getrusage hands a child what its parent had reached.
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 2**20
    except OSError:
        pass
    try:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (2**30 if platform.system() == "Darwin" else 2**20)
    except ImportError:  # Windows
        return psutil.Process().memory_info().rss / 2**30


class Store:
    """The artefact folder. `Store()` is the default one; `Store(root)` any other."""

    def __init__(self, root: str | Path | None = None):
        self.root = Path(root).resolve() if root else default_root()
        # What has been taken from here, in the order of first use, with the cards: a chapter's card lists it.
        self.used: dict[Path, dict[str, Any]] = {}

    def folder(self, step: str, inputs: Mapping[str, Any]) -> Path:
        """Where the artefact of `step` for these inputs is, or would be."""
        return self.root / step / digest(inputs)

    def get(self, step: str, inputs: Mapping[str, Any], make: Callable[[Path], None]) -> Path:
        """The artefact's folder, made by `make(partial_folder)` unless it is there and whole.

        `inputs` is JSON: all that tells this artefact from every other (`study.steps.Step.key`). `make` may find files
        of an interrupted earlier attempt in the folder it is given, and may continue from them.
        Where another process is making it, that is said and waited for.
        Raises StudyError for a damaged artefact (it is named, not silently replaced), a folder that cannot be written
        or locked, or a full disk.
        """
        folder = self.folder(step, inputs)
        partial, lock = (folder.with_name(f"{folder.name}.{what}") for what in ("partial", "lock"))
        if folder.exists():
            if lock.exists():  # of a process that was killed at its last act
                with suppress(StudyError), _held(lock):
                    pass
            return self._take(folder)
        with _held(lock):
            if folder.exists():  # another process finished it since we looked
                return self._take(folder)
            began, earlier = time.monotonic(), 0.0
            try:
                partial.mkdir(exist_ok=True)
                with suppress(OSError):  # file systems without permissions
                    partial.chmod(0o700)
                earlier = _seconds_so_far(partial)
                make(partial)
                if full := self.full():  # and who made it may not have been told
                    raise StudyError(full)
                card = self._seal(partial, step, inputs, earlier + time.monotonic() - began)
                os.replace(partial, folder)
            except BaseException as problem:
                with suppress(OSError):
                    if partial.exists():
                        write_json(partial / SECONDS, earlier + time.monotonic() - began)
                full = self.full(problem) if isinstance(problem, Exception) else ""
                if full:
                    raise StudyError(full) from None
                raise
        self.used[folder] = card
        return folder

    def full(self, problem: BaseException | None = None) -> str:
        """A line that names the folder if its disk is full, or if `problem` says so; empty where there is room."""
        with suppress(OSError):
            if getattr(problem, "errno", None) in (ENOSPC, EDQUOT) or shutil.disk_usage(self.root).free < NO_ROOM:
                return f"the disk of {self.root} is full; make room and run again: what is finished is kept"
        return ""

    def _take(self, folder: Path) -> Path:
        """Check a finished artefact, unless it is a tree of many files that this process has walked already: a chapter
        takes the corpora a dozen times, and each walk over 30,000 files costs a third of a second."""
        if TREE not in self.used.get(folder, {}).get("files", {}):
            self.used[folder] = self.check(folder)
        return folder

    def _seal(self, partial: Path, step: str, inputs: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        # What a process killed at this very place has left.
        for left in (partial / CARD, partial / LISTING, partial / SECONDS, *partial.rglob("*.????????.tmp")):
            left.unlink(missing_ok=True)
        files: dict[str, dict[str, Any]] = {
            path.relative_to(partial).as_posix(): {"bytes": path.stat().st_size, "sha256": file_digest(path)}
            for path in sorted(partial.rglob("*"))
            if path.is_file()
        }
        if len(files) > 64:  # a rendered corpus: one digest for the tree keeps the card readable
            write_json(partial / LISTING, files)
            tree = digest(files)
            files = {TREE: {"bytes": sum(f["bytes"] for f in files.values()), "files": len(files), "sha256": tree}}
        card = {
            "step": step,
            "inputs": dict(inputs),
            "files": files,
            "seconds": round(seconds, 1),
            "peak_memory_gib": round(peak_memory_gib(), 2),
            "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            **environment(),
        }
        write_json(partial / CARD, card)
        return card

    def check(self, folder: Path, contents: bool = False) -> dict[str, Any]:
        """The artefact's card, after comparing every recorded file's size (and, with `contents`, its SHA-256) with it.
        What else lies in the folder, a file manager's notes say, is nothing of ours.

        Raises StudyError where something is missing or differs.
        """
        name, remedy = f"artefact {folder.parent.name}/{folder.name}", f"delete {folder} and run again to make it anew"
        try:
            card = json.loads((folder / CARD).read_text())
            files = card["files"]
            if TREE in files and (folder / LISTING).exists():
                whole, files = files[TREE]["sha256"], json.loads((folder / LISTING).read_text())
                if digest(files) != whole:
                    raise StudyError(f"{name} is damaged: {LISTING} has changed; {remedy}")
        except (OSError, ValueError, KeyError, TypeError):
            raise StudyError(f"{name} has no readable {CARD}; {remedy}") from None
        if TREE in files:  # from before there were listings
            present = [p for p in folder.rglob("*") if p.is_file() and p.name != CARD]
            found = (len(present), sum(p.stat().st_size for p in present))
            if found != (files[TREE]["files"], files[TREE]["bytes"]):
                raise StudyError(f"{name} is damaged: files are missing or cut; {remedy}")
            return card
        for file, entry in files.items():
            try:
                size = os.stat(folder / file).st_size
            except OSError:
                size = -1
            if size != entry["bytes"]:
                raise StudyError(f"{name} is damaged: {file} is missing or cut; {remedy}")
            if contents and file_digest(folder / file) != entry["sha256"]:
                raise StudyError(f"{name} is damaged: {file} has changed; {remedy}")
        return card

    def cards(self) -> list[tuple[Path, dict[str, Any] | None]]:
        """Every artefact's folder with its card, oldest first; None for one that cannot be read."""
        found = []
        for path in sorted(self.root.glob("*/*/" + CARD), key=lambda p: p.stat().st_mtime):
            try:
                found.append((path.parent, json.loads(path.read_text())))
            except ValueError:
                found.append((path.parent, None))
        return found

    def own(self) -> list[Path]:
        """All that carries the store's mark: artefacts by their cards, unfinished ones and locks by their names."""
        named = [path for path in sorted(self.root.glob("*/*")) if OURS.fullmatch(path.name)]
        return [path for path in named if path.suffix or (path / CARD).is_file()]

    def in_use(self) -> str:
        """Which artefact is being made, and by whom; empty where none is."""
        for path in sorted(self.root.glob("*/*.lock")):
            with suppress(FileNotFoundError):
                lock = FileLock(path)
                try:
                    lock.acquire(timeout=0)
                except Timeout:
                    return _told(path)
                lock.release()
        return ""

    def remove(self, folder: Path) -> None:
        """Delete one artefact."""
        shutil.rmtree(folder)


def _seconds_so_far(partial: Path) -> float:
    try:
        return float(json.loads((partial / "seconds.json").read_text()))
    except (OSError, ValueError, TypeError):
        return 0.0


def _told(path: Path) -> str:
    """What is being made under the lock `path`, and by whom."""
    try:
        owner = f"process {path.with_suffix('.maker').read_text(errors='replace')[:200]}"
    except OSError:  # it has just begun, or ended
        owner = "another process"
    return f"{path.parent.name}/{path.stem} is being made by {owner}"


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """One process at a time makes an artefact, on this machine or another that shares the folder; the next one waits.

    The operating system ends a dead process's hold. A note beside the lock says who holds it.
    Raises StudyError where the folder cannot be written or locked.
    """
    lock, note = FileLock(path), path.with_suffix(".maker")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(Timeout):
            lock.acquire(timeout=0)
        if not lock.is_locked:
            with progress(description=f"waiting, as {_told(path)}", unit="s") as bar:
                while not lock.is_locked:
                    with suppress(Timeout):
                        lock.acquire(timeout=1)
                    bar.update()
        note.write_text(f"{os.getpid()} on {platform.node()}")
    except OSError as problem:
        lock.release()
        if getattr(problem, "errno", None) in (ENOSPC, EDQUOT):
            reason = "its disk is full; make room"
        else:
            reason = f"{problem}; give another with --artefacts or {ENVIRONMENT_VARIABLE}"
        raise StudyError(f"artefact folder {path.parents[1]} cannot be written or locked: {reason}") from None
    try:
        yield
    finally:
        for file in (note, path):  # before the release: who comes next makes files of their own
            with suppress(OSError):
                file.unlink()
        lock.release()
