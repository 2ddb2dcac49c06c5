"""The paper's method: one autoencoder for each person to be normalised (section 3.2, Eq. 1 and Eq. 2).

Each may start from random weights, as in the paper, or from a joint training of everybody (`train_joint`), which the
paper's section 6 names as the way to make it cheap. Nothing comes in but pictures.

The weights can draw the faces they were trained on, so they belong in the artefact folder and nowhere else; the gate
(`page.gate.export`) decides about anything that is to leave it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..artefacts import file_digest, write_json
from ..errors import StudyError
from .recipe import AutoencoderRecipe

if TYPE_CHECKING:
    from .autoencoder import Autoencoder, Joint

CODE_VERSION = 4  # raise when the same recipe would give other weights
DESCRIPTION, HISTORY, DECODERS = "network.json", "history.csv", "decoders.npy"
NETWORKS = ("encoder", "template", "person")  # the encoder, the template's decoder, the person's
_LAST: dict[str, Any] = {}  # the networks of this process's last training, compiled: the next person's are alike


def train_person(
    folder: str | Path,
    template_faces: np.ndarray,
    person_faces: np.ndarray,
    recipe: AutoencoderRecipe,
    *,
    label: str = "",
    initial: str | Path | None = None,
    checkpoint_every: int = 0,
    on_step: Callable[["Autoencoder", int], None] | None = None,
) -> pd.DataFrame:
    """Train one person's autoencoder against the template's and leave it in `folder`; returns the losses.

    `template_faces` (m, size, size) and `person_faces` (n, size, size) uint8, from `images.prepare`. `initial` is the
    folder of a joint training (`train_joint`): this one starts from its encoder, the template's decoder and that of
    the person called `label`. `label` names the person in checkpoints; `on_step(trainee, step)` is called after each
    update.

    The folder gets the weights of NETWORKS, `network.json`, `history.csv` (step, template, person) and `previews/`;
    its `checkpoints/` are what an interrupted call goes on from, and are removed at the end. At the paper's size each
    of the three that are kept takes 2.6 GB, most of it Adam's moments.
    Raises StudyError for faces of another shape, and as `training.train` does.
    """
    from .training import tidy, train

    folder = Path(folder)
    _check({"template": template_faces, "person": person_faces}, recipe.size)
    trainee = _trainee(template_faces, person_faces, recipe, label)
    if initial is not None:
        _start_from(trainee, Path(initial), label)
    course = train(
        trainee,
        folder / "checkpoints",
        recipe.iterations,
        description=f"autoencoder {label}".strip(),
        checkpoint_every=checkpoint_every,
        on_step=None if on_step is None else lambda step: on_step(trainee, step),
    )
    save(folder, trainee)
    course.to_csv(folder / HISTORY, index=False)
    tidy(folder)
    return course


def _trainee(template: np.ndarray, person: np.ndarray, recipe: AutoencoderRecipe, label: str) -> "Autoencoder":
    """An untrained autoencoder; of the networks that the process has compiled already, if they are alike."""
    from .autoencoder import Autoencoder

    alike = {name: value for name, value in recipe.described().items() if name not in ("iterations", "augmentation")}
    compiled = _LAST.get("compiled") if _LAST.get("recipe") == alike else None
    trainee = Autoencoder(template, person, recipe, label=label, compiled=compiled)
    _LAST.update(compiled=trainee.compiled, recipe=alike)
    return trainee


def train_joint(
    folder: str | Path, template_faces: np.ndarray, people: Mapping[str, np.ndarray], recipe: AutoencoderRecipe
) -> pd.DataFrame:
    """Train Eq. 1 summed over everybody (`autoencoder.Joint`) and leave it in `folder`; returns the losses.

    `people`: name to faces uint8 (n, size, size). The folder gets the encoder's and the template's decoder's weights,
    `decoders.npy` float32 (people, weights), and what `train_person` leaves beside them; it resumes like that.
    Raises StudyError as `train_person` does.
    """
    from .autoencoder import Joint
    from .training import tidy, train

    folder = Path(folder)
    _check({"template": template_faces, **people}, recipe.size)
    trainee = Joint(template_faces, people, recipe)
    # Everybody's decoder with its moments is in each checkpoint.
    every = max(1, recipe.iterations // 5)
    course = train(
        trainee, folder / "checkpoints", recipe.iterations, description="joint autoencoder", checkpoint_every=every
    )
    _save(folder, trainee, trainee.encoder, trainee.decoder)
    np.save(folder / DECODERS, trainee.table[0].numpy())
    course.to_csv(folder / HISTORY, index=False)
    tidy(folder)
    return course


def _check(faces: Mapping[str, np.ndarray], size: int) -> None:
    for name, some in faces.items():
        if some.ndim != 3 or some.shape[1:] != (size, size) or not len(some):
            raise StudyError(f"{name} faces have shape {some.shape}, expected (n, {size}, {size}); use `prepare`")


def _start_from(trainee: "Autoencoder", initial: Path, person: str) -> None:
    """The weights of a joint training, and their digest in the description: another start is another training."""
    told = described(initial)
    if any(told[name] != getattr(trainee.recipe, name) for name in ("size", "width")):
        raise StudyError(f"{initial} holds networks of another size; start from one of the same settings")
    if person not in told["people"]:
        raise StudyError(f"{initial} has no decoder for {person!r}; it was trained for {len(told['people'])} people")
    for name, network in zip(NETWORKS, (trainee.encoder, trainee.decoders[0])):
        _load(network, initial, name)
    row, at = np.load(initial / DECODERS, mmap_mode="r")[told["people"].index(person)], 0
    for weight in trainee.decoders[1].trainable_variables:
        size = int(np.prod(weight.shape))
        weight.assign(np.reshape(row[at : at + size], weight.shape))
        at += size
    trainee.description["initial"] = file_digest(_weights(initial, NETWORKS[0]))


def save(folder: str | Path, trainee: "Autoencoder") -> None:
    """Write an `Autoencoder`'s weights, and what they are."""
    _save(Path(folder), trainee, trainee.encoder, *trainee.decoders)


def _save(folder: Path, trainee: "Autoencoder | Joint", *networks) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, network in zip(NETWORKS, networks):
        network.save_weights(_weights(folder, name))
    told = {**trainee.description, "iterations": trainee.recipe.iterations, "parameters": trainee.parameters()}
    write_json(folder / DESCRIPTION, told)


def _weights(folder: Path, name: str) -> Path:
    return folder / f"{name}.weights.h5"


def _load(network, folder: Path, name: str) -> None:
    path = _weights(folder, name)
    try:
        network.load_weights(path)
    except Exception as problem:  # h5py, zipfile and Keras each have their own
        raise StudyError(f"weights {path} cannot be read ({problem}); train this person anew") from None


def described(folder: Path) -> dict:
    """What the networks in `folder` are. Raises StudyError where there are none."""
    try:
        return json.loads((folder / DESCRIPTION).read_text())
    except (OSError, ValueError):
        raise StudyError(f"{folder} holds no trained autoencoder ({DESCRIPTION}); train this person first") from None


@lru_cache(maxsize=1)
def _networks(size: int, width: float):
    """The encoder and one decoder, to load weights into."""
    from . import networks

    return networks.encoder(size, width), networks.decoder(size, width)


def transfer(folder: str | Path, faces: np.ndarray, template: np.ndarray | None = None, at_once: int = 256):
    """Eq. 2: X_y = D_y(E(X)), the faces through the encoder and the template's decoder, without augmentation.

    `faces` uint8 (n, size, size) from `images.prepare`; returns the same shape. The whole crop goes in: it stands for
    the middle 160 of 256 pixels to which the code base cuts before it converts. With `template`, faces of the template,
    the codes are *matched* first: moved by what the two mean codes differ by, as no term of Eq. 1 makes the codes of
    two people mean the same.
    Raises StudyError where the folder holds no readable network, or faces of another size are given.
    """
    from .autoencoder import as_faces, as_input

    folder = Path(folder)
    told = described(folder)
    size, width = told["size"], told["width"]
    if faces.shape[1:] != (size, size):
        raise StudyError(f"faces have shape {faces.shape}, this network wants (n, {size}, {size}); use `prepare`")
    encoder, decoder = _networks(size, width)
    for name, network in zip(NETWORKS, (encoder, decoder)):
        _load(network, folder, name)
    out, apart = np.empty(faces.shape, np.uint8), 0.0

    def codes(some: np.ndarray) -> Iterator[tuple[slice, Any]]:
        for start in range(0, len(some), at_once):
            rows = slice(start, start + at_once)
            yield rows, encoder(as_input(some[rows]))

    if template is not None:
        means = [np.mean(np.concatenate([code for _, code in codes(some)]), axis=0) for some in (template, faces)]
        apart = means[0] - means[1]
    for rows, code in codes(faces):
        out[rows] = as_faces(decoder(code + apart))
    return out
