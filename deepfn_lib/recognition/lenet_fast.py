"""LeNet-5 of Table 3 once more, the same function of the same weights, arranged for these small sizes.

Its layers have 1, 6 and 16 channels, too few for the convolutions of a general library to fill the processor,
and on one core TensorFlow spends most of a step in the gradients of the pooling, the bias and the first
convolution. Three rearrangements change only the order of sums (the tests compare them with the Keras layers):

- The second pooling drops its input's last row and column (29 = 2 × 14 + 1), so the two columns and rows of
  the face that only they see are never looked at: 62 × 62 pixels do for 64 × 64.
- The first convolution is computed for all four pixels that one pooled pixel averages. They look at the same 4 × 4
  pixels of the face; these patches are cut out once before the training, with a constant beside them for the bias.
  Then convolution, its gradient and the bias's are one product of matrices each, and so is the average.
- The gradient with respect to the second convolution's input is itself a plain convolution with the kernel
  turned round. It has six channels where the processor computes sixteen at a time, so two neighbouring pixels
  are computed as twelve channels of one.
"""

import numpy as np
import tensorflow as tf

SEEN = 62  # pixels of a face's side that reach the output
POOLED = 30  # pixels of the first pooling's side that do
PATCH = 4  # pixels of the side of what one pooled pixel looks at
KERNEL = 3
VALUES = PATCH * PATCH + 1  # of a patch: its pixels, and the constant
OFFSETS = [(row, column) for row in (0, 1) for column in (0, 1)]  # of the pixels under one pooled pixel


def patches(faces: np.ndarray, constant: int = 1) -> np.ndarray:
    """What each pooled pixel looks at: (n, 900, 17), 4 × 4 pixels and a `constant`, from faces (n, 64, 64)."""
    seen = faces[:, :SEEN, :SEEN]
    windows = np.lib.stride_tricks.sliding_window_view(seen, (PATCH, PATCH), (1, 2))[:, ::2, ::2]
    cut = np.full((len(faces), POOLED * POOLED, VALUES), constant, faces.dtype)
    cut[..., :-1] = windows.reshape(len(faces), POOLED * POOLED, PATCH * PATCH)
    return cut


def _spreading() -> np.ndarray:
    """The matrix that lays a filter's nine weights and its bias out for patches: float32 (17 × 4, 10).

    Row 4 i + k says what the i-th value of a patch is multiplied with for the k-th of the four pixels.
    """
    spreading = np.zeros((VALUES, len(OFFSETS), KERNEL * KERNEL + 1), np.float32)
    for k, (down, right) in enumerate(OFFSETS):
        for row in range(KERNEL):
            for column in range(KERNEL):
                spreading[PATCH * (row + down) + column + right, k, KERNEL * row + column] = 1
        spreading[-1, k, -1] = 1
    return spreading.reshape(VALUES * len(OFFSETS), -1)


def logits(weights, cut):
    """LeNet-5 before its sigmoid: float32 (n, action units) from `patches` of n faces, scaled, float32 (n, 900, 17).

    `weights` are the ten tensors of the Keras model, in its order.
    """
    kernel_1, bias_1, kernel_2, bias_2, *dense = weights
    features = first_layer(tf.reshape(cut, [-1, VALUES]), kernel_1, bias_1)
    features = second_layer(tf.reshape(features, [-1, POOLED, POOLED, kernel_1.shape[-1]]), kernel_2, bias_2)
    features = tf.reshape(features, [-1, int(np.prod(features.shape[1:]))])  # n, 14 × 14 × 16
    for kernel, bias in (dense[0:2], dense[2:4]):
        features = tf.nn.relu(tf.nn.bias_add(tf.matmul(features, kernel), bias))
    return tf.nn.bias_add(tf.matmul(features, dense[4]), dense[5])


@tf.custom_gradient
def first_layer(cut, kernel, bias):
    """Convolution 3×3, ReLU and 2×2 average: `cut` float32 (pooled pixels, 17) to (pooled pixels, filters).

    `kernel` (3, 3, 1, filters); no gradient with respect to the pixels.
    """
    filters = kernel.shape[-1]
    spreading = tf.constant(_spreading())
    average = tf.constant(np.tile(np.eye(filters, dtype="float32") / 4, (1, 4)))  # filters, 4 · filters
    laid_out = tf.reshape(tf.matmul(spreading[:, :-1], tf.reshape(kernel, [-1, filters])), [1, 1, VALUES, -1])
    # A product of matrices, as a convolution of 1 × 1: that adds the bias and applies ReLU without another pass over
    # the pixels. The patches' constant serves the bias's gradient below.
    four = tf.nn.conv2d(cut[None, :, None], laid_out, 1, "VALID")
    four = tf.nn.relu(tf.nn.bias_add(four, tf.tile(bias, [4])))[0, :, 0]

    def gradient(upstream):
        to_four = tf.raw_ops.ReluGrad(gradients=tf.matmul(upstream, average), features=four)
        to_spread = tf.reshape(tf.matmul(cut, to_four, transpose_a=True), [-1, filters])
        to_taps = tf.matmul(spreading, to_spread, transpose_a=True)
        return None, tf.reshape(to_taps[:-1], kernel.shape), to_taps[-1]

    return tf.matmul(four, average, transpose_b=True), gradient


@tf.custom_gradient
def second_layer(features, kernel, bias):
    """Convolution 3×3, ReLU and 2×2 average: (n, side, side, channels) to (n, (side - 2) / 2, …, filters).

    An even side.
    """
    active = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(features, kernel, 1, "VALID"), bias))
    window = {"ksize": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "padding": "VALID"}

    def gradient(upstream):
        to_active = tf.raw_ops.AvgPoolGrad(orig_input_shape=tf.shape(active), grad=upstream, **window)
        to_active = tf.raw_ops.ReluGrad(gradients=to_active, features=active)
        to_kernel = tf.raw_ops.Conv2DBackpropFilter(
            input=features, filter_sizes=kernel.shape, out_backprop=to_active, strides=[1, 1, 1, 1], padding="VALID"
        )
        return _to_features(to_active, kernel), to_kernel, _sum_of_pixels(to_active)

    return tf.nn.avg_pool2d(active, 2, 2, "VALID"), gradient


def _to_features(to_active, kernel):
    """The gradient of a 3×3 convolution's input, (n, side, side, channels), two pixels of a row at a time."""
    n, height, side, filters = tf.shape(to_active)[0], to_active.shape[1], to_active.shape[2] + 2, to_active.shape[3]
    turned = tf.transpose(kernel[::-1, ::-1], [0, 1, 3, 2])
    left, right = (tf.pad(turned, [[0, 0], [c, 1 - c], [0, 0], [0, 0]]) for c in (0, 1))
    beside = tf.zeros([n, height, 2, filters])  # joined on by copying whole rows; tf.pad goes pixel by pixel
    wide = tf.concat([beside, to_active, beside], axis=2)
    pairs = tf.nn.conv2d(wide, tf.concat([left, right], -1), [1, 1, 2, 1], [[0, 0], [2, 2], [0, 0], [0, 0]])
    return tf.reshape(pairs, [-1, side, side, kernel.shape[2]])


def _sum_of_pixels(images):
    """Sum over images and pixels, (n, h, w, c) to (c,), as a product with ones, which is added sixteen at a time."""
    pixels = tf.reshape(images, [-1, images.shape[3]])
    return tf.matmul(tf.ones([1, tf.shape(pixels)[0]]), pixels)[0]
