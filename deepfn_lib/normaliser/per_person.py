"""The paper's method as it stands: one autoencoder for each person to be normalised (section 3.2, Eq. 1 and Eq. 2).

The weights can draw the faces they were trained on, so they belong in the artefact folder and nowhere else; the gate
(`page.gate.export`) decides about anything that is to leave it.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..artefacts import file_digest, write_json
from ..errors import StudyError
from .recipe import AutoencoderRecipe

if TYPE_CHECKING:
    from .autoencoder import Autoencoder

CODE_VERSION = 2  # raise when the same recipe would give other weights
DESCRIPTION, HISTORY = "network.json", "history.csv"
NETWORKS = ("encoder", "template", "person")  # the encoder, the template's decoder, the person's


def train_person(
    folder: str | Path,
    template_faces: np.ndarray,
    person_faces: np.ndarray,
    recipe: AutoencoderRecipe,
    *,
    truth: np.ndarray | None = None,
    label: str = "",
    initial: str | Path | None = None,
    checkpoint_every: int = 0,
) -> pd.DataFrame:
    """Train one person's autoencoder against the template's and leave it in `folder`; returns the losses.

    `template_faces` (m, size, size) and `person_faces` (n, size, size) uint8, from `images.prepare`. `truth`, the
    person's faces on the template, is only shown in previews. `initial` is the folder of an earlier run whose weights
    this one starts from: the paper's own idea for saving time. `label` names the person in checkpoints.

    The folder gets the weights of NETWORKS, `network.json`, `history.csv` (step, template, person) and `previews/`;
    its `checkpoints/` are what an interrupted call goes on from, and are removed at the end. At the paper's size each
    of the three that are kept takes 2.6 GB, most of it Adam's moments.
    Raises StudyError for faces of another shape, and as `training.train` does.
    """
    from .autoencoder import Autoencoder
    from .training import tidy, train

    folder, size = Path(folder), recipe.size
    for name, faces in (("template", template_faces), ("person", person_faces)):
        if faces.ndim != 3 or faces.shape[1:] != (size, size) or not len(faces):
            raise StudyError(f"{name} faces have shape {faces.shape}, expected (n, {size}, {size}); use `prepare`")
    trainee = Autoencoder(template_faces, person_faces, recipe, truth=truth, label=label)
    if initial is not None:
        _start_from(trainee, Path(initial))
    description = f"autoencoder {label}".strip()
    course = train(
        trainee, folder / "checkpoints", recipe.iterations, description=description, checkpoint_every=checkpoint_every
    )
    save(folder, trainee)
    course.to_csv(folder / HISTORY, index=False)
    tidy(folder)
    return course


def _start_from(trainee: "Autoencoder", initial: Path) -> None:
    """The weights of an earlier run, and their digest in the description: another start is another training."""
    described = _description(initial)
    if any(described[name] != getattr(trainee.recipe, name) for name in ("size", "width")):
        raise StudyError(f"{initial} holds networks of another size; start from one of the same settings")
    for name, network in zip(NETWORKS, (trainee.encoder, *trainee.decoders)):
        _load(network, initial, name)
    trainee.description["initial"] = file_digest(_weights(initial, NETWORKS[0]))


def save(folder: str | Path, trainee: "Autoencoder") -> None:
    """Write an `Autoencoder`'s weights, and what they are."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, network in zip(NETWORKS, (trainee.encoder, *trainee.decoders)):
        network.save_weights(_weights(folder, name))
    described = {**trainee.description, "iterations": trainee.recipe.iterations, "parameters": trainee.parameters()}
    write_json(folder / DESCRIPTION, described)


def _weights(folder: Path, name: str) -> Path:
    return folder / f"{name}.weights.h5"


def _load(network, folder: Path, name: str) -> None:
    path = _weights(folder, name)
    try:
        network.load_weights(path)
    except Exception as problem:  # h5py, zipfile and Keras each have their own
        raise StudyError(f"weights {path} cannot be read ({problem}); train this person anew") from None


def _description(folder: Path) -> dict:
    try:
        return json.loads((folder / DESCRIPTION).read_text())
    except (OSError, ValueError):
        raise StudyError(f"{folder} holds no trained autoencoder ({DESCRIPTION}); train this person first") from None


def transfer(folder: str | Path, faces: np.ndarray, at_once: int = 256) -> np.ndarray:
    """Eq. 2: X_y = D_y(E(X)), the faces through the encoder and the template's decoder, without augmentation.

    `faces` uint8 (n, size, size) from `images.prepare`; returns the same shape. The whole crop goes in: it stands for
    the middle 160 of 256 pixels to which the code base cuts before it converts.
    Raises StudyError where the folder holds no readable network, or faces of another size are given.
    """
    from . import networks
    from .autoencoder import as_faces, as_input

    folder = Path(folder)
    described = _description(folder)
    size, width = described["size"], described["width"]
    if faces.shape[1:] != (size, size):
        raise StudyError(f"faces have shape {faces.shape}, this network wants (n, {size}, {size}); use `prepare`")
    encoder, decoder = networks.encoder(size, width), networks.decoder(size, width)
    for name, network in zip(NETWORKS, (encoder, decoder)):
        _load(network, folder, name)
    out = np.empty(faces.shape, np.uint8)
    for start in range(0, len(faces), at_once):
        some = slice(start, start + at_once)
        out[some] = as_faces(decoder(encoder(as_input(faces[some]))))
    return out
