"""One network for everybody: trained once, and applied to all people with nothing of theirs but their median."""

import time
from pathlib import Path

import numpy as np

from ..artefacts import write_json
from ..faces import images
from ..rendering.pairs import scenes_of
from .recipe import Recipe
from .reference import Pairs, ReferenceNormaliser, Transplants

WEIGHTS, HISTORY, COST = "weights.npz", "history.csv", "cost.json"
CHUNK = 1024


def inputs_of(faces: np.ndarray, people: np.ndarray, side: int):
    """What the reference network sees: equalised faces uint8 (n, side, side), medians (k, side, side), `which` (n,).

    Nobody's faces are used but their own, and no label.
    """
    frames, which, medians = np.empty((len(faces), side, side), np.uint8), np.empty(len(faces), np.int64), []
    for number, (_, rows) in enumerate(images.by_person(people)):
        frames[rows], median = person_inputs(faces, rows, side)
        medians.append(median)
        which[rows] = number
    return frames, np.stack(medians), which


def person_inputs(faces: np.ndarray, rows: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """One person's faces (n, side, side), equalised, and their median (side, side), uint8."""
    frames = np.empty((len(rows), side, side), np.uint8)
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        frames[start : start + CHUNK] = images.resize(images.equalise(np.asarray(faces[chunk])), side)
    return frames, images.median_face(frames)


def pairs_from(folder: Path, recipe: Recipe) -> Pairs:
    """The rendered pairs in `folder` (`rendering.pairs.render_pairs`), equalised and at the network's sizes.

    A person stands before both corpora's cameras in turn and has a median for each, as a participant has one camera.
    """
    faces, truth, people = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("faces", "truth", "people"))
    frames, medians, which = inputs_of(faces, scenes_of(people), recipe.detail * recipe.size)
    answers = images.resize(images.equalise(np.asarray(truth)), recipe.size)
    return Pairs(frames, answers, medians, which, np.load(folder / "labels.npy"))


def transplants_from(faces: np.ndarray, people: np.ndarray, template: str, recipe: Recipe) -> Transplants:
    """The template's expressions on everybody's medians, brought to the template's geometry by one flow a person.

    `faces` uint8 (n, side, side) grey, `people` (n,) names, `template` the name of one. Self-supervised: neither
    labels nor exact answers are used, so licensed data will do.
    """
    side = recipe.detail * recipe.size
    medians = {person: images.resize(m[None], side)[0] for person, m in images.median_faces(faces, people).items()}
    frames, _ = person_inputs(faces, np.flatnonzero(np.asarray(people) == template), side)
    others = [median for person, median in medians.items() if person != template]
    return Transplants(
        frames,
        images.resize(frames, recipe.size),
        medians[template],
        np.stack(others),
        np.stack([images.flow_between(other, medians[template]) for other in others]),
    )


def train_reference(folder: Path, source, recipe: Recipe, label: str, reading: Path | None = None) -> None:
    """Train the reference network and leave `weights.npz`, `history.csv`, `cost.json` and previews in `folder`.

    `source`: Pairs or Transplants, from the median of whose answers the network starts. `reading` is the folder of a
    reader of action units (`reader.kept`, for the source's labels), which then is part of the loss, and its cost part
    of the cost. An interrupted call goes on from its checkpoints.
    """
    from . import reader
    from .per_person import tidy
    from .training import train

    base = np.median(source.answers, axis=0).round().astype(np.uint8)
    reads = None if reading is None else reader.kept(reading, source.answers, source.labels, recipe.seed)
    trainee = ReferenceNormaliser(source, base, recipe, label, reads)
    began, done = time.process_time(), []
    course = train(trainee, folder / "checkpoints", recipe.iterations, description=label, on_step=done.append)
    seconds = (time.process_time() - began) / max(1, len(done)) * recipe.iterations
    if reading is not None:
        seconds += reader.cost(reading)
    np.savez(folder / WEIGHTS, base=base, **{f"w{k:02d}": w for k, w in enumerate(trainee.network.get_weights())})
    course.to_csv(folder / HISTORY, index=False)
    write_json(
        folder / COST,
        {
            "images": recipe.iterations * recipe.batch,
            "core_seconds": seconds,
            "parameters": trainee.parameters(),
            "networks": 1,
        },
    )
    tidy(folder)


class Reference:
    """A trained reference network, read from its folder."""

    def __init__(self, folder: Path, recipe: Recipe):
        from . import networks

        with np.load(Path(folder) / WEIGHTS, allow_pickle=False) as stored:
            base, weights = stored["base"], [stored[name] for name in sorted(stored.files) if name != "base"]
        network = networks.reference_network(recipe.size, recipe.detail, recipe.base, recipe.seed)
        network.set_weights(weights)
        self.size, self.side = recipe.size, recipe.size * recipe.detail
        self._trainee = ReferenceNormaliser.for_transfer(network, base, recipe)

    def normalise(self, faces: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """One person's faces, `rows` of the grey uint8 (n, h, w), on the template: uint8 (len(rows), size, size)."""
        frames, median = person_inputs(faces, rows, self.side)
        return self._trainee.transfer(frames, np.broadcast_to(median, frames.shape))

    def normalise_everyone(self, faces: np.ndarray, people: np.ndarray, out: np.ndarray, wanted=None) -> None:
        """Fill `out` uint8 (n, size, size), one of `people` (n,) after another; `wanted` bool (n,): only their rows."""
        for _, rows in images.by_person(people):
            if wanted is None or wanted[rows[0]]:
                out[rows] = self.normalise(faces, rows)

    def transfer(self, frames: np.ndarray, medians: np.ndarray) -> np.ndarray:
        """Equalised frames and each one's median, uint8 (n, side, side), on the template: uint8 (n, size, size)."""
        return self._trainee.transfer(frames, medians)
