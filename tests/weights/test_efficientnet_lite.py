"""The backbone is the real one: with its ImageNet weights it knows a cat."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from weights import classifier, dataset, efficientnet_lite
from weights.efficientnet_lite import LITE2

# Photographs of everyday things and the ImageNet places that name them.
KNOWN = {
    "camera.png": {872},  # tripod
    "chelsea.png": {281, 282, 285},  # tabby, tiger cat, Egyptian cat
    "coffee.png": {967, 968},  # espresso, cup
    "grace_hopper.jpg": {652},  # military uniform
    "motorcycle_left.png": {665, 670},  # moped, motor scooter
}


@pytest.mark.parametrize("backbone", sorted(efficientnet_lite.ARCHITECTURES))
def test_with_imagenet_weights_it_recognises_everyday_things(
    backbone: efficientnet_lite.Name, data: Path
) -> None:
    network = efficientnet_lite.imagenet_classifier(efficientnet_lite.ARCHITECTURES[backbone])
    tensors = data / f"efficientnet_{backbone}_imagenet.npz"
    filled = efficientnet_lite.load_imagenet(network, tensors)
    assert filled == sum(1 for layer in network.layers if layer.weights)
    with zipfile.ZipFile(data / "ood_images.zip") as archive:
        names = sorted(archive.namelist())
    pictures = dataset.outsiders(data, 224)[[names.index(name) for name in KNOWN]]
    best = np.asarray(network(pictures.astype(np.float32), training=False)).argmax(axis=1)
    assert all(int(k) in meant for k, meant in zip(best, KNOWN.values(), strict=True))


def test_lite2_is_lite0_made_wider_and_deeper() -> None:
    stages = efficientnet_lite.LITE2.stages
    assert [stage.channels for stage in stages] == [16, 24, 48, 88, 120, 208, 352]
    assert [stage.repeats for stage in stages] == [1, 3, 3, 4, 4, 5, 1]
    assert efficientnet_lite.LITE2.depth == 21
    same = [
        (stage.kernel, stage.stride, stage.expansion) for stage in efficientnet_lite.LITE0.stages
    ]
    assert [(stage.kernel, stage.stride, stage.expansion) for stage in stages] == same


def test_the_first_stages_of_the_deeper_one_are_named_whole() -> None:
    network = classifier.build(32, efficientnet_lite.LITE2)
    names = {layer.name for layer in efficientnet_lite.first_layers(network, 2, LITE2)}
    assert "blocks_3_bn2" in names
    assert "blocks_4_expand_conv" not in names


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "empty.npz", other=np.zeros(1))
    with pytest.raises(KeyError, match="_conv_stem"):
        efficientnet_lite.load_imagenet(classifier.build(32), tmp_path / "empty.npz")
