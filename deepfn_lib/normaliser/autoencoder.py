"""Eq. 1 and Eq. 2: one encoder, the template's decoder and the person's, trained in turn; transfer by exchange."""

import keras
import numpy as np
import tensorflow as tf

from ..faces.images import as_faces, as_input, spaced
from . import networks
from .augmentation import augment
from .recipe import AutoencoderRecipe

CHUNK = 256


def adam(learning_rate: float, variables) -> keras.optimizers.Adam:
    """The paper's Adam (β 0.5 and 0.999), with its variables made, so that a checkpoint can be read into them."""
    optimiser = keras.optimizers.Adam(learning_rate, beta_1=0.5, beta_2=0.999)
    optimiser.build(variables)
    return optimiser


def reconstruction_loss(faces, reconstructed, loss: str = "mae"):
    """Eq. 1 for one person: mean absolute error, or with "rmse" the root mean squared error of the paper's text."""
    error = reconstructed - faces
    return tf.reduce_mean(tf.abs(error)) if loss == "mae" else tf.sqrt(tf.reduce_mean(tf.square(error)) + 1e-12)


class Autoencoder:
    """The paper's model as a trainee (`training.train`).

    `template` and `person`: faces uint8 (n, size, size), equalised. `truth`, if known, the person's faces on the
    template, row by row: shown in previews, never trained on. The losses are the template's and the person's.
    """

    loss_names = ("template", "person")

    def __init__(
        self,
        template: np.ndarray,
        person: np.ndarray,
        recipe: AutoencoderRecipe,
        *,
        truth: np.ndarray | None = None,
        label: str = "",
    ):
        self.template, self.person, self.truth, self.recipe = template, person, truth, recipe
        size, width, seed = recipe.size, recipe.width, recipe.seed
        with recipe.precision.networks():
            self.encoder = networks.encoder(size, width, seed)
            self.decoders = [networks.decoder(size, width, seed + k, f"decoder-{k}") for k in (1, 2)]
        self.update = recipe.precision.compiled(self._update)
        self.groups = [self.encoder.trainable_variables + d.trainable_variables for d in self.decoders]
        # One optimiser for each autoencoder: both change the encoder, and each keeps its own moments of it.
        self.optimisers = [adam(recipe.learning_rate, group) for group in self.groups]
        self.variables = self.encoder.trainable_variables + sum((d.trainable_variables for d in self.decoders), [])
        self.variables = self.variables + sum((o.variables for o in self.optimisers), [])
        told = {name: value for name, value in recipe.described().items() if name != "iterations"}  # may be prolonged
        faces = {"template_faces": len(template), "person_faces": len(person)}
        self.description = {"network": "autoencoder", "person": label, **faces, **told}

    def parameters(self) -> int:
        """How many weights the encoder and both decoders have."""
        return self.encoder.count_params() + sum(d.count_params() for d in self.decoders)

    def batch(self, step: int):
        """Inputs and targets of the template's batch, then of the person's."""
        random = np.random.default_rng([self.recipe.seed, step])
        arrays = ()
        for faces in (self.template, self.person):
            rows = random.integers(0, len(faces), self.recipe.batch)
            arrays += augment(np.asarray(faces[rows]), self.recipe.augmentation, random)
        return arrays

    def _update(self, template_inputs, template_faces, person_inputs, person_faces):
        """One update of the template's autoencoder, then one of the person's (section 3.2)."""
        batches = ((template_inputs, template_faces), (person_inputs, person_faces))
        return tf.stack([self._half(which, *arrays) for which, arrays in enumerate(batches)])

    def _half(self, which: int, inputs, faces):
        with tf.GradientTape() as tape:
            reconstructed = self.decoders[which](self.encoder(inputs, training=True), training=True)
            loss = reconstruction_loss(faces, reconstructed, self.recipe.loss)
        self.optimisers[which].apply(tape.gradient(loss, self.groups[which]), self.groups[which])
        return loss

    def through(self, inputs, which: int):
        """Faces float32 (n, size, size, 1) in 0-1 through the encoder and a decoder, as they are: a few at a time, so
        that compiling it for each person's network would cost more than it saves."""
        return self.decoders[which](self.encoder(inputs, training=False), training=False)

    def transfer(self, faces: np.ndarray) -> np.ndarray:
        """Eq. 2, the person's faces by the template's decoder: uint8 (n, size, size) to the same."""
        return self.decode(faces, 0)

    def decode(self, faces: np.ndarray, which: int) -> np.ndarray:
        """Faces through the template's decoder (0) or the person's (1)."""
        out = np.empty((len(faces), self.recipe.size, self.recipe.size), np.uint8)
        for start in range(0, len(faces), CHUNK):
            inputs = tf.constant(as_input(faces[start : start + CHUNK]))
            out[start : start + CHUNK] = as_faces(self.through(inputs, which))
        return out

    def probe(self):
        """Reconstructions of some of the template's faces, and those faces."""
        faces = as_input(spaced(self.template))
        return np.asarray(self.through(tf.constant(faces), 0)), faces

    def preview(self) -> np.ndarray:
        """Rows: the person's faces, their reconstruction, their transfer, and the answer where it is known."""
        faces = spaced(self.person)
        rows = [faces, self.decode(faces, 1), self.decode(faces, 0)]
        if self.truth is not None:
            rows.append(spaced(self.truth))
        return np.vstack([np.hstack(list(row)) for row in rows])
