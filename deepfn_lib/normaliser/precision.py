"""How a network's training is computed: with which numbers, and compiled by what. What helps on a GPU may hurt here.

On processors without matrix units both lose against plain float32 (`deepfn bench` measures it), so both are off unless
the settings ask for them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Precision:
    """`numbers` "float32", or "bfloat16": mixed, with float32 weights, optimiser, outputs and loss, which needs no
    loss scaling, as bfloat16 has float32's range. `xla` compiles each update as one program.
    """

    numbers: str = "float32"
    xla: bool = False

    @contextmanager
    def networks(self) -> Iterator[None]:
        """Keras networks built inside compute in this precision."""
        import keras

        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy("mixed_bfloat16" if self.numbers == "bfloat16" else "float32")
        try:
            yield
        finally:
            keras.config.set_dtype_policy(before)

    def compiled(self, update: Callable) -> Callable:
        """`update` as TensorFlow's compiled function."""
        import tensorflow as tf

        return tf.function(update, jit_compile=self.xla)

    @property
    def key(self) -> dict:
        """What tells trainings apart: nothing where all is plain, else both, since either changes the weights."""
        return {} if self == Precision() else {"precision": self.numbers, "xla": self.xla}
