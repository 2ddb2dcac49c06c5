"""Eq. 1 and Eq. 2: one encoder, the template's decoder and the person's, trained in turn; transfer by exchange.

`Autoencoder` is the paper's, for one person. `Joint` is where the people's networks may start from: the same equation,
summed over everybody, with one encoder for all and a decoder for each.
"""

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from ..faces.images import as_faces, as_input, spaced
from . import networks
from .augmentation import augment
from .recipe import AutoencoderRecipe

CHUNK = 256
BETAS, EPSILON = (0.5, 0.999), 1e-7  # of Adam: section 3.2, and Keras's own


def adam(learning_rate: float, variables) -> keras.optimizers.Adam:
    """The paper's Adam (β 0.5 and 0.999), with its variables made, so that a checkpoint can be read into them."""
    optimiser = keras.optimizers.Adam(learning_rate, beta_1=BETAS[0], beta_2=BETAS[1], epsilon=EPSILON)
    optimiser.build(variables)
    return optimiser


def reconstruction_loss(faces, reconstructed, loss: str = "mae"):
    """Eq. 1 for one person: mean absolute error, or with "rmse" the root mean squared error of the paper's text."""
    error = reconstructed - faces
    return tf.reduce_mean(tf.abs(error)) if loss == "mae" else tf.sqrt(tf.reduce_mean(tf.square(error)) + 1e-12)


class Compiled:
    """The encoder and two decoders, the template's and a person's, with an optimiser for each autoencoder.

    `update` is compiled on its first call, which takes longer than many a training; `reset` sets everything back, so
    that the next person can have it.
    """

    def __init__(self, recipe: AutoencoderRecipe):
        self.recipe = recipe
        size, width, seed = recipe.size, recipe.width, recipe.seed
        with recipe.precision.networks():
            self.encoder = networks.encoder(size, width, seed)
            self.decoders = [networks.decoder(size, width, seed + k, f"decoder-{k}") for k in (1, 2)]
        self.groups = [self.encoder.trainable_variables + d.trainable_variables for d in self.decoders]
        # One optimiser for each autoencoder: both change the encoder, and each keeps its own moments of it.
        self.optimisers = [adam(recipe.learning_rate, group) for group in self.groups]
        self.variables = self.encoder.trainable_variables + sum((d.trainable_variables for d in self.decoders), [])
        self.variables = self.variables + sum((o.variables for o in self.optimisers), [])
        self.start = [np.asarray(variable) for variable in self.variables]
        self.update = recipe.precision.compiled(self._update)

    def reset(self) -> "Compiled":
        """All weights and optimisers as they were made."""
        for variable, value in zip(self.variables, self.start):
            variable.assign(value)
        return self

    def _update(self, template_inputs, template_faces, person_inputs, person_faces):
        """One update of the template's autoencoder, then one of the person's (section 3.2)."""
        batches = ((template_inputs, template_faces), (person_inputs, person_faces))
        return tf.stack([self.half(which, *arrays) for which, arrays in enumerate(batches)])

    def half(self, which: int, inputs, faces):
        """One update of the template's autoencoder (0) or the person's (1); its loss."""
        with tf.GradientTape() as tape:
            reconstructed = self.decoders[which](self.encoder(inputs, training=True), training=True)
            loss = reconstruction_loss(faces, reconstructed, self.recipe.loss)
        self.optimisers[which].apply(tape.gradient(loss, self.groups[which]), self.groups[which])
        return loss


class Autoencoder:
    """The paper's model as a trainee (`training.train`).

    `template` and `person`: faces uint8 (n, size, size), equalised. The losses are the template's and the person's.
    `compiled`: networks of the same recipe (but for iterations and augmentation), to be used from their start.
    """

    loss_names = ("template", "person")

    def __init__(
        self,
        template: np.ndarray,
        person: np.ndarray,
        recipe: AutoencoderRecipe,
        *,
        label: str = "",
        compiled: Compiled | None = None,
    ):
        self.template, self.person, self.recipe = template, person, recipe
        self.compiled = Compiled(recipe) if compiled is None else compiled.reset()
        self.encoder, self.decoders = self.compiled.encoder, self.compiled.decoders
        self.variables, self.update = self.compiled.variables, self.compiled.update
        told = {name: value for name, value in recipe.described().items() if name != "iterations"}  # may be prolonged
        faces = {"template_faces": len(template), "person_faces": len(person)}
        self.description = {"network": "autoencoder", "person": label, **faces, **told}

    def parameters(self) -> int:
        """How many weights the encoder and both decoders have."""
        return self.encoder.count_params() + sum(d.count_params() for d in self.decoders)

    def batch(self, step: int):
        """Inputs and targets of the template's batch, then of the person's."""
        random = np.random.default_rng([self.recipe.seed, step])
        arrays: tuple = ()
        for faces in (self.template, self.person):
            rows = random.integers(0, len(faces), self.recipe.batch)
            arrays += augment(np.asarray(faces[rows]), self.recipe.augmentation, random)
        return arrays

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
        """Rows: the person's faces, their reconstruction, their transfer."""
        faces = spaced(self.person)
        rows = [faces, self.decode(faces, 1), self.decode(faces, 0)]
        return np.vstack([np.hstack(list(row)) for row in rows])


class Joint:
    """Eq. 1 summed over everybody as a trainee: one encoder, the template's decoder, a decoder for each person.

    An iteration is the paper's, with one person after another in its second half. The people's decoders are rows of
    one table, as are Adam's moments of them; at first all rows are alike. `people`: name to faces uint8 (n, size,
    size).
    """

    loss_names = ("template", "people")

    def __init__(self, template: np.ndarray, people: Mapping[str, np.ndarray], recipe: AutoencoderRecipe):
        self.template, self.people, self.recipe = template, dict(people), recipe
        self.names = list(people)
        size, width, seed = recipe.size, recipe.width, recipe.seed
        with recipe.precision.networks():
            self.encoder = networks.encoder(size, width, seed)
            self.decoder = networks.decoder(size, width, seed + 1, "decoder-1")
            self.pattern = networks.decoder(size, width, seed + 2, "decoder-2")  # gives each row its form and start
        self.shapes = [tuple(weight.shape) for weight in self.pattern.trainable_variables]
        first = np.concatenate([np.asarray(weight).ravel() for weight in self.pattern.trainable_variables])
        start = np.tile(first, (len(self.names), 1))
        self.table = [tf.Variable(rows, trainable=False) for rows in (start, 0 * start, 0 * start)]
        self.steps = tf.Variable(tf.zeros(len(self.names)), trainable=False)
        self.groups = [self.encoder.trainable_variables + self.decoder.trainable_variables]
        self.groups.append(self.encoder.trainable_variables)
        self.optimisers = [adam(recipe.learning_rate, group) for group in self.groups]
        self.variables = [*self.groups[0], *self.table, self.steps, *sum((o.variables for o in self.optimisers), [])]
        self.update = recipe.precision.compiled(self._update)
        told = {name: value for name, value in recipe.described().items() if name != "iterations"}
        self.description = {"network": "joint", "person": "everybody", "people": self.names, **told}

    def parameters(self) -> int:
        """How many weights the encoder and one person's pair of decoders have."""
        return self.encoder.count_params() + 2 * self.decoder.count_params()

    def batch(self, step: int):
        """Inputs and targets of the template's batch, then of a person's, and which person: everybody in turn."""
        random = np.random.default_rng([self.recipe.seed, step])
        cycle, turn = divmod(step - 1, len(self.names))
        who = np.random.default_rng([self.recipe.seed, 0, cycle]).permutation(len(self.names))[turn]
        arrays: tuple = ()
        for faces in (self.template, self.people[self.names[who]]):
            rows = random.integers(0, len(faces), self.recipe.batch)
            arrays += augment(np.asarray(faces[rows]), self.recipe.augmentation, random)
        return *arrays, np.int32(who)

    def weights_of(self, row) -> list:
        """A row of the table as the decoder's weights."""
        parts = tf.split(row, [int(np.prod(shape)) for shape in self.shapes])
        return [tf.reshape(part, shape) for part, shape in zip(parts, self.shapes)]

    def _update(self, template_inputs, template_faces, person_inputs, person_faces, who):
        with tf.GradientTape() as tape:
            drawn = self.decoder(self.encoder(template_inputs, training=True), training=True)
            template_loss = reconstruction_loss(template_faces, drawn, self.recipe.loss)
        self.optimisers[0].apply(tape.gradient(template_loss, self.groups[0]), self.groups[0])
        row, *moments = (tf.gather(rows, who) for rows in self.table)
        with tf.GradientTape() as tape:
            tape.watch(row)
            codes = self.encoder(person_inputs, training=True)
            drawn, _ = self.pattern.stateless_call(self.weights_of(row), [], codes, training=True)
            person_loss = reconstruction_loss(person_faces, drawn, self.recipe.loss)
        slope, *gradients = tape.gradient(person_loss, [row, *self.groups[1]])
        self.optimisers[1].apply(gradients, self.groups[1])
        self.steps.scatter_nd_add([[who]], [1.0])
        step = tf.gather(self.steps, who)
        moments = [b * m + (1 - b) * g for b, m, g in zip(BETAS, moments, (slope, slope**2))]
        young_mean, young_square = (1 - tf.pow(b, step) for b in BETAS)
        rate = self.recipe.learning_rate * tf.sqrt(young_square) / young_mean  # with epsilon beside the raw moments
        new = row - rate * moments[0] / (tf.sqrt(moments[1]) + EPSILON)
        for rows, values in zip(self.table, (new, *moments)):
            rows.scatter_nd_update([[who]], values[None])
        return tf.stack([template_loss, person_loss])

    def probe(self):
        """Reconstructions of some of the template's faces, and those faces."""
        faces = as_input(spaced(self.template))
        return np.asarray(self.decoder(self.encoder(tf.constant(faces)))), faces

    def preview(self) -> np.ndarray:
        """Rows: faces of several people, and their transfer."""
        some = spaced(np.arange(len(self.names)))
        faces = np.stack([self.people[self.names[who]][0] for who in some])
        moved = as_faces(self.decoder(self.encoder(tf.constant(as_input(faces)))))
        return np.vstack([np.hstack(list(row)) for row in (faces, moved)])
