"""The benchmark of backends in miniature."""

from pathlib import Path

import pytest

from benchmarks import backends
from tests import tiny_models


def test_all_backends_are_measured_beside_the_reference(tiny: Path) -> None:
    result = backends.measured(tiny, rounds=2, pictures=3)
    for unit in ("segmenter", "classifier", "both"):
        measured = result["candidates"][unit]
        assert measured["cpu fp32"]["side_by_side"]["to_reference"] == 1
        assert all(found["alone"]["pictures_a_second"] > 0 for found in measured.values())
    assert "no int8 variant" in result["not_here"]["cpu int8"]
    assert result["elected"]["classifier"]


def test_how_far_a_backend_is_from_the_reference_is_said_by_output(tmp_path: Path) -> None:
    tiny_models.write_models(tmp_path)
    tiny_models.publish_variant(tiny_models.segmenter(), tmp_path / "segmenter" / "1", "int8")
    other = tiny_models.another_classifier()
    tiny_models.publish_variant(other, tmp_path / "classifier" / "1", "int8")
    differences = backends.measured(tmp_path, rounds=1, pictures=2)["differences"]
    assert differences["segmenter"]["cpu int8"] == {"mask": 0}
    assert differences["classifier"]["cpu int8"]["probabilities"] > 0.01


def test_openvino_in_the_same_precision_hardly_differs_from_the_reference(tiny: Path) -> None:
    pytest.importorskip("openvino")
    differences = backends.measured(tiny, rounds=1, pictures=2)["differences"]
    assert max(differences["classifier"]["openvino fp32"].values()) < 1e-3
