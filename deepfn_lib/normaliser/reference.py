"""What labels and exact answers would buy: a network that sees a face beside its person's median and changes the
template's, taught on rendered pairs of other people.

It is no DeepFN: that one is self-supervised. Chapter 10 holds it against its control, a recogniser taught by the same
renderings.
"""

import time
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from ..artefacts import write_json
from ..faces import images, regions
from . import networks, reader
from .augmentation import Augmentation, draw_affine, draw_nodes, sample, spread, way_back
from .examples import Pairs
from .precision import Precision
from .recipe import MISALIGNED, ReferenceRecipe
from .training import tidy, train

CODE_VERSION = 2  # raise when the same examples and recipe would give another network
CHUNK = 256
WEIGHTS, MEDIAN, HISTORY, COST = "network.weights.h5", "template-median.npy", "history.csv", "cost.json"


def train_reference(
    folder: Path, source: Pairs, recipe: ReferenceRecipe, label: str, reading: Path | None = None
) -> None:
    """Train the reference network and leave it in `folder`, with `history.csv`, `cost.json` and previews.

    The network starts from the median of the source's answers. `reading` is the folder of a reader of action units
    (`reader.keep`, for the source's labels), which then is part of the loss, and its cost part of the cost. An
    interrupted call goes on from its checkpoints.
    """
    base = np.median(source.answers, axis=0).round().astype(np.uint8)
    read = None
    if reading is not None:
        read = reader.kept(reading, recipe.size, source.units)
    trainee = ReferenceTrainee(source, base, recipe, label, read)
    done: list[int] = []
    began = time.process_time()
    course = train(trainee, folder / "checkpoints", recipe.iterations, description=label, on_step=done.append)
    seconds = (time.process_time() - began) / max(1, len(done)) * recipe.iterations
    if reading is not None:
        seconds += reader.cost(reading)
    trainee.reference.save(folder)
    course.to_csv(folder / HISTORY, index=False)
    images_seen, parameters = recipe.iterations * recipe.batch, trainee.reference.network.count_params()
    cost = {"images": images_seen, "core_seconds": seconds, "parameters": parameters, "networks": 1}
    write_json(folder / COST, cost)
    tidy(folder)


class Reference:
    """The reference network and the template's median face, uint8 (size, size), that it changes."""

    def __init__(self, network: keras.Model, template_median: np.ndarray, recipe: ReferenceRecipe):
        self.network, self.template_median, self.recipe = network, template_median, recipe
        self.size, self.side = recipe.size, recipe.size * recipe.detail
        self.base = tf.constant(images.as_input(template_median[None]))
        # Traced once for any number of faces.
        seen = tf.TensorSpec((None, self.side, self.side, 2), tf.float32)
        self.through = tf.function(self._through, input_signature=[seen])

    @classmethod
    def fresh(cls, template_median: np.ndarray, recipe: ReferenceRecipe) -> "Reference":
        """An untrained one, which draws the median for every face."""
        with recipe.precision.networks():
            network = networks.reference_network(recipe.size, recipe.detail, recipe.base, recipe.seed)
        return cls(network, template_median, recipe)

    @classmethod
    def kept(cls, folder: Path, recipe: ReferenceRecipe) -> "Reference":
        """The trained one that `save` left in `folder`. It draws in plain float32, whatever it was trained in."""
        made = cls.fresh(np.load(folder / MEDIAN), replace(recipe, precision=Precision()))
        made.network.load_weights(folder / WEIGHTS)
        return made

    def save(self, folder: Path) -> None:
        """Leave the weights and the median in `folder`."""
        self.network.save_weights(folder / WEIGHTS)
        np.save(folder / MEDIAN, self.template_median)

    def _through(self, inputs):
        """Frames beside medians, float32 (n, side, side, 2) in 0-1, to faces (n, size, size, 1) in 0-1."""
        return tf.clip_by_value(self.base + self.network(inputs, training=False), 0.0, 1.0)

    def transfer(self, frames: np.ndarray, medians: np.ndarray) -> np.ndarray:
        """Equalised frames and each one's median, uint8 (n, side, side), on the template: uint8 (n, size, size)."""
        out = np.empty((len(frames), self.size, self.size), np.uint8)
        for start in range(0, len(frames), CHUNK):
            rows = slice(start, start + CHUNK)
            out[rows] = images.as_faces(self.through(tf.constant(beside(frames[rows], medians[rows]))))
        return out

    def normalise(self, faces: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """One person's faces, `rows` of the grey uint8 (n, h, w), on the template: uint8 (len(rows), size, size)."""
        frames = images.prepare(faces, self.side, rows)
        return self.transfer(frames, np.broadcast_to(images.median_face(frames), frames.shape))

    def normalise_everyone(self, faces: np.ndarray, people: np.ndarray, out: np.ndarray, wanted=None) -> None:
        """Fill `out` uint8 (n, size, size), one of `people` (n,) after another; `wanted` bool (n,): only their rows."""
        for _, rows in images.by_person(people):
            if wanted is None or wanted[rows[0]]:
                out[rows] = self.normalise(faces, rows)


def beside(frames: np.ndarray, medians: np.ndarray) -> np.ndarray:
    """Frames and their medians, (n, h, w) in 0-255, as the network sees them: float32 (n, h, w, 2) in 0-1."""
    return np.concatenate([images.as_input(frames), images.as_input(medians)], axis=-1)


class ReferenceTrainee:
    """A fresh reference network as a trainee (`training.train`).

    `read`, a reader of action units (`reader.kept`), adds its reading errors to the loss.
    """

    loss_names = ("loss", "pictures")

    def __init__(
        self,
        source: Pairs,
        template_median: np.ndarray,
        recipe: ReferenceRecipe,
        label: str,
        read: keras.Model | None = None,
    ):
        self.source, self.recipe, self.read = source, recipe, read
        self.reference = Reference.fresh(template_median, recipe)
        self.update = recipe.precision.compiled(self._update)
        self.weights = tf.constant(regions.where_it_counts(recipe.size)[None, ..., None])
        rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, recipe.iterations, alpha=0.01)
        self.optimiser = keras.optimizers.Adam(rate)
        self.trained = self.reference.network.trainable_variables
        self.optimiser.build(self.trained)
        self.variables = self.trained + self.optimiser.variables
        told = {**recipe.described(), "reader": read is not None}
        self.description = {"network": "reference", "person": label, **told}

    def batch(self, step: int):
        """Disturbed frames with medians (n, size, size, 2), the answers (n, size, size, 1), their labels (n, units)."""
        random = np.random.default_rng([self.recipe.seed, step])
        frames, medians, answers, labels = self.source.draw(self.recipe.batch, random)
        inputs = disturb(frames, medians, random, self.recipe.nuisance, self.recipe.misaligned)
        return inputs, images.as_input(answers), labels

    def _update(self, inputs, answers, labels):
        """One update; the whole loss, and of it the weighted error of grey levels and of their gradients."""
        with tf.GradientTape() as tape:
            outputs = self.reference.base + self.reference.network(inputs, training=True)
            loss = pictures = weighted_error(outputs - answers, self.weights, self.recipe.edges)
            if self.read is not None:
                difference, named = reader.reading_errors(self.read, outputs, answers, labels)
                loss += self.recipe.reading * difference + self.recipe.naming * named
        self.optimiser.apply(tape.gradient(loss, self.trained), self.trained)
        return tf.stack([loss, pictures])

    def probe(self):
        """What the network makes of a few undisturbed faces of its training, and their answers."""
        frames, medians, answers, _ = self.source.draw(16, np.random.default_rng(self.recipe.seed))
        return self.reference.through(tf.constant(beside(frames, medians))).numpy(), images.as_input(answers)

    def preview(self) -> np.ndarray:
        """Rows: aligned faces, their people's medians, the transfer, the answer."""
        frames, medians, answers = self.source.shown(self.recipe.seed)
        shown = [images.resize(part, self.recipe.size) for part in (frames, medians)]
        return np.vstack([np.hstack(list(row)) for row in (*shown, self.reference.transfer(frames, medians), answers)])


def disturb(frames, medians, random: np.random.Generator, nuisance: Augmentation, misaligned: float = MISALIGNED):
    """Frame and median under the same random affine, warp and light; and the frame a little apart from the median.

    What both share then says nothing about the expression. Returns float32 (n, size, size, 2) in about 0-1.
    """
    n, size = frames.shape[:2]
    affine = draw_affine(n, size, nuisance, random)
    nodes = draw_nodes(n, size, nuisance, random)
    shake = Augmentation(warp_pixels=misaligned)
    moved = nodes + draw_nodes(n, size, shake, random) - draw_nodes(n, size, Augmentation(warp_pixels=0.0), random)
    pictures = []
    for faces, points in ((frames, moved), (medians, nodes)):
        pictures.append(sample(faces, *spread(way_back(points @ np.array([1, 1j]), affine, size), size)))
    both = np.concatenate(pictures, axis=-1)
    gain = random.normal(1, 0.08, (n, 1, 1, 1)) * random.normal(1, 0.02, (n, 1, 1, 2))
    shift = random.normal(0, 0.03, (n, 1, 1, 1)) + random.normal(0, 0.01, (n, 1, 1, 2))
    return ((both - 0.5) * gain + 0.5 + shift).astype(np.float32)


def weighted_error(error, weights, edges: float):
    """Mean absolute error, and that of the differences between neighbours, where `weights` say that faces change."""
    across, down = error[:, :, 1:] - error[:, :, :-1], error[:, 1:] - error[:, :-1]
    gradients = tf.reduce_mean(weights[:, :, 1:] * tf.abs(across)) + tf.reduce_mean(weights[:, 1:] * tf.abs(down))
    return tf.reduce_mean(weights * tf.abs(error)) + edges * gradients
