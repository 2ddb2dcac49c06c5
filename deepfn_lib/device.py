"""TensorFlow's set-up for this process: quiet, with a stated number of threads, deterministic where asked."""

import os
import re
import threading
from functools import cache


def configure_tensorflow(threads: int | None = None, deterministic: bool = False):
    """Import TensorFlow with `threads` intra-op threads and one inter-op thread, and return the module.

    Must come before TensorFlow's first operation in the process: thread counts cannot change later, and where they
    are set already they are left alone. `deterministic` asks for run-to-run equal results.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    if threads is not None:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        except RuntimeError:  # already initialised: a chapter that trains twice
            pass
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    return tf


# Lines that TensorFlow's C++ side writes whatever its log level is; they tell the reader of a long run nothing.
# The remapper's is of a fusion that one of the graph's rewriters tried and left alone; the graph runs as it was.
GREETING = re.compile(
    rb"before absl::InitializeLog\(\)|port\.cc:|cpu_feature_guard\.cc:|rebuild TensorFlow with|remapper failed"
)


@cache
def hush() -> None:
    """Keep TensorFlow's greetings out of this process's standard error; every other line still passes.

    They come from below Python, so the file descriptor itself is led through `without_greetings`.
    """
    filtered = without_greetings(os.dup(2))
    os.dup2(filtered, 2)
    os.close(filtered)


def without_greetings(stream: int) -> int:
    """A file descriptor to write to, from which a thread passes every line on to `stream` that is no greeting.

    The thread ends when all who hold the descriptor have closed it.
    """
    reader, writer = os.pipe()

    def pass_on():
        rest = b""
        with os.fdopen(reader, "rb", buffering=0) as pieces:
            while piece := pieces.read(65536):
                *lines, rest = re.split(rb"(?<=[\r\n])", rest + piece)
                os.write(stream, b"".join(line for line in lines if not GREETING.search(line)))
        os.write(stream, rest)

    threading.Thread(target=pass_on, daemon=True).start()
    return writer
