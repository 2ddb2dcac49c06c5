"""What the reference network learns from: rendered pairs with exact answers and labels."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..faces import images
from ..rendering.pairs import scenes_of
from .recipe import ReferenceRecipe

CODE_VERSION = 1  # raise when the same faces would give other examples
SHOWN = 12  # faces in a preview


@dataclass(frozen=True)
class Pairs:
    """Faces uint8 (n, side, side) with their exact answers (n, size, size); medians (k, side, side) by `which` (n,).

    `labels` int8 (n, units): the action units that the answers show, 0 or 1, where they are known.
    """

    faces: np.ndarray
    answers: np.ndarray
    medians: np.ndarray
    which: np.ndarray
    labels: np.ndarray | None = None

    @property
    def units(self) -> int:
        """How many action units the labels tell."""
        return 0 if self.labels is None else self.labels.shape[1]

    def draw(self, n: int, random: np.random.Generator) -> tuple[np.ndarray, ...]:
        """n frames, their people's medians and their answers, float32 (n, size, size) in 0-255; labels (n, units)."""
        rows = random.integers(0, len(self.faces), n)
        labels = np.zeros((n, 0)) if self.labels is None else self.labels[rows]
        drawn = (self.faces[rows], self.medians[self.which[rows]], self.answers[rows], labels)
        return tuple(array.astype(np.float32) for array in drawn)

    def shown(self, seed: int) -> tuple[np.ndarray, ...]:
        """Evenly spaced faces, their medians and answers, uint8, for previews. `seed` changes nothing."""
        rows = images.spaced(np.arange(len(self.faces)), SHOWN)
        return self.faces[rows], self.medians[self.which[rows]], self.answers[rows]


def inputs_of(faces: np.ndarray, people: np.ndarray, side: int):
    """What the reference network sees: equalised faces uint8 (n, side, side), medians (k, side, side), `which` (n,).

    Nobody's faces are used but their own, and no label.
    """
    frames, which, medians = np.empty((len(faces), side, side), np.uint8), np.empty(len(faces), np.int64), []
    for number, (_, rows) in enumerate(images.by_person(people)):
        frames[rows] = own = images.prepare(faces, side, rows)
        medians.append(images.median_face(own))
        which[rows] = number
    return frames, np.stack(medians), which


def pairs_from(folder: Path, recipe: ReferenceRecipe) -> Pairs:
    """The rendered pairs in `folder` (`rendering.pairs.render_pairs`), equalised and at the network's sizes.

    A person stands before both corpora's cameras in turn and has a median for each, as a participant has one camera.
    """
    faces, truth, people = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("faces", "truth", "people"))
    frames, medians, which = inputs_of(faces, scenes_of(people), recipe.detail * recipe.size)
    answers = images.resize(images.equalise(np.asarray(truth)), recipe.size)
    return Pairs(frames, answers, medians, which, np.load(folder / "labels.npy"))
