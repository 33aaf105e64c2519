"""Averaging over mirrored looks makes the answer blind to mirrors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from weights import export, looks, runtime

if TYPE_CHECKING:
    import keras

FLIPS = (looks.PLAIN, looks.SIDEWAYS)


@pytest.fixture(scope="module")
def averaged(segmenter_network: keras.Model) -> keras.Model:
    return looks.averaged(segmenter_network, FLIPS)


def test_a_mirrored_picture_gets_the_mirrored_mask(
    averaged: keras.Model, pictures: np.ndarray
) -> None:
    answer = export.keras_answers(averaged)
    straight, mirrored = answer(pictures)["mask"], answer(pictures[:, :, ::-1])["mask"]
    assert mirrored[:, :, ::-1] == pytest.approx(straight, abs=1e-5)


def test_one_plain_look_leaves_the_network_as_it_is(segmenter_network: keras.Model) -> None:
    assert looks.averaged(segmenter_network, (looks.PLAIN,)) is segmenter_network


def test_looks_survive_the_way_to_onnx(averaged: keras.Model, pictures: np.ndarray) -> None:
    session = runtime.session(export.convert(averaged, 224, ["mask"]))
    expected = export.keras_answers(averaged)(pictures)["mask"]
    assert runtime.answers(session, pictures)["mask"] == pytest.approx(expected, abs=1e-4)


def test_classifier_maps_still_average_to_the_logits(
    classifier_network: keras.Model, pictures: np.ndarray
) -> None:
    answers = export.keras_answers(looks.averaged(classifier_network, FLIPS))(pictures)
    (bias,) = classifier_network.get_layer("logits").get_weights()
    assert answers["explanation"].mean(axis=(1, 2)) + bias == pytest.approx(
        answers["logits"], abs=1e-4
    )
