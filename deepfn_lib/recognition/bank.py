"""The classifier bank: one compiled network per process that trains thousands of times.

Building, tracing and compiling a small network costs more than training it, so a process does it once. Each training
then sets the weights and the optimiser back exactly to what a fresh model of its seed would have, and runs whole, all
epochs and batches, the score on the validation people after each epoch and the copy of the best weights, in one
compiled call. `commands.bench.plain` says the same with `keras.Model.fit`; the tests hold the two together.
"""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from ..measures.score import THRESHOLD
from . import lenet_fast, networks
from .protocol import Training

CODE_VERSION = 2  # raise when the same inputs would give other weights

CHUNK = 32  # frames in a forward pass without training: what stays in a core's cache
BLACK = np.zeros((1, networks.SIDE, networks.SIDE), np.uint8)
AT_ONCE = 1024  # frames that are prepared for the network together, 16 MB


@dataclass(frozen=True)
class Trained:
    """One training's course: loss float32 (epochs,), validation F1 float32 (epochs,), and the epoch that was kept."""

    losses: np.ndarray
    validation_f1: np.ndarray
    best_epoch: int


def masked_cross_entropy(labels, probabilities):
    """Binary cross-entropy, the mean over what is coded: labels (n, action units) of 1, 0, -1 (not coded).

    Defined in chapter 04.
    """
    coded = tf.cast(labels >= 0, tf.float32)
    entropy = keras.ops.binary_crossentropy(tf.maximum(labels, 0.0), probabilities)
    return tf.math.divide_no_nan(tf.reduce_sum(coded * entropy), tf.reduce_sum(coded))


def shuffles(seed: int, epochs: int, n: int) -> np.ndarray:
    """The order of the training frames in each epoch: int32 (epochs, n), a permutation in each row."""
    random = np.random.default_rng(np.random.SeedSequence([seed, 1]))
    return random.permuted(np.tile(np.arange(n, dtype=np.int32), (epochs, 1)), axis=1)


def mean_f1(labels, predicted, empty_f1: str):
    """The mean F1 over the coded columns; `score.f1_score` in TensorFlow, for use inside a compiled training.

    `labels` int8 and `predicted` bool (n, action units). A column that "skip" leaves out does not count; with none left
    the result is 0.
    """
    present, absent = labels == 1, labels == 0

    def count(cells):
        return tf.reduce_sum(tf.cast(cells, tf.float32), axis=0)

    hits, false_alarms, misses = (count(present & predicted), count(absent & predicted), count(present & ~predicted))
    wrong_or_right = 2 * hits + false_alarms + misses
    f1 = tf.math.divide_no_nan(2 * hits, wrong_or_right)
    counted = count(labels >= 0) > 0
    if empty_f1 == "one-if-no-false-positive":
        f1 = tf.where(wrong_or_right == 0, 1.0, f1)
    elif empty_f1 == "skip":
        counted = hits + misses > 0
    weight = tf.cast(counted, tf.float32)
    return tf.math.divide_no_nan(tf.reduce_sum(f1 * weight), tf.reduce_sum(weight))


def lenet_forward(weights, cut):
    """LeNet-5's probabilities; keras.activations.sigmoid leaves the loss its logits, as in the Keras model."""
    return keras.activations.sigmoid(lenet_fast.logits(weights, cut))


def scale(images: np.ndarray, inputs: str) -> tuple[np.ndarray, float]:
    """What is taken from each picture, float32 (h, w), and what the rest is divided by, under `Training.inputs`.

    "standardised": the mean picture of the training `images` uint8 (n, h, w), and the deviation from it over all their
    pixels, one number (at least one grey level): the same rule for every arm, however much contrast it comes with.
    "0-1": nothing, and 255.
    """
    if inputs == "0-1":
        return np.zeros(images.shape[1:], np.float32), 255.0
    mean = images.mean(axis=0, dtype=np.float64)
    square = np.mean([np.square(image - mean).mean() for image in images])
    return mean.astype(np.float32), max(1.0, float(np.sqrt(square)))


class Bank:
    """One network with its optimiser, compiled once, trained as often as asked.

    `train` and `predict` take faces uint8 (n, 64, 64) and labels int8 (n, action units) of 1, 0, -1.
    """

    def __init__(self, training: Training, action_units: int):
        self.training = training
        self.model = networks.build(training.classifier, action_units, seed=0)
        fast = training.classifier == "lenet-5"
        self.prepare: Callable = lenet_fast.patches if fast else np.asarray
        self.forward: Callable = lenet_forward if fast else self._keras_forward
        self.weights = [weight.value for weight in self.model.trainable_variables]
        self.best = [tf.Variable(weight, trainable=False) for weight in self.weights]
        self.moments = [(tf.Variable(tf.zeros_like(w)), tf.Variable(tf.zeros_like(w))) for w in self.weights]
        # What a grey level is to the network: less `mean`, times `gain`. A patch's constant stays what it is.
        self.mean = tf.Variable(tf.zeros(self.prepare(BLACK).shape[1:]), trainable=False)
        self.gain = tf.Variable(tf.ones(self.mean.shape[-1:] if fast else []), trainable=False)
        # Any number of frames and epochs: traced once, whatever the sizes of the splits.
        images = tf.TensorSpec([None, *self.mean.shape], tf.uint8)
        labels = tf.TensorSpec([None, action_units], tf.int8)
        order = tf.TensorSpec([None, None], tf.int32)
        self._train = tf.function(self._course, input_signature=[images, labels, images, labels, order])
        self._predict = tf.function(self._probabilities, input_signature=[images])

    def train(self, images, labels, validation_images, validation_labels, seed: int, epochs: int | None = None):
        """Train from `seed` and leave the weights of the epoch with the best validation F1 (the first of equals).

        `epochs` other than the training's own may be given: nothing is compiled anew. Returns a `Trained`.
        """
        networks.initialise(self.model, seed)
        self._scale(images)
        for slots in self.moments:
            for slot in slots:
                slot.assign(tf.zeros_like(slot))
        order = shuffles(seed, epochs or self.training.epochs, len(images))
        losses, f1s, best_epoch = self._train(
            tf.constant(self.prepare(images)),
            tf.constant(labels),
            tf.constant(self.prepare(validation_images)),
            tf.constant(validation_labels),
            order,
        )
        return Trained(losses.numpy(), f1s.numpy(), int(best_epoch))

    def _scale(self, images) -> None:
        mean, deviation = scale(images, self.training.inputs)
        gain = np.full(self.gain.shape, 1 / deviation)
        if len(gain.shape):
            gain[-1] = 1
            mean = lenet_fast.patches(mean[None], constant=0)[0]
        self.mean.assign(mean)
        self.gain.assign(gain)

    def _scaled(self, images):
        return (tf.cast(images, tf.float32) - self.mean) * self.gain

    def _keras_forward(self, weights, images):
        return self.model(images[..., None])

    def predict(self, images) -> np.ndarray:
        """Probabilities float32 (n, action units)."""
        starts = range(0, max(len(images), 1), AT_ONCE)
        parts = [self._predict(tf.constant(self.prepare(images[start : start + AT_ONCE]))) for start in starts]
        return np.concatenate(parts)

    def _course(self, images, labels, validation_images, validation_labels, order):
        """All epochs. `order` int32 (epochs, n) says which frame comes when."""
        epochs, n = tf.shape(order)[0], tf.shape(order)[1]
        losses = tf.TensorArray(tf.float32, epochs)
        f1s = tf.TensorArray(tf.float32, epochs)
        best_f1, best_epoch, step = -1.0, -1, 0
        for epoch in tf.range(epochs):
            total = 0.0
            for start in tf.range(0, n, self.training.batch):
                rows = order[epoch, start : start + self.training.batch]
                step += 1
                seen = self._scaled(tf.gather(images, rows))
                loss = self._step(seen, tf.gather(labels, rows), tf.cast(step, tf.float32))
                total += loss * tf.cast(tf.shape(rows)[0], tf.float32)
            f1 = self._f1(validation_images, validation_labels)
            losses = losses.write(epoch, total / tf.cast(n, tf.float32))
            f1s = f1s.write(epoch, f1)
            if f1 > best_f1:
                best_f1, best_epoch = f1, epoch
                for best, weight in zip(self.best, self.weights):
                    best.assign(weight)
        for best, weight in zip(self.best, self.weights):
            weight.assign(best)
        return losses.stack(), f1s.stack(), best_epoch

    def _step(self, images, labels, step):
        """One batch: the gradient of the loss, and Adam as Keras has it. Returns the loss."""
        with tf.GradientTape() as tape:
            probabilities = self.forward(self.weights, images)
            loss = masked_cross_entropy(tf.cast(labels, tf.float32), probabilities)
        gradients = tape.gradient(loss, self.weights)
        settings = self.training
        for weight, gradient, (first, second) in zip(self.weights, gradients, self.moments):
            tf.raw_ops.ResourceApplyAdam(
                var=weight.handle,
                m=first.handle,
                v=second.handle,
                grad=gradient,
                lr=settings.learning_rate,
                beta1=settings.beta_1,
                beta2=settings.beta_2,
                epsilon=settings.epsilon,
                beta1_power=tf.pow(settings.beta_1, step),
                beta2_power=tf.pow(settings.beta_2, step),
            )
        return loss

    def _probabilities(self, images):
        """A forward pass over any number of frames, a chunk at a time."""
        n = tf.shape(images)[0]
        chunks = tf.TensorArray(tf.float32, 0, dynamic_size=True, infer_shape=False)
        for start in tf.range(0, n, CHUNK):
            chunk = self.forward(self.weights, self._scaled(images[start : start + CHUNK]))
            chunks = chunks.write(start // CHUNK, chunk)
        return chunks.concat()

    def _f1(self, images, labels):
        """F1 of the validation frames at 0.5, the mean over the action units that are coded in them."""
        predicted = self._probabilities(images) >= THRESHOLD
        return mean_f1(labels, predicted, self.training.empty_f1)
