"""The way of the data: from settings to each artefact, one call a step. Chapters start here.

corpora -> faces (index, detection, alignment, crops) -> template -> arms -> scores. Every function takes the
settings and the store, makes what is missing and returns what is there; the rooms of the library do the work and
know nothing of settings.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from . import template as template_rule
from .artefacts import Store, digest
from .datasets.index import BP4D_ACTION_UNITS, SHARED_ACTION_UNITS
from .errors import StudyError
from .settings import Settings

IMAGE_ARMS = ("original", "equalised", "clahe", "median-subtracted", "flow-residual")
RECOGNISER_SIZE = 64  # Table 3


@dataclass(frozen=True)
class Corpora:
    """Where the two datasets are. `manifests` maps "BP4D" and "DISFA" to their files in data_manifests/;
    a dataset that a licensee has not given is absent. Truth and landmarks exist for rendered corpora only."""

    roots: dict[str, Path]
    manifests: dict[str, str]
    truth_roots: dict[str, Path]
    landmarks: Path | None
    participants: Path | None
    key: str

    @property
    def rendered(self) -> bool:
        return self.landmarks is not None


@dataclass(frozen=True)
class Faces:
    """Aligned faces and their labels, row by row: `images` uint8 (n, side, side), `truth` the same or None."""

    frames: pd.DataFrame
    images: np.ndarray
    truth: np.ndarray | None
    exclusions: pd.DataFrame
    participants: pd.DataFrame
    manifests: dict[str, str]
    folder: Path

    @property
    def key(self) -> str:
        return self.folder.name

    def people(self, rows=None) -> np.ndarray:
        """Who is on each row, as the publication gate names people: `manifest/participant`."""
        frames = self.frames if rows is None else self.frames.iloc[rows]
        return (frames["dataset"].map(self.manifests).astype(str) + "/" + frames["participant"].astype(str)).to_numpy()


def corpora(settings: Settings, store: Store) -> Corpora:
    """The licensed folders where any is given, else the rendered corpora, written if they are not there."""
    if settings.bp4d or settings.disfa:
        given = {"BP4D": settings.bp4d, "DISFA": settings.disfa}
        roots = {name: _existing_folder(name, folder) for name, folder in given.items() if folder}
        return Corpora(roots, {name: name.lower() for name in roots}, {}, None, None, digest([str(r) for r in roots.values()]))
    from . import rendering

    inputs = {"code": rendering.CODE_VERSION, **_chosen(settings, "seed", "bp4d_people", "disfa_people", "bp4d_frame_rate", "disfa_frame_rate")}

    def make(folder: Path) -> None:
        rendering.write_corpora(
            folder, seed=settings.seed, bp4d_people=settings.bp4d_people, disfa_people=settings.disfa_people,
            bp4d_frame_rate=settings.bp4d_frame_rate, disfa_frame_rate=settings.disfa_frame_rate,
            workers=settings.workers or None,
        )  # fmt: skip

    folder = store.get("corpora", inputs, make)
    return Corpora(
        roots={"BP4D": folder / "bp4d", "DISFA": folder / "disfa"},
        manifests={"BP4D": "rendered-bp4d", "DISFA": "rendered-disfa"},
        truth_roots={"BP4D": folder / "truth" / "bp4d", "DISFA": folder / "truth" / "disfa"},
        landmarks=folder / "landmarks.parquet",
        participants=folder / "participants.csv",
        key=folder.name,
    )


def faces(settings: Settings, store: Store) -> Faces:
    """Index, detect, align and crop: one face for each labelled frame, and what was left out and why (section 4.2)."""
    from .faces import crops

    data = corpora(settings, store)
    inputs = {
        "code": crops.CODE_VERSION, "corpora": data.key,
        **_chosen(settings, "frame_offset", "disfa_camera", "disfa_threshold", "disfa_drop_error_log", "disfa_frames",
                  "disfa_first_image", "groups", "alignment", "detect_every", "crop_size"),
    }  # fmt: skip

    def make(folder: Path) -> None:
        crops.build_faces(
            folder, *_read(settings, data), data.roots, crop_size=settings.crop_size, alignment=settings.alignment,
            detect_every=settings.detect_every, workers=settings.workers or None, cluster=settings.cluster,
            truth_roots=data.truth_roots or None, landmarks=data.landmarks,
        )  # fmt: skip

    folder = store.get("faces", inputs, make)
    truth = folder / "truth.npy"
    return Faces(
        frames=pd.read_parquet(folder / "frames.parquet"),
        images=np.load(folder / "faces.npy", mmap_mode="r"),
        truth=np.load(truth, mmap_mode="r") if truth.exists() else None,
        exclusions=pd.read_parquet(folder / "exclusions.parquet"),
        participants=pd.read_parquet(folder / "participants.parquet"),
        manifests=data.manifests,
        folder=folder,
    )


def template(settings: Settings, store: Store) -> template_rule.Template:
    """The template participant by the paper's rule (section 3.2), with the whole ranking."""
    return template_rule.choose_template(faces(settings, store).frames)
