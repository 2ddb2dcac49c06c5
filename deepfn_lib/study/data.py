"""The first steps: where the datasets are, and one aligned face for each labelled frame."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from ..artefacts import digest, file_digest, write_json
from ..datasets.files import existing_folder, fingerprint
from ..errors import StudyError
from ..faces import images
from ..settings import Settings
from .steps import Named, step


@dataclass(frozen=True)
class Dataset:
    """A dataset as a licensee has it. `reads`: the loader's arguments beside the folder, and the settings they are."""

    name: str  # in the frame table; in small letters its setting and its file in data_manifests/
    loader: Named
    reads: dict[str, str]

    @property
    def folder_setting(self) -> str:
        return self.name.lower()


DATASETS = (
    Dataset("BP4D", Named("datasets.bp4d:read_bp4d"), {"frame_offset": "frame_offset"}),
    Dataset(
        "DISFA",
        Named("datasets.disfa:read_disfa"),
        {
            "camera": "disfa_camera",
            "threshold": "disfa_threshold",
            "drop_error_log": "disfa_drop_error_log",
            "frames_folder": "disfa_frames",
            "first_image": "disfa_first_image",
        },
    ),
)
NOTICES = "notices.json"
READING = tuple(setting for dataset in DATASETS for setting in dataset.reads.values())


@dataclass(frozen=True)
class Corpora:
    """Where the datasets are, by name, and their `manifests`, the files in data_manifests/.

    A dataset that a licensee has not given is absent. Truth and landmarks exist for rendered corpora only.
    """

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
class Pictures:
    """Aligned faces and who is on each, and nothing else: what self-supervised steps are given.

    `images` uint8 (n, side, side), `names` str (n,) as `dataset/participant`, row by row with `Faces`.
    """

    images: np.ndarray
    names: np.ndarray
    folder: Path

    @property
    def key(self) -> str:
        return self.folder.name

    @cached_property
    def medians(self) -> dict[str, np.ndarray]:
        """Everybody's median face, equalised, uint8 (side, side), by name."""
        return images.median_faces(self.images, self.names)

    @cached_property
    def mean_face(self) -> np.ndarray:
        """The mean of all medians, uint8 (side, side): nobody's face."""
        return np.mean(list(self.medians.values()), axis=0).round().astype(np.uint8)

    def rows(self, name: str) -> np.ndarray:
        """The rows of one person (`dataset/participant`). Raises StudyError for a name that nobody has."""
        found = np.flatnonzero(self.names == name)
        if not len(found):
            raise StudyError(f"nobody is called {name!r} in these faces; people are named like {self.names[0]}")
        return found

    def of_everybody(self, wanted: Iterable[str] | None = None) -> dict[str, np.ndarray]:
        """The rows of everybody, or of the `wanted` people, by name in sorted order."""
        some = None if wanted is None else set(wanted)
        return {name: rows for name, rows in images.by_person(self.names) if some is None or name in some}


@dataclass(frozen=True)
class Faces:
    """Aligned faces and their labels, row by row: `images` uint8 (n, side, side), `truth` the same or None.

    `notices` are the lines that the datasets' readers had to say."""

    frames: pd.DataFrame
    images: np.ndarray
    truth: np.ndarray | None
    exclusions: pd.DataFrame
    participants: pd.DataFrame
    manifests: dict[str, str]
    folder: Path
    notices: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return self.folder.name

    @cached_property
    def names(self) -> np.ndarray:
        """Who is on each row, as `dataset/participant`, str (n,)."""
        return (self.frames["dataset"].astype(str) + "/" + self.frames["participant"].astype(str)).to_numpy()

    @cached_property
    def pictures(self) -> Pictures:
        """The same without labels and exact answers."""
        return Pictures(self.images, self.names, self.folder)

    @property
    def answers(self) -> np.ndarray:
        """The exact answers, `truth` where it is known to exist."""
        assert self.truth is not None
        return self.truth

    @property
    def medians(self) -> dict[str, np.ndarray]:
        """As of `Pictures`."""
        return self.pictures.medians

    @property
    def mean_face(self) -> np.ndarray:
        """As of `Pictures`."""
        return self.pictures.mean_face

    def rows(self, name: str) -> np.ndarray:
        """As of `Pictures`."""
        return self.pictures.rows(name)

    def people(self, rows: np.ndarray | None = None) -> np.ndarray:
        """Who is on each row, as the gate of faces names people: `manifest/participant`."""
        frames = self.frames if rows is None else self.frames.iloc[rows]
        return (frames["dataset"].map(self.manifests).astype(str) + "/" + frames["participant"].astype(str)).to_numpy()


@dataclass(frozen=True)
class Checkout:
    """A user's own copy of ICT-FaceKit; its key is the content of what is read of it."""

    root: Path

    @property
    def key(self) -> str:
        from ..rendering.scans import files_of

        return digest({path.name: file_digest(path) for path in files_of(self.root)})


@step("families", rooms=("rendering.scans",))
def scanned_family(folder, checkout):
    """The family of faces from scans of real people, of a checkout of ICT-FaceKit."""
    from ..rendering.scans import write_family

    write_family(folder, checkout.root)


def _of(family: Path | None) -> dict[str, str]:
    """What the renderer is given for another family of faces than the first."""
    return {"family": str(family)} if family else {}


@step(
    "corpora",
    rooms=("rendering.corpora",),
    settings=("seed", "bp4d_people", "disfa_people", "bp4d_frame_rate", "disfa_frame_rate"),
)
def rendered_corpora(folder, chosen, machine, family=None):
    """The two rendered corpora in their official layouts, with the exact answers; of another `family` of faces, if one
    is given."""
    from ..rendering.corpora import write_corpora

    write_corpora(folder, **vars(chosen), **_of(family), machine=machine)


def licensed(settings: Settings) -> Corpora | None:
    """The folders that a licensee has given, None where there are none. Raises StudyError for what is no folder."""
    given = {dataset.name: getattr(settings, dataset.folder_setting) for dataset in DATASETS}
    roots = {name: existing_folder(folder, name) for name, folder in given.items() if folder}
    if not roots:
        return None
    told = {name: fingerprint(root) for name, root in roots.items()}
    # What lies elsewhere and is read with them counts with what it holds, too.
    if settings.disfa_frames and (frames := Path(settings.disfa_frames)).is_dir():
        told["disfa_frames"] = fingerprint(frames)
    key = digest({**told, **_groups(settings)})
    return Corpora(roots, {name: name.lower() for name in roots}, {}, None, None, key)


def _groups(settings: Settings) -> dict[str, str]:
    """The content of the groups file, where one is given and there."""
    groups = Path(settings.groups)
    return {"groups": file_digest(groups)} if settings.groups and groups.is_file() else {}


def rendered(folder: Path, settings: Settings) -> Corpora:
    """The corpora in the artefact of `rendered_corpora`."""
    groups, made = _groups(settings), "scanned" if settings.ict_facekit else "rendered"
    return Corpora(
        roots={"BP4D": folder / "bp4d", "DISFA": folder / "disfa"},
        manifests={name: f"{made}-{name.lower()}" for name in ("BP4D", "DISFA")},
        truth_roots={"BP4D": folder / "truth" / "bp4d", "DISFA": folder / "truth" / "disfa"},
        landmarks=folder / "landmarks.parquet",
        participants=folder / "participants.csv",
        key=digest({"corpora": folder.name, **groups}) if groups else folder.name,
    )


@step(
    "faces",
    rooms=("faces.crops", "datasets.manifests", *(dataset.loader.module for dataset in DATASETS)),
    settings=(*READING, "groups", "alignment", "detect_every", "crop_size"),
)
def cut_faces(folder, chosen, machine, corpora):
    """Index, detect, align and crop: one face for each labelled frame, and what was left out and why (section 4.2)."""
    from ..faces.crops import build_faces

    *tables, notices = _read(chosen, corpora)
    write_json(folder / NOTICES, notices)
    build_faces(
        folder,
        *tables,
        corpora.roots,
        crop_size=chosen.crop_size,
        alignment=chosen.alignment,
        detect_every=chosen.detect_every,
        truth_roots=corpora.truth_roots or None,
        landmarks=corpora.landmarks,
        machine=machine,
    )


def read_faces(folder: Path, manifests: Mapping[str, str]) -> Faces:
    """The faces in the artefact of `cut_faces`; pictures are read as they are asked for."""
    truth, notices = folder / "truth.npy", folder / NOTICES
    return Faces(
        frames=pd.read_parquet(folder / "frames.parquet"),
        images=np.load(folder / "faces.npy", mmap_mode="r"),
        truth=np.load(truth, mmap_mode="r") if truth.exists() else None,
        exclusions=pd.read_parquet(folder / "exclusions.parquet"),
        participants=pd.read_parquet(folder / "participants.parquet"),
        manifests=dict(manifests),
        folder=folder,
        notices=tuple(json.loads(notices.read_text())) if notices.exists() else (),
    )


def _read(chosen, corpora: Corpora) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, list[str]]:
    """Frames, exclusions and participants of all datasets there are, with gender and skin filled in, and notices."""
    from ..datasets.manifests import read_groups
    from ..frames import join

    loaded = [
        dataset.loader.function(
            corpora.roots[dataset.name], **{argument: getattr(chosen, name) for argument, name in dataset.reads.items()}
        )
        for dataset in DATASETS
        if dataset.name in corpora.roots
    ]
    whole = join(loaded)
    people, notices = whole.participants, list(whole.notices)
    groups = chosen.groups or corpora.participants
    if groups:
        people, more = read_groups(groups, people)
        notices += more
    return whole.frames, whole.exclusions, people, notices


@step(
    "still",
    rooms=("rendering.still",),
    settings=("seed", "bp4d_people", "bp4d_frame_rate", "disfa_frame_rate", "crop_size", "alignment"),
)
def held_still(folder, chosen, machine, faces, family=None):
    """The exact answers of the rendered corpora's faces with the head held still, row by row with the faces."""
    from ..rendering.still import write_still

    write_still(folder, faces.frames, **vars(chosen), **_of(family), machine=machine)


@step("pairs", rooms=("rendering.pairs",), settings=("seed", "pair_people", "pair_frames", "alignment"))
def rendered_pairs(folder, chosen, machine, wearer, family=None):
    """Rendered pairs of people who are in neither corpus; the answers show the rendered participant `wearer`."""
    from ..rendering.pairs import render_pairs

    render_pairs(
        folder,
        seed=chosen.seed,
        people=chosen.pair_people,
        frames_per_person=chosen.pair_frames,
        template=wearer,
        mode=chosen.alignment,
        **_of(family),
        machine=machine,
    )


BORDER = 40  # pixels: the photographs end at the hair, the detector wants to see where a face ends


@step("photographs", rooms=("datasets.orl", "faces.crops"), settings=("crop_size", "alignment"))
def photographs(folder, chosen, digests):
    """Aligned faces of the Database of Faces, in the geometry of `faces.crops`, so that a normaliser trained on other
    people can be applied; and a row for each photograph there is: person, number, found. `digests`: the manifest's."""
    from ..datasets.orl import read_photographs
    from ..faces.alignment import crop, transforms
    from ..faces.detection import detect

    taken, side = read_photographs(), chosen.crop_size
    wide = np.pad(taken.images, ((0, 0), (BORDER, BORDER), (BORDER, BORDER)), mode="edge")
    seen = detect(list(wide))
    rows = np.flatnonzero(seen.found)
    matrices = transforms(seen.points[rows], seen.boxes[rows], side, chosen.alignment)
    np.save(folder / "faces.npy", np.stack([crop(wide[row], matrix, side) for row, matrix in zip(rows, matrices)]))
    table = pd.DataFrame({"person": taken.people, "number": taken.numbers, "found": seen.found})
    table.to_parquet(folder / "photographs.parquet")
