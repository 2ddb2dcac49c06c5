"""Deleting what the study has made, and nothing else, whatever the folders are called."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..artefacts import Store, project_root
from ..errors import StudyError


def made(store: Store, root: Path | None = None) -> dict[Path, list[Path]]:
    """What there is to delete, by the folder it is in: the store's own, executed chapters, the built book.

    Raises StudyError where an artefact is being made.
    """
    root = root or project_root()
    chapters = root / "book" / "chapters"
    if making := store.in_use():
        raise StudyError(f"{store.root} is in use: {making}; wait for it or stop it")
    found = {
        store.root: [*store.own(), *store.root.glob("bench.json")],
        chapters: sorted(chapters.glob("[0-9][0-9]_*.ipynb")),
        root: sorted(root.glob("_build")),
    }
    return {place: paths for place, paths in found.items() if paths}


def clear(store: Store, found: Mapping[Path, list[Path]]) -> Iterator[str]:
    """Delete `found`; a line for each folder, and for what stays in the artefact folder since it is not the study's.

    Raises StudyError, after the rest, where something could not be deleted.
    """
    refused: list[str] = []
    for place, paths in found.items():
        for path in paths:
            try:
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            except OSError as problem:
                refused.append(str(problem))
        yield f"deleted from {place}: {sum(not path.exists() for path in paths)} of {len(paths)}"
        for folder in (*{path.parent for path in paths} - {place}, place):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
    if store.root.is_dir() and (left := sorted(path.name for path in store.root.iterdir())):
        yield f"left in {store.root}, as it is not the study's: {', '.join(left[:5])}{' ...' if left[5:] else ''}"
    if refused:
        raise StudyError(f"{len(refused)} could not be deleted, the first: {refused[0]}")
