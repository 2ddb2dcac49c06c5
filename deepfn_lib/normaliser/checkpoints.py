"""Checkpoints: all that a training needs to go on as if it had never stopped.

One `step-########.npz` holds the values of all variables (weights and optimisers), the losses so far, and a
description of what was trained. It is written under another name and renamed, so it is whole or not there; the zip
container's checksums find later damage. Random numbers need no state of their own: batch k is drawn from (seed, k)
alone. Nothing is pickled.
"""

import json
import os
import zipfile
from pathlib import Path

import numpy as np

from ..artefacts import replacing
from ..errors import StudyError

KEPT = 3


def _path(folder: Path, step: int) -> Path:
    return folder / f"step-{step:08d}.npz"


def saved(folder: Path) -> list[Path]:
    """The folder's checkpoints, oldest first."""
    return sorted(Path(folder).glob("step-????????.npz"))


def write(folder: Path, step: int, variables, losses: np.ndarray, description: dict, keep: int = KEPT) -> Path:
    """Write the checkpoint of `step`; remove all but the last `keep`, and what a killed process had half written.

    Returns its path.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = _path(folder, step)
    arrays = {f"variable-{number:04d}": np.asarray(variable) for number, variable in enumerate(variables)}
    told = json.dumps(description, sort_keys=True)
    with replacing(path) as stream:
        np.savez(stream, step=np.int64(step), losses=losses, description=told, **arrays)  # type: ignore[arg-type]
        stream.flush()
        os.fsync(stream.fileno())
    for old in [*saved(folder)[:-keep], *folder.glob("step-*.tmp")]:
        old.unlink()
    return path


def read(path: Path, variables, description: dict) -> tuple[int, np.ndarray]:
    """Set `variables` (with `assign`) from a checkpoint; returns its step and the losses so far.

    Raises StudyError, and changes no variable, for a file that is damaged or that another training wrote.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            found = json.loads(str(stored["description"]))
            values = [stored[f"variable-{number:04d}"] for number in range(len(stored.files) - 3)]
            step, losses = int(stored["step"]), stored["losses"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as problem:
        raise StudyError(f"checkpoint {path} is damaged ({problem}); delete it to go on from the one before") from None
    _compare(path, found, json.loads(json.dumps(description)))
    if [value.shape for value in values] != [tuple(variable.shape) for variable in variables]:
        raise StudyError(f"checkpoint {path} holds other shapes than this network's; delete it to start afresh")
    for variable, value in zip(variables, values):
        variable.assign(value)
    return step, losses


def _compare(path: Path, found: dict, wanted: dict) -> None:
    differing = [name for name in sorted(found.keys() | wanted.keys()) if found.get(name) != wanted.get(name)]
    if differing:
        name = differing[0]
        raise StudyError(
            f"checkpoint {path} is of another training: its {name} is {found.get(name)!r}, expected "
            f"{wanted.get(name)!r}; move it away or use another artefact folder"
        )


def resume(folder: Path, variables, description: dict) -> tuple[int, np.ndarray]:
    """Go on from the newest checkpoint: its step and losses; (0, empty) where there is none. Raises as `read`."""
    paths = saved(folder)
    if not paths:
        return 0, np.empty((0, 0), np.float32)
    return read(paths[-1], variables, description)
