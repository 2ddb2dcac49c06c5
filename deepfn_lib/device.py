"""TensorFlow's set-up for this process: quiet, with a stated number of threads, deterministic where asked."""

import os


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
