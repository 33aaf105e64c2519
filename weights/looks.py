"""Several looks at one picture, averaged inside the graph.

A lesion has no left and no up, yet a network answers a mirrored picture a
little differently. Averaging over mirrored looks removes what depends on that
accident. It costs one run of the network a look, so a model takes only as many
as its time allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

Flip = tuple[int, ...]
"""The axes along which a look is mirrored: 1 is height, 2 is width."""

PLAIN: Flip = ()
SIDEWAYS: Flip = (2,)
UPSIDE_DOWN: Flip = (1,)
TURNED: Flip = (1, 2)


class Mirrored(layers.Layer):  # type: ignore[misc] # Keras ships no types
    """Stacks the looks at every picture along the batch."""

    def __init__(self, flips: Sequence[Flip], **words: Any) -> None:
        """Take the looks' flips, in order."""
        super().__init__(**words)
        self.flips = flips

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return (V*N, h, w, c) for (N, h, w, c) and V looks."""
        return ops.concatenate([_flip(inputs, flip) for flip in self.flips], axis=0)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the same shape with a batch not known yet."""
        return None, *input_shape[1:]


class Averaged(layers.Layer):  # type: ignore[misc] # Keras ships no types
    """Averages the answers to the looks; maps are mirrored back first."""

    def __init__(self, flips: Sequence[Flip], **words: Any) -> None:
        """Take the same flips that `Mirrored` took."""
        super().__init__(**words)
        self.flips = flips

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return (N, ...) for (V*N, ...)."""
        looks = ops.split(inputs, len(self.flips), axis=0)
        is_map = len(inputs.shape) == MAP_RANK
        pairs = zip(looks, self.flips, strict=True)
        upright = [_flip(look, flip) if is_map else look for look, flip in pairs]
        return sum(upright[1:], upright[0]) / len(upright)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the same shape with a batch not known yet."""
        return None, *input_shape[1:]


MAP_RANK = 4


def _flip(values: keras.KerasTensor, flip: Flip) -> keras.KerasTensor:
    backwards, forwards = slice(None, None, -1), slice(None)
    return values[tuple(backwards if axis in flip else forwards for axis in range(MAP_RANK))]


def averaged(model: keras.Model, flips: Sequence[Flip]) -> keras.Model:
    """Return ``model`` with every output averaged over looks.

    Input, outputs and weights are those of ``model``, which must have a layer
    ``normalise``. A segmenter's ``mask`` is averaged as probabilities.
    """
    if tuple(flips) == (PLAIN,):
        return model
    pixels = model.get_layer("normalise").output
    network = keras.Model(pixels, model.output)
    answers = network(Mirrored(flips, name="mirrored")(pixels))
    outputs = {
        name: Averaged(flips, name=f"average_{name}")(answer) for name, answer in answers.items()
    }
    return keras.Model(model.input, outputs, name=model.name)
