"""Artefacts: results on disk, keyed by what went into them, never half written, never computed twice.

An artefact is a folder `<root>/<step>/<digest>/` with the files of one step and a `card.json` that says what went
in, what came out (size and SHA-256 of each file), on which code and machine, in how many seconds. While it is made
it is called `<digest>.partial`; that folder survives an interruption, so a step may continue where it stopped.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO

import psutil
from filelock import FileLock, Timeout

from .errors import StudyError

ENVIRONMENT_VARIABLE = "DEEPFN_ARTEFACTS"
CARD = "card.json"
TREE = "*"  # the one entry of a card that stands for all files of a large tree
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
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
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
        Raises StudyError for a damaged artefact (it is named, not silently replaced) or a folder in use.
        """
        folder = self.folder(step, inputs)
        if folder.exists():
            return self._take(folder)
        partial = folder.with_name(folder.name + ".partial")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _held(folder.with_name(folder.name + ".lock")):
            if folder.exists():  # another process finished it since we looked
                return self._take(folder)
            partial.mkdir(exist_ok=True)
            began = time.monotonic()
            earlier = _seconds_so_far(partial)
            try:
                make(partial)
            except BaseException:
                if partial.exists():
                    write_json(partial / "seconds.json", earlier + time.monotonic() - began)
                raise
            (partial / "seconds.json").unlink(missing_ok=True)
            card = self._seal(partial, step, inputs, earlier + time.monotonic() - began)
            os.replace(partial, folder)
        self.used[folder] = card
        return folder

    def _take(self, folder: Path) -> Path:
        """Check a finished artefact, unless it is a tree of many files that this process has walked already: a chapter
        takes the corpora a dozen times, and each walk over 30,000 files costs a third of a second."""
        if TREE not in self.used.get(folder, {}).get("files", {}):
            self.used[folder] = self.check(folder)
        return folder

    def _seal(self, partial: Path, step: str, inputs: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        files: dict[str, dict[str, Any]] = {
            path.relative_to(partial).as_posix(): {"bytes": path.stat().st_size, "sha256": file_digest(path)}
            for path in sorted(partial.rglob("*"))
            if path.is_file()
        }
        if len(files) > 64:  # a rendered corpus: one digest for the tree keeps the card readable
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
        """The artefact's card, after comparing every file's size (and, with `contents`, its SHA-256) with it.

        Raises StudyError where something is missing or differs.
        """
        remedy = f"delete {folder} and run again to make it anew"
        try:
            card = json.loads((folder / CARD).read_text())
            files = card["files"]
        except (OSError, ValueError, KeyError):
            raise StudyError(f"artefact {folder.parent.name}/{folder.name} has no readable {CARD}; {remedy}") from None
        if TREE in files:
            present = [p for p in folder.rglob("*") if p.is_file() and p.name != CARD]
            found = (len(present), sum(p.stat().st_size for p in present))
            if found != (files[TREE]["files"], files[TREE]["bytes"]):
                raise StudyError(
                    f"artefact {folder.parent.name}/{folder.name} is damaged: files are missing or cut; {remedy}"
                )
            return card
        for name, entry in files.items():
            path = folder / name
            if not path.is_file() or path.stat().st_size != entry["bytes"]:
                raise StudyError(
                    f"artefact {folder.parent.name}/{folder.name} is damaged: {name} is missing or cut; {remedy}"
                )
            if contents and file_digest(path) != entry["sha256"]:
                raise StudyError(
                    f"artefact {folder.parent.name}/{folder.name} is damaged: {name} has changed; {remedy}"
                )
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

    def remove(self, folder: Path) -> None:
        """Delete one artefact."""
        shutil.rmtree(folder)


def _seconds_so_far(partial: Path) -> float:
    try:
        return float(json.loads((partial / "seconds.json").read_text()))
    except (OSError, ValueError, TypeError):
        return 0.0


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """One process at a time makes an artefact, on this machine or another that shares the folder.

    The operating system ends a dead process's hold. A note beside the lock says who holds it.
    """
    lock, note = FileLock(path, timeout=0), path.with_suffix(".maker")
    try:
        lock.acquire()
    except Timeout:
        try:
            owner = f"process {note.read_text()}"
        except OSError:  # it has just begun, or ended
            owner = "another process"
        raise StudyError(
            f"artefact {path.parent.name}/{path.stem} is being made by {owner}; wait for it, or stop it and run again"
        ) from None
    try:
        note.write_text(f"{os.getpid()} on {platform.node()}")
        yield
    finally:
        for file in (note, path):  # before the release: who comes next makes files of their own
            file.unlink(missing_ok=True)
        lock.release()
