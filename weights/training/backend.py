"""The only place that knows which of Keras's backends is at work.

Training runs on TensorFlow, PyTorch or JAX, as ``KERAS_BACKEND`` says. The export
converts a TensorFlow graph, so whoever starts it sets that variable.
"""

from __future__ import annotations

import cv2
import keras


def prepare(threads: int) -> None:
    """Give the network ``threads`` of the processor; call it once, before any network."""
    # Pictures are prepared side by side already: one thread each.
    cv2.setNumThreads(1)
    name = keras.backend.backend()
    if name == "tensorflow":
        import tensorflow as tf  # noqa: PLC0415 - only this backend has it

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    elif name == "torch":
        import torch  # type: ignore[import-not-found] # noqa: PLC0415 - only this backend has it

        torch.set_num_threads(threads)


def begin(seed: int, precision: str) -> None:
    """Forget earlier networks; set the source of chance and the numbers' precision."""
    keras.backend.clear_session()
    keras.config.set_dtype_policy(precision)
    keras.utils.set_random_seed(seed)


def meet(model: keras.Model, batches: keras.utils.PyDataset) -> None:
    """Show a model its first batch, with nothing learnt from it.

    Outside TensorFlow, ``fit`` would take that batch from the threads that prepare
    them to learn its shape, and never give it back: a run that is gone on with
    would miss it.
    """
    if keras.backend.backend() != "tensorflow":
        model.test_on_batch(*batches[0])


def compiles() -> bool:
    """Tell whether a step should be compiled as a whole.

    JAX is slow without; TensorFlow on a processor is slower with; PyTorch's
    compiler does not take Keras's dynamic picture sizes.
    """
    return str(keras.backend.backend()) == "jax"
