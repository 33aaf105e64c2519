"""The segmenter: a U-Net that finds the lesion's outline.

The picture is halved first. What is lesion and what is skin shows in the whole
frame, not in its pores, and an encoder that sees half the pixels sees twice as
much of the frame around each: measured, the outlines get better, not worse.

The encoder is the whole of EfficientNet-Lite0: its last two stages see a few large
patches, and with them where in the frame the lesion is at all. The decoder doubles
the size by repeating pixels and mixes with plain convolutions; transposed
convolutions take two thirds of such a network's time on a processor and leave
checkerboards.

Source of the shape: Ronneberger et al., U-Net, arXiv:1505.04597.
"""

from __future__ import annotations

import keras
from keras import layers, ops

from weights import efficientnet_lite, looks

INPUT_SIZE = 224

LOOKS = (looks.PLAIN, looks.SIDEWAYS)
"""The looks that the served model averages."""

DECODER_CHANNELS = (96, 64, 32, 24, 16)
"""Channels after each doubling: at strides 16, 8, 4, 2 and 1 of the halved picture."""


class Double(layers.Layer):  # type: ignore[misc] # Keras ships no types
    """Doubles height and width by repeating every pixel.

    Keras's own ``UpSampling2D`` says the same with tiles and reshapes, which
    ONNX has to spell out; this becomes one ``Resize``.
    """

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return ``inputs`` (N, h, w, c) as (N, 2h, 2w, c)."""
        _, height, width, _ = ops.shape(inputs)
        return ops.image.resize(inputs, (2 * height, 2 * width), interpolation="nearest")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the doubled shape, unknown where the input's is unknown."""
        batch, height, width, channels = input_shape
        return batch, height and 2 * height, width and 2 * width, channels


class Cut(layers.Layer):  # type: ignore[misc] # Keras ships no types
    """Cuts a doubled map to the size of the one that it will join.

    An odd side is halved upwards and doubled to one too many: 7 to 4 to 8. The
    places of a convolution with a stride of two count from the first, so it is the
    last row and column that are too many.
    """

    def call(self, inputs: list[keras.KerasTensor]) -> keras.KerasTensor:
        """Return the first of two maps, as high and as wide as the second."""
        doubled, skip = inputs
        _, height, width, _ = ops.shape(skip)
        return doubled[:, :height, :width]

    def compute_output_shape(
        self, input_shape: list[tuple[int | None, ...]]
    ) -> tuple[int | None, ...]:
        """Return the second map's size with the first's channels."""
        doubled, skip = input_shape
        return *skip[:3], doubled[3]


def _mix(x: keras.KerasTensor, channels: int, name: str, kernel: int = 3) -> keras.KerasTensor:
    """Convolve, normalise the batch, rectify."""
    x = layers.Conv2D(channels, kernel, padding="same", use_bias=False, name=f"{name}_mix")(x)
    x = layers.BatchNormalization(name=f"{name}_norm")(x)
    return layers.ReLU(max_value=6.0, name=f"{name}_relu")(x)


def _rise(
    x: keras.KerasTensor, skip: keras.KerasTensor, channels: int, name: str
) -> keras.KerasTensor:
    """Double the size of ``x`` and join it with the encoder's ``skip``.

    Both are narrowed by 1x1 convolutions first, before the size is doubled,
    where narrowing is cheap.
    """
    x = _mix(x, channels, f"{name}_narrow", kernel=1)
    x = Cut(name=f"{name}_cut")([Double(name=f"{name}_double")(x), skip])
    skip = _mix(skip, channels, f"{name}_skip", kernel=1)
    return _mix(layers.Add(name=f"{name}_join")([x, skip]), channels, name)


def build(size: int | None = INPUT_SIZE) -> keras.Model:
    """Build the segmenter for ``size``x``size`` pictures (``size`` divisible by 32).

    ``None`` builds it for any size, as training needs. Input: float32 RGB in
    0..255, (N, size, size, 3). Outputs, by name: ``logits`` and ``mask``, its
    sigmoid; both float32 (N, size, size, 1).
    """
    image = keras.Input((size, size, 3), name="image")
    halved = layers.AveragePooling2D(2, name="halve")(efficientnet_lite.normalise(image))
    encoded = efficientnet_lite.stages(halved)
    x = _mix(encoded[6], 128, "bridge", kernel=1)
    skips = (encoded[4], encoded[2], encoded[1], encoded[0], halved)
    for skip, channels, stride in zip(skips, DECODER_CHANNELS, (16, 8, 4, 2, 1), strict=True):
        x = _rise(x, skip, channels, f"rise_{stride}")
    # The edge is decided at half size; the last doubling only smooths it.
    x = layers.Conv2D(1, 3, padding="same", name="edge")(x)
    logits = layers.UpSampling2D(2, interpolation="bilinear", name="logits", dtype="float32")(x)
    mask = layers.Activation("sigmoid", name="mask", dtype="float32")(logits)
    return keras.Model(image, {"logits": logits, "mask": mask}, name="segmenter")
