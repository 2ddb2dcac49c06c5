"""The paper's autoencoder (Tables 1 and 2), at its own size or smaller, and the small network of our own method.

Chapter 02 derives the encoder and the decoders, chapter 10 the reference network. Importing this module imports
Keras; call `deepfn_lib.device.configure_tensorflow` first where the number of threads matters.
"""

from collections.abc import Iterator

import keras
import numpy as np
from keras import layers

CODE_VERSION = 1  # raise when the same inputs would give other weights

ENCODER_PARAMETERS = 119_988_224  # Table 1
DECODER_PARAMETERS = 6_269_601  # Table 2, each of two
AUTOENCODER_PARAMETERS = 132_527_426
SLOPE = 0.1  # of LeakyReLU: the code base's; the paper does not say
ENCODER_FILTERS = (128, 256, 512, 1024)
DECODER_FILTERS = (256, 128, 64, 32)  # after the pixel shuffle; each convolution has four times as many


class PixelShuffle(layers.Layer):
    """(n, h, w, 4 f) to (n, 2 h, 2 w, f): each pixel's channels become a square of four, as `tf.nn.depth_to_space`."""

    def call(self, inputs):
        import tensorflow as tf

        return tf.nn.depth_to_space(inputs, 2)

    def compute_output_shape(self, input_shape):
        n, height, width, channels = input_shape
        return n, 2 * height, 2 * width, channels // 4


class Squares(layers.Layer):
    """(n, 4 h, 4 w, f) to (n, h, w, 16 f): each square of 4 × 4 pixels as channels, `tf.nn.space_to_depth`."""

    def call(self, inputs):
        import tensorflow as tf

        return tf.nn.space_to_depth(inputs, 4)

    def compute_output_shape(self, input_shape):
        n, height, width, filters = input_shape
        return n, height // 4, width // 4, 16 * filters


class Doubled(layers.Layer):
    """(n, h, w, f) to (n, 2 h, 2 w, f): each pixel four times. Its gradient is a sum; a general resizing's is slow."""

    def call(self, inputs):
        import tensorflow as tf

        height, width, filters = inputs.shape[1:]
        four = tf.broadcast_to(inputs[:, :, None, :, None], [tf.shape(inputs)[0], height, 2, width, 2, filters])
        return tf.reshape(four, [-1, 2 * height, 2 * width, filters])

    def compute_output_shape(self, input_shape):
        n, height, width, filters = input_shape
        return n, 2 * height, 2 * width, filters


def scaled(number: int, width: float) -> int:
    """So many filters or units of the paper's `number`, at least four."""
    return max(4, round(number * width))


def seeds(seed: int) -> Iterator[int]:
    """One initialiser's seed after another, all from one."""
    sequence = np.random.SeedSequence(seed)
    while True:
        yield int(sequence.spawn(1)[0].generate_state(1)[0] >> 1)


def _glorot(seed: Iterator[int]):
    return keras.initializers.GlorotUniform(seed=next(seed))


def _he(seed: Iterator[int]):
    return keras.initializers.HeNormal(seed=next(seed))


def _convolve(features, filters: int, kernel: int, seed, strides: int = 1, initializer=_glorot):
    features = layers.Conv2D(filters, kernel, strides, padding="same", kernel_initializer=initializer(seed))(features)
    return layers.LeakyReLU(negative_slope=SLOPE)(features)


def _upscale(features, filters: int, seed):
    """A convolution to four times `filters`, and the pixel shuffle: twice the side, `filters` channels."""
    return PixelShuffle()(_convolve(features, 4 * filters, 3, seed))


def encoder(size: int = 128, width: float = 1.0, seed: int = 0) -> keras.Model:
    """Table 1: faces float32 (n, size, size, 1) in 0-1 to codes (n, 8, 8, 512 width).

    At 128 pixels and width 1 it has the paper's 119,988,224 parameters; `width` takes that share of all filters and
    units. At 64 pixels the same layers end at half the side before the dense ones.
    """
    draws = seeds(seed)
    inputs = keras.Input((size, size, 1))
    features = inputs
    for filters in ENCODER_FILTERS:
        features = _convolve(features, scaled(filters, width), 5, draws, strides=2)
    features = layers.Flatten()(features)  # 65,536 at full size
    features = layers.Dense(scaled(1024, width), kernel_initializer=_glorot(draws))(features)
    features = layers.Dense(4 * 4 * scaled(1024, width), kernel_initializer=_glorot(draws))(features)
    features = layers.Reshape((4, 4, scaled(1024, width)))(features)
    return keras.Model(inputs, _upscale(features, scaled(512, width), draws), name="encoder")


def decoder(size: int = 128, width: float = 1.0, seed: int = 0, name: str = "decoder") -> keras.Model:
    """Table 2: codes (n, 8, 8, 512 width) to faces float32 (n, size, size, 1) in 0-1.

    6,269,601 parameters at 128 pixels and width 1. At 64 pixels it has one level less.
    """
    draws = seeds(seed)
    inputs = keras.Input((8, 8, scaled(512, width)))
    features = inputs
    for filters in DECODER_FILTERS[: 4 if size == 128 else 3]:
        features = _upscale(features, scaled(filters, width), draws)
    last = layers.Conv2D(1, 5, padding="same", activation="sigmoid", kernel_initializer=_glorot(draws), dtype="float32")
    return keras.Model(inputs, last(features), name=name)


def reference_network(size: int = 64, detail: int = 2, base: int = 24, seed: int = 0) -> keras.Model:
    """Our own small network: a face and its person's median to what the template's median has to change by.

    Input float32 (n, detail size, detail size, 2): the frame and the median, 0-1; `detail` is 1 or 2. Output
    (n, size, size, 1), zero at the start. A U-Net of four levels works on the two images and their difference;
    its skips carry fine detail past the bottleneck, where the paper's dense layers would blur it.
    """
    draws = seeds(seed)
    inputs = keras.Input((detail * size, detail * size, 2))
    frame, median = inputs[..., :1], inputs[..., 1:]
    features = layers.Concatenate()([frame - 0.5, median - 0.5, 4.0 * (frame - median)])
    passed = []
    for level, filters in enumerate((base, 2 * base, 4 * base, 4 * base)):
        strides = 2 * detail if level == 0 else 2
        features = _convolve(features, filters, max(3, 2 * strides) if level == 0 else 3, draws, strides=strides)
        features = _convolve(features, filters, 3, draws)
        passed.append(features)
    for skip, filters in zip(reversed(passed[:-1]), (4 * base, 2 * base, base)):
        up = layers.Conv2D(4 * filters // 2, 3, padding="same", kernel_initializer=_glorot(draws))(features)
        features = _convolve(layers.Concatenate()([PixelShuffle()(up), skip]), filters, 3, draws)
    change = layers.Conv2D(4, 3, padding="same", kernel_initializer="zeros", dtype="float32")(features)
    return keras.Model(inputs, PixelShuffle(dtype="float32")(change), name="reference-network")


MOTION_FILTERS = (32, 48, 96)  # of the encoder, at a quarter, an eighth and a sixteenth of the side
PICTURE_FILTERS = (32, 48, 64)  # of what the decoder makes of the face it is to bend
RAISED_FILTERS = (48, 32)  # of the decoder on the way up; multiples of 16 are what the processor's convolutions like


class Changes(layers.Layer):
    """Codes (n, code) and own changes (n, h, w, 3 code) to what becomes of a face (n, h, w, 3): a sum over numbers.

    What a number does is what it `usual`ly does, a weight (h, w, 3, code), and more or less of it on the face that is
    to be changed. Of the three, two are movement, x and y, and one is grey.
    """

    def build(self, input_shape):
        (_, code), (_, height, width, _) = input_shape
        self.usual = self.add_weight(name="usual", shape=(height, width, 3, code), initializer="zeros")

    def call(self, inputs):
        import tensorflow as tf

        codes, own = inputs
        changes = self.usual + tf.reshape(own, [-1, *self.usual.shape])
        return tf.einsum("nhwck,nk->nhwc", changes, codes)


def motion_networks(size: int = 128, code: int = 64, seed: int = 0) -> tuple[keras.Model, keras.Model]:
    """Encoder and decoder of DeepFN by motion.

    Encoder: a frame beside a median, float32 (n, size, size, 2) around zero, to codes (n, code). Decoder: codes and the
    face to be changed (n, size, size, 1), to (n, size / 4, size / 4, 3): motions in pixels of that grid and changes of
    grey in shares of the range, at first zero. It says for each number of the code what it does to this face.
    """
    draws = seeds(seed)
    both = keras.Input((size, size, 2))
    apart = 4.0 * (both[..., :1] - both[..., 1:])  # what differs, at full contrast
    features = _levels(layers.Concatenate()([apart, both[..., 1:]]), MOTION_FILTERS, draws, deeper=True)[-1]
    features = layers.Flatten()(_convolve(features, 32, 1, draws, initializer=_he))
    codes = layers.Dense(code, kernel_initializer=_glorot(draws), dtype="float32")(features)
    given, picture = keras.Input((code,)), keras.Input((size, size, 1))
    *passed, features = _levels(picture, PICTURE_FILTERS, draws, deeper=False)
    for skip, filters in zip(reversed(passed), RAISED_FILTERS):
        raised = Doubled()(_convolve(features, filters, 1, draws, initializer=_he))
        features = _convolve(layers.Concatenate()([raised, skip]), filters, 3, draws, initializer=_he)
    own = layers.Conv2D(3 * code, 1, kernel_initializer="zeros", dtype="float32")(features)
    changed = Changes(dtype="float32", name="changes")([given, own])
    return keras.Model(both, codes, name="encoder"), keras.Model([given, picture], changed, name="decoder")


def _levels(features, numbers, draws, deeper: bool) -> list:
    """Maps of a quarter, an eighth and a sixteenth of the side; fine detail goes into the first one's channels."""
    passed, features = [], Squares()(features)
    for level, filters in enumerate(numbers):
        features = _convolve(features, filters, 3 if level else 2, draws, 2 if level else 1, _he)
        if level and deeper:
            features = _convolve(features, filters, 3, draws, initializer=_he)
        passed.append(features)
    return passed
