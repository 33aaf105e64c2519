"""The benchmark of backends in miniature."""

from pathlib import Path

from benchmarks import backends


def test_all_backends_are_measured_beside_the_reference(tiny: Path) -> None:
    result = backends.measured(tiny, rounds=2, pictures=3)
    for unit in ("segmenter", "classifier", "both"):
        measured = result["candidates"][unit]
        assert measured["cpu fp32"]["side_by_side"]["to_reference"] == 1
        assert all(found["alone"]["pictures_a_second"] > 0 for found in measured.values())
    assert "no int8 variant" in result["not_here"]["cpu int8"]
    assert (
        max(result["differences"]["classifier"].get("openvino fp32", {"none": 0}).values()) < 1e-3
    )
    assert result["elected"]["classifier"]
