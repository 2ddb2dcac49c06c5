"""Every setting of the study in one checked table; a profile is a row of values, data in chapters/profiles.yml."""

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from .arms import NORMALISER, STUDIED
from .artefacts import project_root
from .errors import StudyError


def absolute(path: str) -> str:
    """A path that means the same wherever it is opened; empty stays empty. Raises ValueError for what is no path."""
    try:
        return str(Path(path).expanduser().resolve()) if path else ""
    except (RuntimeError, OSError) as problem:  # no such user's home; a circle of links
        raise ValueError(str(problem)) from None


APath = Annotated[str, AfterValidator(absolute)]


class Settings(BaseModel):
    """The study's settings. Defaults are the paper's, or ours where the paper is silent (discussed in the chapters)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    profile: str = Field(description="name of the profile these values started from")
    seed: int = Field(2022, ge=0, description="root of all random numbers")

    # Where the data are. Empty: the rendered corpora.
    bp4d: APath = Field("", description="folder of the licensed BP4D; empty: rendered")
    disfa: APath = Field("", description="folder of the licensed DISFA; empty: rendered")
    groups: APath = Field(
        "", description="CSV with participant, gender, skin_group of licensed data; empty: from the IDs alone"
    )
    frame_offset: int = Field(0, ge=-1, le=0, description="image number minus BP4D label frame number: 0 or -1")
    disfa_camera: Literal["left", "right"] = Field("left", description="which of DISFA's two videos")
    disfa_threshold: int = Field(
        2, ge=1, le=5, description="intensity from which a DISFA action unit counts as present"
    )
    disfa_drop_error_log: bool = Field(
        False, description="leave out the frames that DISFA's own log calls badly tracked"
    )
    disfa_frames: APath = Field("", description="folder of extracted DISFA frames, where the videos are not used")
    disfa_first_image: int = Field(
        0, ge=0, description="number of the first extracted DISFA image (0, or 1 for ffmpeg's)"
    )

    # The rendered corpora.
    bp4d_people: int = Field(
        41, ge=6, le=41, description="rendered BP4D participants, the first of a fixed, balanced order"
    )
    disfa_people: int = Field(27, ge=4, le=27, description="rendered DISFA participants")
    bp4d_frame_rate: float = Field(25.0, gt=0, description="rendered frames per second of each 20-second BP4D task")
    disfa_frame_rate: float = Field(20.0, gt=0, description="rendered frames per second of each 242-second DISFA video")
    ict_facekit: APath = Field(
        "", description="checkout of ICT-FaceKit: rendered people have faces of its scans; empty: the first family's"
    )
    pair_people: int = Field(
        160, ge=0, description="further rendered people, in neither corpus, for the network taught on rendered pairs"
    )
    pair_frames: int = Field(45, ge=0, description="rendered frames of each of those people")

    # Faces.
    alignment: Literal["five-points", "eyes", "none"] = Field(
        "five-points", description="similarity transform from MTCNN's points"
    )
    detect_every: int = Field(5, ge=1, description="detect in one frame of so many, and interpolate between them")
    crop_size: int = Field(128, ge=64, le=256, description="side of the stored face, pixels")

    # Normaliser.
    normaliser_arm: str = Field(
        NORMALISER, description="the arm that the chapters' claims are about; one of deepfn_lib/arms.yml"
    )
    normaliser_size: int = Field(
        128, ge=64, le=128, multiple_of=64, description="side of the autoencoder's image, pixels: 64 or 128"
    )
    normaliser_width: float = Field(1.0, gt=0, le=1, description="share of the paper's filters and units")
    joint_iterations: int = Field(
        0, ge=0, description="iterations of the joint network that each person's starts from; 0: random weights (paper)"
    )
    normaliser_iterations: int = Field(50_000, ge=1, description="iterations for each person (paper: 50,000)")
    normaliser_batch: int = Field(64, ge=1, description="images in a batch")
    normaliser_learning_rate: float = Field(5e-5, gt=0, description="Adam's learning rate (paper: 5e-5)")
    motion_iterations: int = Field(8000, ge=1, description="iterations of the one network of DeepFN by motion")
    taught_iterations: int = Field(20_000, ge=1, description="iterations of the network taught on rendered pairs")
    normaliser_precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="numbers the normaliser's networks compute with; bfloat16 is for GPUs that have it"
    )
    normaliser_xla: bool = Field(False, description="compile the normaliser's updates with XLA; for GPUs")
    warp_pixels: float = Field(5.0, ge=0, description="SD of the warp's control points on the 256-pixel face")
    loss: Literal["mae", "rmse"] = Field("mae", description="Eq. 1 is MAE; the paper's text says RMSE")

    # Recognition and protocol (section 4.3).
    arms: tuple[str, ...] = Field(
        STUDIED,
        description="arms that the classifiers see beside normaliser_arm; exact answers exist on rendered corpora only",
    )
    classifier: Literal["lenet-5", "modern"] = Field("lenet-5", description="Table 3, or the small modern network")
    repetitions: int = Field(20, ge=1, description="random splits of each condition")
    person_repetitions: int = Field(
        0, ge=0, description="splits of each participant in the person-dependent condition, a model each; 0: the same"
    )
    train_people: int = Field(4, ge=1, description="participants to train on")
    validation_people: int = Field(2, ge=1, description="participants to choose the epoch on")
    train_tasks: int = Field(4, ge=1, le=6, description="tasks to train on in the person-dependent condition")
    validation_tasks: int = Field(2, ge=1, description="tasks to choose the epoch on")
    epochs: int = Field(50, ge=1, description="epochs of each classifier")
    person_epochs: int = Field(
        0, ge=0, description="epochs of the person-dependent ones, whose few frames make short epochs; 0: the same"
    )
    classifier_batch: int = Field(32, ge=1, description="images in a classifier's batch; the paper does not say")
    classifier_inputs: Literal["standardised", "0-1"] = Field(
        "standardised", description="less the training frames' mean picture, over their deviation; or grey levels / 255"
    )
    classifier_learning_rate: float = Field(5e-5, gt=0, description="Adam's learning rate (paper: 5e-5)")
    empty_f1: Literal["zero", "one-if-no-false-positive", "skip"] = Field(
        "one-if-no-false-positive", description="F1 of an action unit with no positive frame"
    )

    # Machines.
    cluster: str = Field("local", description="local, slurm, or a Dask scheduler's address")
    workers: int = Field(0, ge=0, description="processes or SLURM jobs; 0: one for each processor")
    gpus_per_worker: int = Field(0, ge=0, description="GPUs that each job asks of its worker (Dask's resource GPU)")


# Those that are paths: absolute in every Settings, so that a chapter's own folder does not matter.
PATH_SETTINGS = tuple(
    name
    for name, field in Settings.model_fields.items()
    if any(isinstance(one, AfterValidator) for one in field.metadata)
)


def profiles_path() -> Path:
    return project_root() / "chapters" / "profiles.yml"


def load_settings(profile: str = "quick", overrides: dict | None = None) -> Settings:
    """The settings of a profile with some of them overridden.

    Raises StudyError naming an unknown profile, an unknown setting or a value of the wrong type or range.
    """
    try:
        profiles = yaml.safe_load(profiles_path().read_text())
    except (OSError, yaml.YAMLError) as problem:
        raise StudyError(f"cannot read the profiles in {profiles_path().name}: {problem}") from None
    if profile not in profiles:
        raise StudyError(f"profile {profile!r} is unknown; there are {', '.join(sorted(profiles))}")
    values: dict[str, Any] = {"profile": profile, **(profiles[profile] or {}), **(overrides or {})}
    fields = Settings.model_fields
    for name in values:
        if name not in fields:
            raise StudyError(f"setting {name!r} is unknown{meant(name, fields)}; `deepfn settings` lists them all")
    try:
        # YAML and notebooks have lists for tuples; whole numbers do for real ones by themselves.
        return Settings.model_validate({k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
    except ValidationError as problem:
        first = problem.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise StudyError(
            f"setting {name}: {first['msg']}, got {first['input']!r} ({fields[name].description})"
        ) from None


def meant(name: str, known: Iterable[str]) -> str:
    """A hint, " (did you mean 'epochs'?)", at the known name nearest to `name`; empty where none is near."""
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
