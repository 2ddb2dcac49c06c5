"""LeNet-5 of Table 3 once more, the same function of the same weights, arranged for these small sizes.

Its layers have 1, 6 and 16 channels, too few for the convolutions of a general library to fill the processor,
and on one core TensorFlow spends most of a step in the gradients of the pooling, the bias and the first
convolution. Three rearrangements change only the order of sums (the tests compare them with the Keras layers):

- The second pooling drops its input's last row and column (29 = 2 × 14 + 1), so the two columns and rows of
  the face that only they see are never looked at: 62 × 62 pixels do for 64 × 64.
- The first convolution is computed for all four pixels that one pooled pixel averages, as one 4×4 convolution
  of stride 2 with 4 × 6 output channels, and the average is a product with a constant matrix.
- The gradient with respect to the second convolution's input is itself a plain convolution with the kernel
  turned round. It has six channels where the processor computes sixteen at a time, so two neighbouring pixels
  are computed as twelve channels of one. Bias gradients are summed along whole image rows.
"""

import numpy as np
import tensorflow as tf

OFFSETS = [(row, column) for row in (0, 1) for column in (0, 1)]  # of the pixels under one pooled pixel
SEEN = 62  # pixels of a face's side that reach the output


def logits(weights, faces):
    """LeNet-5 before its sigmoid: float32 (n, action units) from faces float32 (n, 62, 62, 1) in 0–1, the
    upper left of the 64 × 64 ones.

    `weights` are the ten tensors of the Keras model, in its order.
    """
    kernel_1, bias_1, kernel_2, bias_2, *dense = weights
    features = first_layer(faces, kernel_1, bias_1)  # n, 30, 30, 6
    features = second_layer(features, kernel_2, bias_2)  # n, 14, 14, 16
    features = tf.reshape(features, [-1, int(np.prod(features.shape[1:]))])
    for kernel, bias in (dense[0:2], dense[2:4]):
        features = tf.nn.relu(tf.nn.bias_add(tf.matmul(features, kernel), bias))
    return tf.nn.bias_add(tf.matmul(features, dense[4]), dense[5])


@tf.custom_gradient
def first_layer(faces, kernel, bias):
    """Convolution 3×3, ReLU and 2×2 average of one-channel faces; no gradient with respect to the faces.

    `faces` (n, side, side, 1) with an even side, `kernel` (3, 3, 1, filters); result (n, h, h, filters), h =
    side / 2 - 1.
    """
    filters = kernel.shape[-1]
    pooled_side = faces.shape[1] // 2 - 1
    average = tf.constant(np.tile(np.eye(filters, dtype="float32") / 4, (4, 1)))  # 4·filters, filters
    spread = tf.concat([tf.pad(kernel, [[r, 1 - r], [c, 1 - c], [0, 0], [0, 0]]) for r, c in OFFSETS], axis=-1)
    four = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(faces, spread, 2, "VALID"), tf.tile(bias, [4])))
    pooled = tf.matmul(tf.reshape(four, [-1, 4 * filters]), average)

    def gradient(upstream):
        to_four = tf.matmul(tf.reshape(upstream, [-1, filters]), average, transpose_b=True)
        to_four = tf.raw_ops.ReluGrad(gradients=tf.reshape(to_four, tf.shape(four)), features=four)
        to_spread = tf.raw_ops.Conv2DBackpropFilter(
            input=faces,
            filter_sizes=[4, 4, 1, 4 * filters],
            out_backprop=to_four,
            strides=[1, 2, 2, 1],
            padding="VALID",
        )
        parts = tf.split(to_spread, 4, axis=-1)
        to_kernel = tf.add_n([part[r : r + 3, c : c + 3] for part, (r, c) in zip(parts, OFFSETS)])
        to_bias = tf.reduce_sum(tf.reshape(_sum_of_rows(to_four), [4, filters]), axis=0)
        return None, to_kernel, to_bias

    return tf.reshape(pooled, [-1, pooled_side, pooled_side, filters]), gradient


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
        return _to_features(to_active, kernel), to_kernel, _sum_of_rows(to_active)

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


def _sum_of_rows(images):
    """Sum over images and pixels: (n, h, w, c) to (c,). Whole rows first, which the processor adds sixteen at
    a time.
    """
    width, channels = images.shape[2], images.shape[3]
    rows = tf.reduce_sum(tf.reshape(images, [-1, width * channels]), axis=0)
    return tf.reduce_sum(tf.reshape(rows, [width, channels]), axis=0)
