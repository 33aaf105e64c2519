"""The backbone is the real one: with its ImageNet weights it knows a cat."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from weights import classifier, dataset, efficientnet_lite

# Photographs of everyday things and the ImageNet places that name them.
KNOWN = {
    "camera.png": {872},  # tripod
    "chelsea.png": {281, 282, 285},  # tabby, tiger cat, Egyptian cat
    "coffee.png": {967, 968},  # espresso, cup
    "grace_hopper.jpg": {652},  # military uniform
    "motorcycle_left.png": {665, 670},  # moped, motor scooter
}


def test_with_imagenet_weights_it_recognises_everyday_things(data: Path) -> None:
    network = efficientnet_lite.imagenet_classifier()
    filled = efficientnet_lite.load_imagenet(network, data / "efficientnet_lite0_imagenet.npz")
    assert filled == sum(1 for layer in network.layers if layer.weights)
    with zipfile.ZipFile(data / "ood_images.zip") as archive:
        names = sorted(archive.namelist())
    pictures = dataset.outsiders(data, 224)[[names.index(name) for name in KNOWN]]
    best = np.asarray(network(pictures.astype(np.float32), training=False)).argmax(axis=1)
    assert all(int(k) in meant for k, meant in zip(best, KNOWN.values(), strict=True))


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "empty.npz", other=np.zeros(1))
    with pytest.raises(KeyError, match="_conv_stem"):
        efficientnet_lite.load_imagenet(classifier.build(32), tmp_path / "empty.npz")
