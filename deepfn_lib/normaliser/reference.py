"""Our own method: one small network that sees a face beside its person's median face, and changes the template's.

What is told apart by comparing two pictures of one person is what the person does; who they are is in both. The
network is trained once for everybody, on people of whom the exact answer is known (rendered pairs), or, where there
is none, on the template's own expressions transplanted onto other people's medians. Chapter 10 compares the two.
"""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from ..faces.images import resize, warp
from ..measures.quality import box
from . import networks
from .augmentation import Augmentation, draw_affine, draw_nodes, sample, spread, way_back
from .autoencoder import CHUNK, as_faces, as_input, spaced
from .reader import reading_errors
from .recipe import MISALIGNED, Recipe

SHOWN = 12  # faces in a preview
OUTSIDE, REGION_WEIGHT = 0.2, 3.0  # weights of pixels off the face, and where action units are seen; 1 elsewhere


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

    def draw(self, n: int, random: np.random.Generator):
        """n frames, their people's medians and their answers, float32 (n, size, size) in 0-255; labels (n, units)."""
        rows = random.integers(0, len(self.faces), n)
        labels = np.zeros((n, 0)) if self.labels is None else self.labels[rows]
        drawn = (self.faces[rows], self.medians[self.which[rows]], self.answers[rows], labels)
        return tuple(array.astype(np.float32) for array in drawn)

    def shown(self, seed: int):
        """Evenly spaced faces, their medians and answers, uint8, for previews. `seed` changes nothing."""
        rows = spaced(np.arange(len(self.faces)), SHOWN)
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

    def draw(self, n: int, random: np.random.Generator):
        """n pseudo faces, the medians they stand on, and the template's frames: float32, in 0-255; labels (n, 0).

        The change of the template's face from its median is bent to the other's geometry and added to their median,
        stronger or weaker by up to two fifths.
        """
        rows, people = random.integers(0, len(self.template), n), random.integers(0, len(self.medians), n)
        change = self.template[rows].astype(np.float32) - self.median
        moved = np.stack([warp(one[None], self.flows[who])[0] for one, who in zip(change, people)])
        medians = self.medians[people].astype(np.float32)
        strength = random.uniform(0.6, 1.4, (n, 1, 1)).astype(np.float32)
        faces, answers = np.clip(medians + strength * moved, 0, 255), self.answers[rows].astype(np.float32)
        return faces, medians, answers, np.zeros((n, 0), np.float32)

    def shown(self, seed: int):
        """Some pseudo faces, their medians and answers, uint8, for previews."""
        return tuple(images.astype(np.uint8) for images in self.draw(SHOWN, np.random.default_rng(seed))[:3])


def where_it_counts(size: int) -> np.ndarray:
    """Weights float32 (size, size), mean one: brows, eyes and mouth count most, then the face, then hair and wall."""
    import cv2

    weights = np.full((size, size), OUTSIDE, np.float32)
    weights[box("face", size)] = 1.0
    for region in ("brows", "eyes", "mouth"):
        weights[box(region, size)] = REGION_WEIGHT
    weights = cv2.GaussianBlur(weights, (0, 0), size / 32)
    return weights / weights.mean()


def disturb(frames, medians, random: np.random.Generator, nuisance: Augmentation, misaligned: float = MISALIGNED):
    """Frame and median under the same random affine, warp and light; and the frame a little apart from the median.

    What both share then says nothing about the expression. Returns float32 (n, size, size, 2) in about 0-1.
    """
    n, size = frames.shape[:2]
    affine = draw_affine(n, size, nuisance, random)
    nodes = draw_nodes(n, size, nuisance, random)
    shake = Augmentation(warp_pixels=misaligned)
    moved = nodes + draw_nodes(n, size, shake, random) - draw_nodes(n, size, Augmentation(warp_pixels=0.0), random)
    images = []
    for faces, points in ((frames, moved), (medians, nodes)):
        images.append(sample(faces, *spread(way_back(points @ np.array([1, 1j]), affine, size), size)))
    both = np.concatenate(images, axis=-1)
    gain = random.normal(1, 0.08, (n, 1, 1, 1)) * random.normal(1, 0.02, (n, 1, 1, 2))
    shift = random.normal(0, 0.03, (n, 1, 1, 1)) + random.normal(0, 0.01, (n, 1, 1, 2))
    return ((both - 0.5) * gain + 0.5 + shift).astype(np.float32)


class ReferenceNormaliser:
    """The reference network as a trainee (`training.train`).

    `source`: Pairs or Transplants. `template_median` uint8 (size, size). `reader` (`reader.kept`) adds its reading
    errors to the loss.
    """

    loss_names = ("loss", "pictures")

    def __init__(self, source, template_median: np.ndarray, recipe: Recipe, label: str, reader=None):
        self.source, self.reader = source, reader
        with recipe.arithmetic.networks():
            network = networks.reference_network(recipe.size, recipe.detail, recipe.base, recipe.seed)
        self._hold(network, template_median, recipe)
        self.update = recipe.arithmetic.compiled(self._update)
        self.weights = tf.constant(where_it_counts(recipe.size)[None, ..., None])
        rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, recipe.iterations, alpha=0.01)
        self.optimiser = keras.optimizers.Adam(rate)
        self.optimiser.build(self.network.trainable_variables)
        self.variables = self.network.trainable_variables + self.optimiser.variables
        told = {**recipe.described(), "reader": reader is not None}
        self.description = {"network": "reference", "person": label, **told}

    def _hold(self, network, template_median: np.ndarray, recipe: Recipe) -> None:
        self.network, self.recipe = network, recipe
        self.base = tf.constant(as_input(template_median[None]))

    @classmethod
    def for_transfer(cls, network, template_median: np.ndarray, recipe: Recipe):
        """A trained network that can only `transfer`."""
        made = cls.__new__(cls)
        made._hold(network, template_median, recipe)
        return made

    def parameters(self) -> int:
        """How many weights the network has."""
        return self.network.count_params()

    def batch(self, step: int):
        """Disturbed frames with medians (n, size, size, 2), the answers (n, size, size, 1), their labels (n, units)."""
        random = np.random.default_rng([self.recipe.seed, step])
        frames, medians, answers, labels = self.source.draw(self.recipe.batch, random)
        inputs = disturb(frames, medians, random, self.recipe.nuisance, self.recipe.misaligned)
        return inputs, as_input(answers), labels

    def _update(self, inputs, answers, labels):
        """One update; the whole loss, and of it the weighted error of grey levels and of their gradients."""
        with tf.GradientTape() as tape:
            outputs = self.base + self.network(inputs, training=True)
            loss = pictures = weighted_error(outputs - answers, self.weights, self.recipe.edges)
            if self.reader is not None:
                difference, named = reading_errors(self.reader, outputs, answers, labels)
                loss += self.recipe.reading * difference + self.recipe.naming * named
        variables = self.network.trainable_variables
        self.optimiser.apply(tape.gradient(loss, variables), variables)
        return tf.stack([loss, pictures])

    @tf.function(reduce_retracing=True)
    def _through(self, inputs):
        return tf.clip_by_value(self.base + self.network(inputs, training=False), 0.0, 1.0)

    def transfer(self, frames: np.ndarray, medians: np.ndarray) -> np.ndarray:
        """Frames and each one's median, uint8 (n, side, side), to faces of the template, uint8 (n, size, size)."""
        out = np.empty((len(frames), self.recipe.size, self.recipe.size), np.uint8)
        for start in range(0, len(frames), CHUNK):
            rows = slice(start, start + CHUNK)
            inputs = np.concatenate([as_input(frames[rows]), as_input(medians[rows])], axis=-1)
            out[rows] = as_faces(self._through(tf.constant(inputs)))
        return out

    def probe(self):
        """What the network makes of a few undisturbed faces of its training, and their answers."""
        frames, medians, answers, _ = self.source.draw(16, np.random.default_rng(self.recipe.seed))
        inputs = np.concatenate([as_input(frames), as_input(medians)], axis=-1)
        return self._through(tf.constant(inputs)).numpy(), as_input(answers)

    def preview(self) -> np.ndarray:
        """Rows: aligned faces, their people's medians, the transfer, the answer."""
        frames, medians, answers = self.source.shown(self.recipe.seed)
        rows = [resize(frames, self.recipe.size), resize(medians, self.recipe.size), self.transfer(frames, medians)]
        return np.vstack([np.hstack(list(row)) for row in (*rows, answers)])


def weighted_error(error, weights, edges: float):
    """Mean absolute error, and that of the differences between neighbours, where `weights` say that faces change."""
    across, down = error[:, :, 1:] - error[:, :, :-1], error[:, 1:] - error[:, :-1]
    gradients = tf.reduce_mean(weights[:, :, 1:] * tf.abs(across)) + tf.reduce_mean(weights[:, 1:] * tf.abs(down))
    return tf.reduce_mean(weights * tf.abs(error)) + edges * gradients
