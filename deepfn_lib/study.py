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
from .datasets import manifests
from .datasets.files import existing_folder, fingerprint
from .errors import StudyError
from .faces import crops, images
from .frames import join
from .settings import Settings

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

    def person_names(self) -> np.ndarray:
        """Who is on each row, as `dataset/participant`."""
        return (self.frames["dataset"].astype(str) + "/" + self.frames["participant"].astype(str)).to_numpy()

    def people(self, rows=None) -> np.ndarray:
        """Who is on each row, as the publication gate names people: `manifest/participant`."""
        frames = self.frames if rows is None else self.frames.iloc[rows]
        return (frames["dataset"].map(self.manifests).astype(str) + "/" + frames["participant"].astype(str)).to_numpy()


def corpora(settings: Settings, store: Store) -> Corpora:
    """The licensed folders where any is given, else the rendered corpora, written if they are not there."""
    if settings.bp4d or settings.disfa:
        given = {"BP4D": settings.bp4d, "DISFA": settings.disfa}
        roots = {name: existing_folder(folder, name) for name, folder in given.items() if folder}
        key = digest({name: fingerprint(str(root)) for name, root in roots.items()})
        return Corpora(roots, {name: name.lower() for name in roots}, {}, None, None, key)
    from .rendering import corpora as rendering

    inputs = {
        "code": rendering.CODE_VERSION,
        **_chosen(settings, "seed", "bp4d_people", "disfa_people", "bp4d_frame_rate", "disfa_frame_rate"),
    }

    def make(folder: Path) -> None:
        rendering.write_corpora(
            folder,
            seed=settings.seed,
            bp4d_people=settings.bp4d_people,
            disfa_people=settings.disfa_people,
            bp4d_frame_rate=settings.bp4d_frame_rate,
            disfa_frame_rate=settings.disfa_frame_rate,
            workers=settings.workers or None,
        )

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
    data = corpora(settings, store)
    inputs = {
        "code": crops.CODE_VERSION,
        "corpora": data.key,
        **_chosen(
            settings,
            "frame_offset",
            "disfa_camera",
            "disfa_threshold",
            "disfa_drop_error_log",
            "disfa_frames",
            "disfa_first_image",
            "groups",
            "alignment",
            "detect_every",
            "crop_size",
        ),
    }

    def make(folder: Path) -> None:
        crops.build_faces(
            folder,
            *_read(settings, data),
            data.roots,
            crop_size=settings.crop_size,
            alignment=settings.alignment,
            detect_every=settings.detect_every,
            workers=settings.workers or None,
            cluster=settings.cluster,
            truth_roots=data.truth_roots or None,
            landmarks=data.landmarks,
        )

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


def arm(settings: Settings, store: Store, name: str) -> np.ndarray:
    """The faces as one arm's classifier sees them: a read-only map, uint8 (n, 64, 64), row by row with `faces`.

    "deepfn" is whatever `settings.normaliser_arm` names; "oracle" is the exact answer, equalised as the normaliser's
    faces are. Raises StudyError for an unknown arm, and for the oracle where no truth exists.
    """
    return np.load(arm_path(settings, store, name), mmap_mode="r")


def arm_path(settings: Settings, store: Store, name: str) -> Path:
    """The file of `arm`, made if it is not there."""
    if name == "deepfn":
        name = settings.normaliser_arm
    if name in images.ARMS or name == "oracle":
        return _image_arm(settings, store, name)
    from .normaliser import methods

    return methods.normalised(settings, store, name)


def _image_arm(settings: Settings, store: Store, name: str) -> Path:
    data = faces(settings, store)
    if name == "oracle" and data.truth is None:
        raise StudyError(
            "the oracle arm needs the exact answer, which only the rendered corpora have; leave it out of `arms`"
        )
    person = template(settings, store)
    inputs = {"code": images.CODE_VERSION, "faces": data.key, "arm": name, "template": person.participant}

    def make(folder: Path) -> None:
        shape = (len(data.images), RECOGNISER_SIZE, RECOGNISER_SIZE)
        out = np.lib.format.open_memmap(folder / "faces.npy", mode="w+", dtype=np.uint8, shape=shape)
        source, change = (data.truth, "equalised") if name == "oracle" else (data.images, name)
        images.make_arm(change, source, data.person_names(), person.name, out=out)
        out.flush()

    return store.get("arms", inputs, make) / "faces.npy"


def arms(settings: Settings, store: Store) -> tuple[str, ...]:
    """The arms of the settings that these data can have: the oracle only where the exact answer exists."""
    exact = faces(settings, store).truth is not None
    return tuple(name for name in settings.arms if exact or name != "oracle")


def classifier_training(settings: Settings) -> dict[str, Any]:
    """How every classifier is trained and judged: the fields of `recognition.bank.Training`."""
    return {
        "classifier": settings.classifier,
        "epochs": settings.epochs,
        "batch": settings.classifier_batch,
        "learning_rate": settings.classifier_learning_rate,
        "empty_f1": settings.empty_f1,
    }


def protocol_folder(settings: Settings, store: Store) -> Path:
    """The artefact of section 4.3: every model of every condition, direction, repetition and arm, trained and judged.

    It holds `scores.parquet`, `constants.parquet`, `splits.parquet`, `courses.parquet` and the kept predictions.
    """
    from .recognition import protocol
    from .recognition import scores as scoring

    data, person = faces(settings, store), template(settings, store)
    paths = {name: arm_path(settings, store, name) for name in arms(settings, store)}
    training = classifier_training(settings)
    sizes = _chosen(settings, "train_people", "validation_people", "train_tasks", "validation_tasks")
    person_epochs = settings.person_epochs if settings.person_epochs != settings.epochs else 0
    inputs = {
        "code": scoring.CODE_VERSION,
        "arms": {name: path.parent.name for name, path in paths.items()},
        "seed": settings.seed,
        "repetitions": settings.repetitions,
        **training,
        **sizes,
        "person_epochs": person_epochs,
    }
    person_repetitions = settings.person_repetitions or settings.repetitions
    if person_repetitions != settings.repetitions:
        inputs["person_repetitions"] = person_repetitions

    def make(folder: Path) -> None:
        splits, notices = protocol.draw_splits(
            data.frames,
            data.participants,
            template=person.participant,
            repetitions=settings.repetitions,
            person_repetitions=person_repetitions,
            sizes=protocol.Sizes(**sizes),
            seed=settings.seed,
        )
        for notice in notices:
            print(notice)
        (folder / "notices.txt").write_text("".join(notice + "\n" for notice in notices))
        scoring.run_protocol(
            folder,
            data.frames,
            splits,
            paths,
            seed=settings.seed,
            training=training,
            person_epochs=person_epochs,
            keep_predictions=("people",),
            cluster=settings.cluster,
            workers=settings.workers or None,
        )

    return store.get("scores", inputs, make)


def scores(settings: Settings, store: Store) -> pd.DataFrame:
    """One row for each condition, direction, arm, repetition, participant and action unit (docs: architecture)."""
    return pd.read_parquet(protocol_folder(settings, store) / "scores.parquet")


def constants(settings: Settings, store: Store) -> pd.DataFrame:
    """What a constant that sees no image scores on the same splits; the keys of `scores` without the arm."""
    return pd.read_parquet(protocol_folder(settings, store) / "constants.parquet")


def splits(settings: Settings, store: Store) -> pd.DataFrame:
    """Who trained, who chose the epoch and who was tested, in every model."""
    return pd.read_parquet(protocol_folder(settings, store) / "splits.parquet")


def _read(settings: Settings, data: Corpora):
    """Frames, exclusions and participants of all datasets there are, with gender and skin filled in."""
    from .datasets import bp4d, disfa

    loaded = []
    if "BP4D" in data.roots:
        loaded.append(bp4d.read_bp4d(data.roots["BP4D"], frame_offset=settings.frame_offset))
    if "DISFA" in data.roots:
        loaded.append(
            disfa.read_disfa(
                data.roots["DISFA"],
                camera=settings.disfa_camera,
                threshold=settings.disfa_threshold,
                drop_error_log=settings.disfa_drop_error_log,
                frames_folder=settings.disfa_frames,
                first_image=settings.disfa_first_image,
            )
        )
    whole = join(loaded)
    people, notices = whole.participants, list(whole.notices)
    groups = settings.groups or data.participants
    if groups:
        people, more = manifests.read_groups(groups, people)
        notices += more
    for notice in notices:
        print(notice)
    return whole.frames, whole.exclusions, people


def _chosen(settings: Settings, *names: str) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in names}
