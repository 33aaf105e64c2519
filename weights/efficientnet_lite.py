"""EfficientNet-Lite as a Keras functional model, and its ImageNet weights.

Lite0 is EfficientNet-B0 with what is slow on a plain processor left out: no
squeeze-and-excite, ReLU6 instead of swish. Lite2 is the same, wider and deeper;
the stem, the head and the depth of the first and the last stage never scale.

Sources: Tan & Le, "EfficientNet", arXiv:1905.11946; the Lite variants were
published with TensorFlow's TPU models under Apache-2.0. The ImageNet tensors
follow the PyTorch port's names (``_blocks.3._project_conv.weight``, OIHW).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import keras
import numpy as np
from keras import layers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BATCH_NORM_EPSILON = 1e-3
IMAGENET_CLASSES = 1000
STEM_CHANNELS = 32
FEATURES = 1280
"""Channels of the last feature map: the length of the classifier's embedding."""

PIXEL_MEAN = 127.0
PIXEL_SCALE = 128.0
"""The network was trained on ``(pixel - 127) / 128``."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A run of equal blocks; only its first block strides and widens."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


@dataclass(frozen=True, slots=True)
class Architecture:
    """A member of the family: its stages, from the stem to the head."""

    title: str
    stages: tuple[Stage, ...]

    @property
    def depth(self) -> int:
        """Blocks of all stages together."""
        return sum(stage.repeats for stage in self.stages)

    def scaled(self, title: str, width: float, depth: float) -> Architecture:
        """Return a wider and deeper one (EfficientNet, section 3.3, channels in eights)."""
        first, *middle, last = (
            replace(stage, channels=_in_eights(stage.channels * width)) for stage in self.stages
        )
        deeper = [replace(stage, repeats=math.ceil(stage.repeats * depth)) for stage in middle]
        return Architecture(title, (first, *deeper, last))


def _in_eights(channels: float) -> int:
    """Round to a multiple of eight."""
    return int(channels + 4) // 8 * 8


LITE0 = Architecture(
    "EfficientNet-Lite0",
    (
        Stage(repeats=1, kernel=3, stride=1, expansion=1, channels=16),
        Stage(repeats=2, kernel=3, stride=2, expansion=6, channels=24),
        Stage(repeats=2, kernel=5, stride=2, expansion=6, channels=40),
        Stage(repeats=3, kernel=3, stride=2, expansion=6, channels=80),
        Stage(repeats=3, kernel=5, stride=1, expansion=6, channels=112),
        Stage(repeats=4, kernel=5, stride=2, expansion=6, channels=192),
        Stage(repeats=1, kernel=3, stride=1, expansion=6, channels=320),
    ),
)
LITE2 = LITE0.scaled("EfficientNet-Lite2", width=1.1, depth=1.2)

Name = Literal["lite0", "lite2"]
ARCHITECTURES: dict[Name, Architecture] = {"lite0": LITE0, "lite2": LITE2}
"""What options call them."""


def normalise(pixels: keras.KerasTensor) -> keras.KerasTensor:
    """Bring float RGB in 0..255 to the range the ImageNet weights expect."""
    return layers.Rescaling(1 / PIXEL_SCALE, offset=-PIXEL_MEAN / PIXEL_SCALE, name="normalise")(
        pixels
    )


def _batch_norm(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return layers.BatchNormalization(epsilon=BATCH_NORM_EPSILON, momentum=0.99, name=name)(x)


def _relu6(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return layers.ReLU(max_value=6.0, name=name)(x)


def _pointwise(x: keras.KerasTensor, channels: int, name: str) -> keras.KerasTensor:
    return layers.Conv2D(channels, 1, use_bias=False, name=name)(x)


def _block(
    x: keras.KerasTensor, index: int, stage: Stage, stride: int, drop: float
) -> keras.KerasTensor:
    """One inverted bottleneck: widen, filter each channel, narrow, add."""
    name = f"blocks_{index}"
    entry = x
    if stage.expansion > 1:
        x = _pointwise(x, int(x.shape[-1]) * stage.expansion, f"{name}_expand_conv")
        x = _relu6(_batch_norm(x, f"{name}_bn0"), f"{name}_expand_relu")
    x = layers.DepthwiseConv2D(
        stage.kernel, strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise_conv"
    )(x)
    x = _relu6(_batch_norm(x, f"{name}_bn1"), f"{name}_depthwise_relu")
    x = _batch_norm(_pointwise(x, stage.channels, f"{name}_project_conv"), f"{name}_bn2")
    if stride == 1 and entry.shape[-1] == stage.channels:
        if drop > 0:
            x = layers.Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}_drop")(x)
        x = layers.Add(name=f"{name}_add")([x, entry])
    return x


def stages(
    pixels: keras.KerasTensor,
    architecture: Architecture = LITE0,
    *,
    last: int | None = None,
    drop_path: float = 0.0,
) -> list[keras.KerasTensor]:
    """Run the stem and the first ``last`` stages, or all; return every stage's output.

    ``pixels`` is what `normalise` returns (NxHxWx3). The seven outputs have strides
    2, 4, 8, 16, 16, 32, 32. ``drop_path`` is the share of residual branches
    that the deepest block drops while training; shallower blocks drop less.
    """
    x = layers.Conv2D(
        STEM_CHANNELS, 3, strides=2, padding="same", use_bias=False, name="conv_stem"
    )(pixels)
    x = _relu6(_batch_norm(x, "bn0"), "stem_relu")
    outputs = []
    index = 0
    for stage in architecture.stages[:last]:
        for repeat in range(stage.repeats):
            stride = stage.stride if repeat == 0 else 1
            x = _block(x, index, stage, stride, drop_path * index / architecture.depth)
            index += 1
        outputs.append(x)
    return outputs


def first_layers(
    model: keras.Model, count: int, architecture: Architecture = LITE0
) -> list[keras.Layer]:
    """Return the layers of the stem and of the first ``count`` stages.

    None for a count of 0: the stem belongs to the first stage.
    """
    blocks = sum(stage.repeats for stage in architecture.stages[:count])
    names = ["conv_stem", "bn0"] if count else []
    prefixes = tuple(f"blocks_{index}_" for index in range(blocks))
    return [
        layer for layer in model.layers if layer.name in names or layer.name.startswith(prefixes)
    ]


def head(x: keras.KerasTensor) -> keras.KerasTensor:
    """Widen the last stage's output to the 1280-channel feature map."""
    x = layers.Conv2D(FEATURES, 1, use_bias=False, name="conv_head")(x)
    return _relu6(_batch_norm(x, "bn1"), "head_relu")


def imagenet_classifier(architecture: Architecture = LITE0, size: int = 224) -> keras.Model:
    """Build the original thousand-class network (logits out).

    Its only use is to prove that the architecture and the loader are right.
    """
    image = keras.Input((size, size, 3), name="image")
    maps = stages(normalise(image), architecture)
    features = layers.GlobalAveragePooling2D(name="pool")(head(maps[-1]))
    return keras.Model(image, layers.Dense(IMAGENET_CLASSES, name="fc")(features), name="imagenet")


def load_imagenet(model: keras.Model, path: Path) -> int:
    """Copy ImageNet tensors into every layer of ``model`` that has one.

    Returns how many layers were filled. Raises ``KeyError`` when a backbone
    layer has no tensor in the file, ``ValueError`` when a shape differs.
    """
    with np.load(path) as tensors:
        known = [layer for layer in model.layers if _torch_name(layer.name) is not None]
        for layer in known:
            _fill(layer, tensors)
    return len(known)


_TOP_LEVEL = {
    "conv_stem": "_conv_stem",
    "bn0": "_bn0",
    "conv_head": "_conv_head",
    "bn1": "_bn1",
    "fc": "_fc",
}


def _torch_name(layer_name: str) -> str | None:
    """Translate ``blocks_3_project_conv`` to ``_blocks.3._project_conv``."""
    if layer_name in _TOP_LEVEL:
        return _TOP_LEVEL[layer_name]
    if not layer_name.startswith("blocks_") or not layer_name.endswith(
        ("conv", "bn0", "bn1", "bn2")
    ):
        return None
    _, index, part = layer_name.split("_", 2)
    return f"_blocks.{index}._{part}"


def _fill(layer: keras.Layer, tensors: Mapping[str, np.ndarray]) -> None:
    """Give one layer its tensors, turned from PyTorch's axis order to Keras's."""
    name = _torch_name(layer.name)
    weight = tensors[f"{name}.weight"]
    if isinstance(layer, layers.BatchNormalization):
        statistics = [tensors[f"{name}.running_mean"], tensors[f"{name}.running_var"]]
        layer.set_weights([weight, tensors[f"{name}.bias"], *statistics])
    elif isinstance(layer, layers.DepthwiseConv2D):
        layer.set_weights([weight.transpose(2, 3, 0, 1)])
    elif isinstance(layer, layers.Conv2D):
        layer.set_weights([weight.transpose(2, 3, 1, 0)])
    else:
        layer.set_weights([weight.T, tensors[f"{name}.bias"]])
