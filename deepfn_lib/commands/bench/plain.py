"""The same training as a Keras user would write it, with `fit` and a callback: what the bank is measured against."""

import keras
import numpy as np
import tensorflow as tf

from ...measures import score
from ...recognition import networks
from ...recognition.bank import Trained, masked_cross_entropy, scale, shuffles
from ...recognition.protocol import Training


class BestValidationF1(keras.callbacks.Callback):
    """Scores the validation frames after each epoch and keeps the weights of the best one (section 4.3)."""

    def __init__(self, faces, labels, empty_f1: str):
        super().__init__()
        self.faces, self.labels, self.empty_f1 = faces, labels, empty_f1
        self.f1s: list[float] = []
        self.best_epoch, self.best_weights = -1, None

    def on_epoch_end(self, epoch, logs=None):
        predicted = self.model.predict(self.faces, verbose=0) >= score.THRESHOLD
        counts = score.confusion(self.labels, predicted)
        coded = (self.labels >= 0).any(axis=0)
        f1 = np.nan_to_num(np.nanmean(score.f1_score(*counts[:3], self.empty_f1)[0][coded]))
        if not self.f1s or f1 > max(self.f1s):
            self.best_epoch, self.best_weights = epoch, self.model.get_weights()
        self.f1s.append(f1)

    def on_train_end(self, logs=None):
        self.model.set_weights(self.best_weights)


def in_order(faces, labels, order, batch: int):
    """The batches of every epoch one after another as a `tf.data.Dataset`, each epoch's frames as `order` says."""
    orders = tf.data.Dataset.from_tensor_slices(order)
    rows = orders.flat_map(lambda epoch: tf.data.Dataset.from_tensor_slices(epoch).batch(batch))
    faces, labels = tf.constant(faces), tf.constant(labels)
    return rows.map(lambda batch_rows: (tf.gather(faces, batch_rows), tf.gather(labels, batch_rows)))


def scaled(images, mean, deviation: float):
    """Faces (n, h, w) as the network sees them, float32 (n, h, w, 1)."""
    return ((np.asarray(images, "float32") - mean) / deviation)[..., None]


def train(
    training: Training, images, labels, validation_images, validation_labels, seed: int, same_order: bool = False
) -> tuple[keras.Model, Trained]:
    """A fresh model, trained with `keras.Model.fit`; arguments and result as of `Bank.train`, and the model.

    With `same_order` the frames come in the bank's order; else `fit` shuffles as it likes.
    """
    mean, deviation = scale(np.asarray(images), training.inputs)
    faces, validation_faces = (scaled(some, mean, deviation) for some in (images, validation_images))
    model = networks.build(training.classifier, labels.shape[1], seed)
    optimiser = keras.optimizers.Adam(
        training.learning_rate, beta_1=training.beta_1, beta_2=training.beta_2, epsilon=training.epsilon
    )
    model.compile(optimiser, loss=masked_cross_entropy)
    keeper = BestValidationF1(validation_faces, np.asarray(validation_labels), training.empty_f1)
    targets = np.asarray(labels, "float32")
    common = {"epochs": training.epochs, "callbacks": [keeper], "verbose": 0}
    if same_order:
        order = shuffles(seed, training.epochs, len(faces))
        batches = in_order(faces, targets, order, training.batch)
        history = model.fit(batches, steps_per_epoch=-(-len(faces) // training.batch), shuffle=False, **common)
    else:
        history = model.fit(faces, targets, batch_size=training.batch, **common)
    losses = np.array(history.history["loss"], "float32")
    return model, Trained(losses, np.array(keeper.f1s, "float32"), keeper.best_epoch)
