"""A small network that reads action units from the template's face: what it sees is part of the reference's loss.

A normalised face may be near the exact answer in grey levels and have lost a tightened lip, which is a handful of
pixels. The reader is trained on exact answers and their labels, knows the template's face only, and is then frozen; a
normaliser pays for what the reader sees differently in its output and in the answer. Nobody of the study's corpora is
among those people, and no label of theirs is used.
"""

import json
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from ..artefacts import write_json
from .networks import SLOPE, seeds

FILTERS = (16, 32, 64, 64)
STEPS, BATCH, LEARNING_RATE = 1500, 32, 1e-3
NOISE, SHIFT = 0.03, 2  # of grey levels in 0-1, SD; pixels, at most: the reader is to see movements, not grain
WEIGHTS, COST = "reader.weights.h5", "cost.json"
CODE_VERSION = 1  # raise when the same pairs would give another reader


def network(size: int, units: int, seed: int) -> keras.Model:
    """Faces float32 (n, size, size, 1) in 0-1 to logits (n, units) and the features of the first three layers."""
    draws = seeds(seed)
    inputs = features = keras.Input((size, size, 1))
    seen = []
    for filters in FILTERS:
        initial = keras.initializers.GlorotUniform(seed=next(draws))
        features = layers.Conv2D(filters, 3, 2, padding="same", kernel_initializer=initial)(features)
        features = layers.LeakyReLU(negative_slope=SLOPE)(features)
        seen.append(features)
    initial = keras.initializers.GlorotUniform(seed=next(draws))
    logits = layers.Dense(units, kernel_initializer=initial)(layers.Flatten()(features))
    return keras.Model(inputs, [logits, *seen[:3]], name="reader")


def train(answers: np.ndarray, labels: np.ndarray, seed: int, steps: int = STEPS) -> keras.Model:
    """A reader of template faces uint8 (n, size, size) with `labels` int8 (n, units) of 0 and 1; frozen.

    The same seed gives the same weights. Takes about twenty seconds of a core.
    """
    reader = network(answers.shape[1], labels.shape[1], seed)
    optimiser = keras.optimizers.Adam(LEARNING_RATE)
    optimiser.build(reader.trainable_variables)
    random = np.random.default_rng([seed, len(answers)])

    @tf.function
    def update(faces, truth):
        with tf.GradientTape() as tape:
            logits = reader(faces, training=True)[0]
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(truth, logits))
        optimiser.apply(tape.gradient(loss, reader.trainable_variables), reader.trainable_variables)

    for _ in range(steps):
        rows = random.integers(0, len(answers), BATCH)
        faces = answers[rows].astype(np.float32) / 255 + random.normal(0, NOISE, (BATCH, 1, 1))
        faces = np.roll(faces, random.integers(-SHIFT, SHIFT + 1, 2), (1, 2))
        update(tf.constant(faces[..., None], tf.float32), tf.constant(labels[rows], tf.float32))
    reader.trainable = False
    return reader


def keep(folder: Path, answers: np.ndarray, labels: np.ndarray, seed: int) -> None:
    """Train a reader and leave it in `folder`, with its cost."""
    began = time.process_time()
    train(answers, labels, seed).save_weights(folder / WEIGHTS)
    write_json(folder / COST, {"core_seconds": time.process_time() - began})


def kept(folder: Path, size: int, units: int) -> keras.Model:
    """The reader of faces (n, size, size) that `keep` left in `folder`; frozen."""
    reader = network(size, units, seed=0)
    reader.load_weights(folder / WEIGHTS)
    reader.trainable = False
    return reader


def cost(folder: Path) -> float:
    """Core seconds that training the reader in `folder` took."""
    return json.loads((Path(folder) / COST).read_text())["core_seconds"]


def reading_errors(reader: keras.Model, outputs, answers, labels):
    """How the reader reads `outputs` (n, size, size, 1) beside `answers` with `labels` (n, units): two scalars.

    The first is the difference between both readings: over the layers, the mean absolute difference of features as a
    share of the answers' mean, and that of the probabilities. The second is the binary cross-entropy of what is read
    against the labels, which asks for a movement to be drawn plainly where the first would do with a faint one.
    """
    seen, wanted = reader(outputs, training=False), reader(answers, training=False)
    difference = tf.reduce_mean(tf.abs(tf.sigmoid(seen[0]) - tf.sigmoid(wanted[0])))
    for one, other in zip(seen[1:], wanted[1:]):
        difference += tf.reduce_mean(tf.abs(one - other)) / (1e-3 + tf.reduce_mean(tf.abs(other)))
    return difference, tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, seen[0]))
