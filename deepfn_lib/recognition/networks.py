"""The classifiers: LeNet-5 of Table 3, and a small modern network behind the same interface.

Both take faces float32 (n, 64, 64, 1) in 0–1 and give probabilities (n, action units). Importing this module
imports Keras; call `deepfn_lib.device.configure_tensorflow` first where the number of threads matters.
"""

import keras
import numpy as np
from keras import layers

from ..errors import StudyError

CODE_VERSION = 1  # raise when the same inputs would give other networks

SIDE = 64  # pixels, Table 3
LENET_PARAMETERS = {12: 388_564, 5: 387_969}  # by number of outputs; the paper says 388K


def lenet5(action_units: int, seed: int) -> keras.Model:
    """LeNet-5 as in Table 3, with the ReLU in its two dense layers on which the paper is silent.

    `action_units` outputs (12 or 5), weights Glorot-uniform from `seed`, biases zero.
    """
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1)),
            layers.Conv2D(6, 3, activation="relu"),  # 62, 62, 6
            layers.AveragePooling2D(2),  # 31, 31, 6
            layers.Conv2D(16, 3, activation="relu"),  # 29, 29, 16
            layers.AveragePooling2D(2),  # 14, 14, 16
            layers.Flatten(),  # 3136
            layers.Dense(120, activation="relu"),
            layers.Dense(84, activation="relu"),
            layers.Dense(action_units, activation="sigmoid"),
        ],
        name="lenet-5",
    )
    initialise(model, seed)
    return model


def modern(action_units: int, seed: int) -> keras.Model:
    """A small residual network: the "more complex" classifier of the paper's discussion, scaled to these faces.

    Group normalisation rather than batch normalisation, so that the network has no state beside its weights.
    """
    inputs = keras.Input((SIDE, SIDE, 1))
    features = layers.Conv2D(24, 5, strides=2, padding="same", use_bias=False)(inputs)  # 32, 32, 24
    features = _normalised(features)
    for filters in (32, 64, 128):  # 16, 8, 4 pixels a side
        features = _residual_block(features, filters)
    features = layers.GlobalAveragePooling2D()(features)
    outputs = layers.Dense(action_units, activation="sigmoid")(features)
    model = keras.Model(inputs, outputs, name="modern")
    initialise(model, seed)
    return model


def _normalised(features):
    return layers.Activation("silu")(layers.GroupNormalization(8)(features))


def _residual_block(features, filters: int):
    """Two 3×3 convolutions, the first of stride 2, beside a 1×1 one that carries the input past them."""
    passed = layers.Conv2D(filters, 1, strides=2, use_bias=False)(features)
    changed = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False)(features)
    changed = _normalised(changed)
    changed = layers.Conv2D(filters, 3, padding="same", use_bias=False)(changed)
    return _normalised(layers.Add()([passed, changed]))


BUILDERS = {"lenet-5": lenet5, "modern": modern}


def build(classifier: str, action_units: int, seed: int) -> keras.Model:
    """The network that the setting `classifier` names. Raises StudyError for an unknown name."""
    if classifier not in BUILDERS:
        raise StudyError(f"classifier {classifier!r} is unknown; there are {', '.join(BUILDERS)}")
    return BUILDERS[classifier](action_units, seed)


def initialise(model: keras.Model, seed: int) -> None:
    """Give every weight what a fresh model of this `seed` has: Glorot-uniform kernels, zero biases, unit scales."""
    seeds = np.random.SeedSequence(seed).generate_state(len(model.weights))
    for weight, own_seed in zip(model.weights, seeds):
        if weight.path.endswith("kernel"):
            weight.assign(keras.initializers.GlorotUniform(int(own_seed))(weight.shape))
        else:
            weight.assign(np.full(weight.shape, float(weight.path.endswith("gamma")), "float32"))
