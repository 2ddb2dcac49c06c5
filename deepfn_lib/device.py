"""TensorFlow's set-up for this process: quiet, with a stated number of threads, deterministic where asked."""

import os
import threading


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
_GREETINGS = (
    b"before absl::InitializeLog()",
    b"port.cc:",
    b"cpu_feature_guard.cc:",
    b"rebuild TensorFlow with",
    b"remapper failed",  # a fusion that one of the graph's rewriters tried and left alone; the graph runs as it was
)
_hushed = False


def hush() -> None:
    """Keep TensorFlow's greetings out of this process's standard error; every other line still passes.

    The greetings come from below Python, so the file descriptor itself is led through a thread that drops them.
    """
    global _hushed
    if _hushed:
        return
    _hushed = True
    kept, (reader, writer) = os.dup(2), os.pipe()
    os.dup2(writer, 2)
    os.close(writer)

    def pass_on():
        with os.fdopen(reader, "rb", buffering=0) as stream:
            rest = b""
            while piece := stream.read(65536):
                *lines, rest = (rest + piece).replace(b"\r", b"\r\n").split(b"\n")
                for line in lines:
                    if not any(words in line for words in _GREETINGS):
                        os.write(kept, line if line.endswith(b"\r") else line + b"\n")
            os.write(kept, rest)

    threading.Thread(target=pass_on, daemon=True).start()
