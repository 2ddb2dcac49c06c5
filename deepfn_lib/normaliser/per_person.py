"""The paper's method as it stands: one autoencoder for each person to be normalised (section 3.2, Eq. 1 and Eq. 2).

The weights can draw the faces they were trained on, so they belong in the artefact folder and nowhere else; the gate
(`page.gate.export`) decides about anything that is to leave it.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ..artefacts import write_json
from ..errors import StudyError
from ..faces.images import equalise, resize
from .augmentation import Augmentation
from .precision import Arithmetic

CODE_VERSION = 1  # raise when the same settings would give other weights
PREPARED_AT_ONCE = 1024
WEIGHTS, DESCRIPTION, HISTORY = "weights.npz", "network.json", "history.csv"


def prepare(faces: np.ndarray, size: int, rows: Sequence[int] | np.ndarray | None = None) -> np.ndarray:
    """What the autoencoder sees: equalised (section 3.1), then reduced. uint8 (n, side, side) to (n, size, size).

    `rows` picks some of the faces, of which only so many are read at a time.
    """
    rows = np.arange(len(faces)) if rows is None else np.asarray(rows)
    out = np.empty((len(rows), size, size), np.uint8)
    for start in range(0, len(rows), PREPARED_AT_ONCE):
        some = slice(start, start + PREPARED_AT_ONCE)
        out[some] = resize(equalise(np.asarray(faces[rows[some]])), size)
    return out


def train_person(
    folder: str | Path,
    template_faces: np.ndarray,
    person_faces: np.ndarray,
    *,
    size: int,
    width: float,
    iterations: int,
    batch: int,
    learning_rate: float,
    seed: int,
    loss: str = "mae",
    warp_pixels: float = 5.0,
    augmentation: Augmentation | None = None,
    truth: np.ndarray | None = None,
    label: str = "",
    initial: str | Path | None = None,
    checkpoint_every: int = 0,
    arithmetic: Arithmetic | None = None,
) -> pd.DataFrame:
    """Train one person's autoencoder against the template's and leave it in `folder`; returns the losses.

    `template_faces` (m, size, size) and `person_faces` (n, size, size) uint8, from `prepare`. An iteration is one
    batch of the template and one of the person. `augmentation` overrides `warp_pixels`. `truth`, the person's
    faces on the template, is only shown in previews. `initial` is the folder of an earlier run whose weights this
    one starts from: the paper's own idea for saving time. `label` names the person in checkpoints.

    The folder gets `weights.npz`, `network.json`, `history.csv` (step, template, person) and `previews/`; its
    `checkpoints/` are what an interrupted call goes on from, and are removed at the end. At the paper's size each of
    the three that are kept takes 2.6 GB, most of it Adam's moments.
    Raises StudyError for faces of another shape, and as `training.train` does.
    """
    from . import training
    from .autoencoder import Autoencoder

    folder = Path(folder)
    for name, faces in (("template", template_faces), ("person", person_faces)):
        if faces.ndim != 3 or faces.shape[1:] != (size, size) or not len(faces):
            raise StudyError(f"{name} faces have shape {faces.shape}, expected (n, {size}, {size}); use `prepare`")
    trainee = Autoencoder(
        template_faces,
        person_faces,
        size=size,
        width=width,
        seed=seed,
        batch=batch,
        learning_rate=learning_rate,
        loss=loss,
        augmentation=augmentation or Augmentation(warp_pixels=warp_pixels),
        truth=truth,
        label=label,
        arithmetic=arithmetic,
    )
    if initial is not None:
        _start_from(trainee, Path(initial))
    course = training.train(
        trainee,
        folder / "checkpoints",
        iterations,
        description=f"autoencoder {label}".strip(),
        checkpoint_every=checkpoint_every,
    )
    save(folder, trainee, iterations)
    course.to_csv(folder / HISTORY, index=False)
    tidy(folder)
    return course


def _start_from(trainee, initial: Path) -> None:
    """The weights of an earlier run, and its digest in the description: another start is another training."""
    from ..artefacts import file_digest

    networks = [trainee.encoder, *trainee.decoders]
    for network, weights in zip(networks, _read_weights(initial, len(networks))):
        if [w.shape for w in weights] != [tuple(w.shape) for w in network.weights]:
            raise StudyError(f"{initial / WEIGHTS} holds networks of another size; start from one of the same settings")
        network.set_weights(weights)
    trainee.description["initial"] = file_digest(initial / WEIGHTS)


def tidy(folder: Path) -> None:
    """Previews move up, checkpoints go: the finished folder is small and says the same however often it was resumed."""
    checkpoints, previews = folder / "checkpoints", folder / "previews"
    previews.mkdir(exist_ok=True)
    for picture in checkpoints.glob("previews/*.png"):
        os.replace(picture, previews / picture.name)
    for path in sorted(checkpoints.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    checkpoints.rmdir()


def save(folder: str | Path, trainee, iterations: int) -> None:
    """Write an `Autoencoder`'s weights, encoder, template's decoder, person's decoder, and what they are."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {
        f"{name}-{number:02d}": weights
        for name, network in zip("abc", (trainee.encoder, *trainee.decoders))
        for number, weights in enumerate(network.get_weights())
    }
    temporary = folder / (WEIGHTS + ".tmp")
    with open(temporary, "wb") as stream:
        np.savez(stream, **arrays)
    os.replace(temporary, folder / WEIGHTS)
    write_json(folder / DESCRIPTION, {**trainee.description, "iterations": iterations})


def _read_weights(folder: Path, networks: int) -> list[list[np.ndarray]]:
    """The weights of the first `networks` of encoder, template's and person's decoder."""
    try:
        with np.load(folder / WEIGHTS, allow_pickle=False) as stored:
            names = sorted(stored.files)
            return [[stored[name] for name in names if name[0] == letter] for letter in "abc"[:networks]]
    except Exception as problem:  # zipfile, zlib and NumPy each have their own
        raise StudyError(f"weights {folder / WEIGHTS} cannot be read ({problem}); train this person anew") from None


def transfer(folder: str | Path, faces: np.ndarray, at_once: int = 256) -> np.ndarray:
    """Eq. 2: X_y = D_y(E(X)), the faces through the encoder and the template's decoder, without augmentation.

    `faces` uint8 (n, size, size) from `prepare`; returns the same shape. The whole crop goes in: it stands for the
    middle 160 of 256 pixels to which the code base cuts before it converts.
    Raises StudyError where the folder holds no readable network, or faces of another size are given.
    """
    from . import networks
    from .autoencoder import as_faces, as_input

    folder = Path(folder)
    try:
        described = json.loads((folder / DESCRIPTION).read_text())
    except (OSError, ValueError):
        raise StudyError(f"{folder} holds no trained autoencoder ({DESCRIPTION}); train this person first") from None
    size, width = described["size"], described["width"]
    if faces.shape[1:] != (size, size):
        raise StudyError(f"faces have shape {faces.shape}, this network wants (n, {size}, {size}); use `prepare`")
    encoder, decoder = networks.encoder(size, width), networks.decoder(size, width)
    for network, weights in zip((encoder, decoder), _read_weights(folder, 2)):
        network.set_weights(weights)
    out = np.empty(faces.shape, np.uint8)
    for start in range(0, len(faces), at_once):
        some = slice(start, start + at_once)
        out[some] = as_faces(decoder(encoder(as_input(faces[some]))))
    return out
