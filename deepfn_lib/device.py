"""TensorFlow's set-up for this process: quiet, with a stated number of threads, deterministic where asked, and as the
study wants it, whatever this user, or another program of theirs, has set up for TensorFlow, Keras or OpenCV."""

import os
import re
import sys
import threading
from functools import cache
from pathlib import Path

from .errors import StudyError

# How the environment variables begin that may change a number or stop a run, and of these what may not.
FOREIGN = ("KERAS_", "TF_", "XLA_", "ONEDNN_", "DNNL_", "NVIDIA_TF32_", "OPENCV_")
TERRAFORM = ("TF_CLI_", "TF_VAR_", "TF_LOG", "TF_DATA_DIR", "TF_WORKSPACE", "TF_PLUGIN_", "TF_TOKEN_")
HARMLESS = ("TF_CPP_", "TF_FORCE_GPU_ALLOW_GROWTH", "TF_GPU_ALLOCATOR", *TERRAFORM)
# The folder's keras.json is read in the place of the user's: float32, epsilon, channels last.
KERAS = {"KERAS_BACKEND": "tensorflow", "KERAS_HOME": str(Path(__file__).with_name("keras_home"))}


def settle() -> dict[str, str]:
    """Take other programs' settings out of this process's environment, and Keras's own in; what was taken out.

    The package does this as it is imported, before any of these libraries. Raises StudyError where Keras was imported
    before, on another backend.
    """
    taken = {
        name: os.environ.pop(name)
        for name, value in tuple(os.environ.items())
        if name.startswith(FOREIGN) and not name.startswith(HARMLESS) and value != KERAS.get(name)
    }
    os.environ.update(KERAS)
    if keras := sys.modules.get("keras"):
        if keras.config.backend() != "tensorflow":
            raise StudyError(f"Keras was imported on {keras.config.backend()}; import deepfn_lib before it")
        keras.config.set_floatx("float32")
        keras.config.set_epsilon(1e-7)
        keras.config.set_image_data_format("channels_last")
    return taken


NOT_COUNTED = settle()


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
