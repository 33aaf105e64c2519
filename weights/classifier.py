"""The classifier: an EfficientNet-Lite with a head that explains itself.

The head is a 1x1 convolution on the last feature map. Its output is one map of
evidence a label; the average of a map, plus the label's bias, is the logit, so
the explanation adds up to the answer exactly (Zhou et al., class activation
mapping, arXiv:1512.04150) and costs nothing beside it.
"""

from __future__ import annotations

from typing import NamedTuple

import keras
from keras import layers, ops

from weights import efficientnet_lite, looks
from weights.efficientnet_lite import ARCHITECTURES, Architecture

LABELS = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
"""The seven HAM10000 labels, in the order of every vector in this product."""

MALIGNANT = ("akiec", "bcc", "mel")
"""Labels whose probabilities add up to ``malignant_probability``."""


class Serving(NamedTuple):
    """How a network is asked: as large, and as often, as its time on one core allows."""

    size: int
    looks: tuple[looks.Flip, ...]


SERVING: dict[efficientnet_lite.Name, Serving] = {
    "lite0": Serving(192, (looks.PLAIN, looks.SIDEWAYS)),
    "lite2": Serving(224, (looks.PLAIN,)),
}
"""Training ends a little smaller (Touvron et al., FixRes, arXiv:1906.06423)."""

BACKBONE: efficientnet_lite.Name = "lite0"
"""What the shipped classifier stands on."""

INPUT_SIZE, LOOKS = SERVING[BACKBONE]

TEXTURE_STAGES = (2, 3, 4)
"""Stages whose maps tell dermoscopy from other pictures (counted from 0).

Deeper ones have learned to see nothing but lesions, shallower ones know little
beyond colour.
"""

VARIANCE_FLOOR = 1e-6


class Bias(layers.Layer):  # type: ignore[misc] # Keras ships no types
    """Adds one learned number a label to the averaged evidence."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the bias: float32, one entry a label, zero at first."""
        self.bias = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="bias")

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return ``inputs`` (N, labels) with the bias added."""
        return inputs + self.bias


class Texture(layers.Layer):  # type: ignore[misc] # Keras ships no types
    """Mean and standard deviation of every channel over the whole map.

    What a picture is made of, without where: dermoscopy looks like dermoscopy
    by its textures, long before the network decides which lesion it shows.
    """

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return (N, 2c) for maps (N, h, w, c): means, then deviations."""
        mean = ops.mean(inputs, axis=(1, 2), keepdims=True)
        variance = ops.mean(ops.square(inputs - mean), axis=(1, 2))
        return ops.concatenate([mean[:, 0, 0], ops.sqrt(variance + VARIANCE_FLOOR)], axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape: twice the channels."""
        channels = input_shape[-1]
        return input_shape[0], channels and 2 * channels


def build(
    size: int | None = INPUT_SIZE,
    architecture: Architecture = ARCHITECTURES[BACKBONE],
    *,
    dropout: float = 0.2,
    drop_path: float = 0.1,
) -> keras.Model:
    """Build the classifier for ``size``x``size`` pictures.

    ``None`` builds it for any size, as training needs. Input: float32 RGB in
    0..255, (N, size, size, 3). Outputs, by name: ``logits`` (N, 7),
    ``explanation`` (N, h, w, 7) with h = w = size / 32, ``embedding``
    (N, 1280), the average of the last feature map, and ``texture``, from
    which the novelty is measured, (N, 464) of Lite0 and (N, 512) of Lite2; all float32.
    """
    image = keras.Input((size, size, 3), name="image")
    pixels = efficientnet_lite.normalise(image)
    maps = efficientnet_lite.stages(pixels, architecture, drop_path=drop_path)
    textures = [Texture(name=f"texture_{stage}")(maps[stage]) for stage in TEXTURE_STAGES]
    texture = layers.Concatenate(name="texture", dtype="float32")(textures)
    features = efficientnet_lite.head(maps[-1])
    embedding = layers.GlobalAveragePooling2D(name="embedding", dtype="float32")(features)
    # Whole channels are dropped, so every place of the map loses the same
    # evidence and the maps still average to the logits.
    dropped = layers.SpatialDropout2D(dropout, name="dropout")(features)
    explanation = layers.Conv2D(
        len(LABELS), 1, use_bias=False, name="explanation", dtype="float32"
    )(dropped)
    evidence = layers.GlobalAveragePooling2D(name="evidence", dtype="float32")(explanation)
    logits = Bias(name="logits", dtype="float32")(evidence)
    outputs = {
        "logits": logits,
        "explanation": explanation,
        "embedding": embedding,
        "texture": texture,
    }
    return keras.Model(image, outputs, name="classifier")
