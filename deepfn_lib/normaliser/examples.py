"""What the reference network learns from: rendered pairs with exact answers, or the template's own expressions.

Chapter 10 compares the two.
"""

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


@dataclass(frozen=True)
class Transplants:
    """The template's expressions on other people's medians: pseudo faces whose exact answer is the template's frame.

    `template` uint8 (n, side, side) and the same frames as `answers` (n, size, size); the template's `median` (side,
    side); others' `medians` (k, side, side) and `flows` float32 (k, side, side, 2) from each to the template's.
    """

    template: np.ndarray
    answers: np.ndarray
    median: np.ndarray
    medians: np.ndarray
    flows: np.ndarray
    units = 0  # of action units that labels tell: there are no labels

    def draw(self, n: int, random: np.random.Generator) -> tuple[np.ndarray, ...]:
        """n pseudo faces, the medians they stand on, and the template's frames: float32, in 0-255; labels (n, 0).

        The change of the template's face from its median is bent to the other's geometry and added to their median,
        stronger or weaker by up to two fifths.
        """
        rows, people = random.integers(0, len(self.template), n), random.integers(0, len(self.medians), n)
        change = self.template[rows].astype(np.float32) - self.median
        moved = np.stack([images.warp(one[None], self.flows[who])[0] for one, who in zip(change, people)])
        medians = self.medians[people].astype(np.float32)
        strength = random.uniform(0.6, 1.4, (n, 1, 1)).astype(np.float32)
        faces, answers = np.clip(medians + strength * moved, 0, 255), self.answers[rows].astype(np.float32)
        return faces, medians, answers, np.zeros((n, 0), np.float32)

    def shown(self, seed: int) -> tuple[np.ndarray, ...]:
        """Some pseudo faces, their medians and answers, uint8, for previews."""
        return tuple(part.astype(np.uint8) for part in self.draw(SHOWN, np.random.default_rng(seed))[:3])


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


def transplants_from(faces: np.ndarray, people: np.ndarray, template: str, recipe: ReferenceRecipe) -> Transplants:
    """The template's expressions on everybody's medians, brought to the template's geometry by one flow a person.

    `faces` uint8 (n, side, side) grey, `people` (n,) names, `template` the name of one. Self-supervised: neither
    labels nor exact answers are used, so licensed data will do.
    """
    side = recipe.detail * recipe.size
    medians = {person: images.resize(m[None], side)[0] for person, m in images.median_faces(faces, people).items()}
    frames = images.prepare(faces, side, np.flatnonzero(np.asarray(people) == template))
    others = [median for person, median in medians.items() if person != template]
    return Transplants(
        frames,
        images.resize(frames, recipe.size),
        medians[template],
        np.stack(others),
        np.stack([images.flow_between(other, medians[template]) for other in others]),
    )
