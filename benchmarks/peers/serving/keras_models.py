"""The same two networks without ONNX: the weights that were exported, run by Keras.

Calibration and the measure of novelty stand in the exported graphs as constants; they are
read from there, so that the answers are the same.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf
from onnx import numpy_helper

from benchmarks.peers.serving.work import Analyst, Outputs, newest
from weights import classifier, looks, segmenter

_Batch = np.ndarray
_Run = Callable[[_Batch], Mapping[str, np.ndarray]]


class KerasModel:
    """A network that answers as its exported file does."""

    def __init__(self, name: str, *, compiled: bool) -> None:
        """Build a network and load its weights.

        Args:
            name: of the model.
            compiled: call a traced graph instead of ``predict``.

        """
        exported = onnx.load(newest(name) / "model.onnx")
        self.metadata: Mapping[str, str] = {
            prop.key: prop.value for prop in exported.metadata_props
        }
        self._constants = {
            constant.name: numpy_helper.to_array(constant)
            for constant in exported.graph.initializer
        }
        network = {"classifier": classifier, "segmenter": segmenter}[name]
        model = network.build()
        trained = keras.Model(model.input, model.output["logits"])
        trained.load_weights(newest(name) / "network.weights.h5")
        self._run = _runner(looks.averaged(model, network.LOOKS), compiled=compiled)

    def run(self, tensors: Sequence[np.ndarray]) -> list[Outputs]:
        """Return the outputs of each tensor by name."""
        outputs = dict(self._run(np.stack(tensors).astype(np.float32)))
        if "texture" in outputs:
            outputs["probabilities"] = self._probabilities(outputs["logits"])
            outputs["novelty"] = self._novelty(outputs["texture"])
        names = list(outputs)
        return [dict(zip(names, row, strict=True)) for row in zip(*outputs.values(), strict=True)]

    def _probabilities(self, logits: np.ndarray) -> np.ndarray:
        temperature = json.loads(self.metadata["temperature"])
        scaled = (logits + np.array(json.loads(self.metadata["label_offsets"]))) / temperature
        powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
        shares: np.ndarray = (powers / powers.sum(axis=-1, keepdims=True)).astype(np.float32)
        return shares

    def _novelty(self, texture: np.ndarray) -> np.ndarray:
        constants = self._constants
        steps = (texture - constants["familiar_mean"]) @ constants["whitening"]
        distance: np.ndarray = np.square(steps).sum(axis=1) * constants["axes_share"]
        return distance


def analyst(*, tuned: bool) -> Analyst:
    """Load both networks; tuned: traced graphs on one thread each."""
    if tuned:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    return Analyst(*(KerasModel(name, compiled=tuned) for name in ("segmenter", "classifier")))


def _runner(model: keras.Model, *, compiled: bool) -> _Run:
    if not compiled:
        return lambda batch: model.predict(batch, verbose=0)
    size = model.input.shape[1]
    traced: Any = tf.function(
        lambda pixels: model(pixels, training=False),
        input_signature=[tf.TensorSpec((None, size, size, 3), tf.float32)],
    )
    return lambda batch: {name: values.numpy() for name, values in traced(batch).items()}
