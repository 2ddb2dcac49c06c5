"""How near the paper's network comes to what the processors can do: its training step against a matrix product."""

import time
from collections.abc import Callable

import numpy as np

from ...artefacts import peak_memory_gib
from ...faces.images import as_input
from . import entry
from . import seconds as timed

MATRIX = 2048
SECONDS = 1.0  # of matrix products in each turn


def multiplications(network) -> list[int]:
    """Multiplications of one image forward through each convolution and dense layer of a Keras model, in order."""
    found = []
    for layer in network.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is None:
            continue
        # A convolution's kernel is used once for each output pixel, a dense one once.
        places = int(np.prod(layer.output.shape[1:-1])) if len(kernel.shape) == 4 else 1
        found.append(int(np.prod(kernel.shape)) * places)
    return found


def step_operations(encoder, decoder, batch: int) -> int:
    """Floating-point operations of one update on one batch: two for each multiplication with its addition.

    Backward costs as much again for the weights' gradients and for the inputs', save for the first layer, whose input
    is the picture. Activations, biases and the optimiser are not counted: they are what the share pays for.
    """
    counts = multiplications(encoder) + multiplications(decoder)
    return 2 * batch * (3 * sum(counts) - counts[0])


def autoencoder_step_vs_matmul(width: float = 1.0, size: int = 128, batch: int = 64, repeats: int = 3) -> dict:
    """The share of a matrix product's GFLOP/s that a training step of the paper's network reaches on these cores.

    A step here is one batch through one autoencoder, forward, backward and Adam; an iteration has two. In each of
    `repeats` turns the step is timed, and a float32 matrix product of side 2048 before and after it. Returns `value`
    (the median share), `low`, `high`, `n`, `unit`, and beside them both GFLOP/s, the seconds of a step, the
    process's peak memory in GiB, and a profile: the share that the forward pass alone reaches, the share of the step's
    time that Adam takes alone, and what share forward and backward would reach without it.
    """
    import tensorflow as tf

    from ...normaliser.autoencoder import Autoencoder
    from ...normaliser.recipe import AutoencoderRecipe

    faces = np.random.default_rng(0).integers(0, 256, (batch, size, size)).astype(np.uint8)
    trainee = Autoencoder(faces, faces, AutoencoderRecipe(size=size, width=width, batch=batch))
    inputs = tf.constant(as_input(faces))
    step = tf.function(lambda: trainee.compiled.half(0, inputs, inputs))
    operations = step_operations(trainee.encoder, trainee.decoders[0], batch)
    product = _matrix_product(tf)
    forward = tf.function(lambda: tf.reduce_mean(trainee.decoders[0](trainee.encoder(inputs))))
    gradients = [tf.zeros_like(variable) for variable in trainee.compiled.groups[0]]
    adam = tf.function(lambda: trainee.compiled.optimisers[0].apply(gradients, trainee.compiled.groups[0]))
    for part in (step, forward, adam):  # traced, and memory taken
        part()
    turns = []
    for _ in range(repeats):
        before, seconds, after = product(), timed(lambda: step().numpy()), product()
        parts = timed(lambda: forward().numpy()), timed(adam)
        turns.append((operations / seconds / 1e9, (before + after) / 2, seconds, *parts))
    reached, possible, whole, forwards, updates = np.array(turns).T
    shares = reached / possible
    forward_operations = 2 * batch * sum(multiplications(trainee.encoder) + multiplications(trainee.decoders[0]))
    return entry(shares, "share of a matrix product's GFLOP/s") | {
        "step_gflops": float(np.median(reached)),
        "matmul_gflops": float(np.median(possible)),
        "step_seconds": operations / float(np.median(reached)) / 1e9,
        "peak_memory_gib": round(peak_memory_gib(), 2),
        "forward_share": float(np.median(forward_operations / forwards / 1e9 / possible)),
        "adam_share_of_time": float(np.median(updates / whole)),
        "share_without_adam": float(np.median(operations / (whole - updates) / 1e9 / possible)),
    }


def other_precision_vs_plain(numbers: str, xla: bool, width: float = 0.25, repeats: int = 5) -> dict:
    """How many times faster an update is under another `Precision` than in plain float32, in turn.

    The paper's autoencoder at 128 pixels, a batch of 64 and `width`; `reference` is the same for the reference
    network's own size and a batch of 32.
    """
    from ...normaliser.autoencoder import Autoencoder
    from ...normaliser.examples import Pairs
    from ...normaliser.precision import Precision
    from ...normaliser.recipe import AutoencoderRecipe, ReferenceRecipe
    from ...normaliser.reference import ReferenceTrainee

    random = np.random.default_rng(0)
    faces = random.integers(0, 256, (64, 128, 128)).astype(np.uint8)
    pairs = Pairs(faces, faces[:, ::2, ::2], faces[:2], np.arange(64) % 2)
    autoencoders, references = [], []
    for precision in (Precision(), Precision(numbers, xla)):
        own = Autoencoder(faces, faces, AutoencoderRecipe(width=width, precision=precision))
        autoencoders.append((own, [as_input(faces)] * 4))
        other = ReferenceTrainee(pairs, faces[0, ::2, ::2], ReferenceRecipe(precision=precision), "measured")
        references.append((other, other.batch(1)))
    ratios, reference = (_times_faster(both, repeats) for both in (autoencoders, references))
    return entry(ratios, "times faster") | {"reference": float(np.median(reference))}


def _times_faster(both, repeats: int) -> np.ndarray:
    """Seconds of an update of the first trainee over those of the second, for each turn."""
    updates = [lambda t=trainee, a=arrays: t.update(*a).numpy() for trainee, arrays in both]
    for update in updates:  # compiled
        update()
    plain, other = np.array([[timed(update) for update in updates] for _ in range(repeats)]).T
    return plain / other


def _matrix_product(tf) -> Callable[[], float]:
    """A function that multiplies for about a second and gives the GFLOP/s it reached."""
    left, right = (tf.random.stateless_normal((MATRIX, MATRIX), (0, k)) for k in (1, 2))
    multiply = tf.function(lambda: tf.matmul(left, right))
    multiply()

    def measured() -> float:
        products, began = 0, time.perf_counter()
        while time.perf_counter() - began < SECONDS:
            multiply().numpy()
            products += 1
        return products * 2 * MATRIX**3 / (time.perf_counter() - began) / 1e9

    return measured
