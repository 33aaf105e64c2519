"""Elections with real runtimes and models of a few hundred bytes."""

import importlib.util
import math
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from services.inference import model_file
from services.inference.backends import speed
from services.inference.backends.backend import Backend, Ran, Tensor
from services.inference.backends.ballot import Standing, elected
from services.inference.backends.candidate import CANDIDATES, REFERENCE, Candidate
from services.inference.backends.election import Election
from services.inference.backends.layout import Layout
from services.inference.backends.onnxruntime_cpu import OnnxRuntimeCpu
from services.inference.model_file import ModelError, ModelFile
from services.inference.onnx_model import OnnxModel
from tests import tiny_models

SIDE_BY_SIDE = Layout(2, 1)
INT8 = Candidate("cpu", "int8", OnnxRuntimeCpu)


class Slow(OnnxRuntimeCpu):
    """A runtime that takes its time."""

    def run(self, batch: Tensor) -> Ran:
        time.sleep(0.03)
        return super().run(batch)


SLOW_REFERENCE = Candidate("cpu", "fp32", Slow)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_models.publish(tiny_models.classifier(), tmp_path / "classifier" / "1")


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, there is time to tell; a test that has none says so."""
    monkeypatch.setattr(speed, "_PATIENCE_S", math.inf)


def hold(folder: Path, *candidates: Candidate, **rules: Any) -> Backend:
    election = Election(SIDE_BY_SIDE, candidates=candidates or CANDIDATES, **rules)
    return election(model_file.read(folder / "model.onnx"))


def announced(logged: pytest.LogCaptureFixture) -> dict[str, str]:
    """Return the candidates of the last election with what became of each."""
    said = [record.msg for record in logged.records if isinstance(record.msg, dict)]
    (*_, last) = (line for line in said if "candidates" in line)
    return {**last["candidates"], "chosen": last["chosen"]}


def test_an_accepted_variant_that_is_faster_is_chosen_and_named(folder: Path) -> None:
    tiny_models.publish_variant(tiny_models.classifier(), folder, "int8")
    identity = hold(folder, SLOW_REFERENCE, INT8).identity
    assert identity.precision == "int8"
    assert identity.sha256 in (folder / "SHA256SUMS").read_text()
    assert identity.variant_of == model_file.read(folder / "model.onnx").sha256


def test_a_variant_that_is_not_accepted_never_runs_however_fast(folder: Path) -> None:
    tiny_models.publish_variant(tiny_models.classifier(), folder, "int8", accepted=False)
    assert hold(folder, SLOW_REFERENCE, INT8).identity.precision == "fp32"


def test_a_variant_of_another_model_never_runs_however_fast(folder: Path) -> None:
    tiny_models.publish_variant(tiny_models.classifier(), folder, "int8", variant_of="0" * 64)
    assert hold(folder, SLOW_REFERENCE, INT8).identity.precision == "fp32"


def test_a_variant_that_says_itself_that_it_is_of_another_model_never_runs(folder: Path) -> None:
    tiny_models.publish_variant(tiny_models.classifier(), folder, "int8")
    own = model_file.read(folder / "model.onnx")
    other = tiny_models.classifier(version="2")
    (folder / "model.onnx").write_bytes(other.SerializeToString())
    moved = model_file.ModelFile(own.path, other.SerializeToString(), own.sha256)
    Election(SIDE_BY_SIDE, candidates=[INT8])(moved)
    stranger = ModelFile(own.path, own.content, "0" * 64)
    with pytest.raises(ModelError, match="made of another model"):
        Election(SIDE_BY_SIDE, candidates=[INT8])(stranger)


def test_a_candidate_with_other_answers_falls_out_with_its_reason_in_the_log(
    folder: Path, logged: pytest.LogCaptureFixture
) -> None:
    tiny_models.publish_variant(tiny_models.another_classifier(), folder, "int8")
    assert hold(folder, SLOW_REFERENCE, INT8).identity.precision == "fp32"
    became = announced(logged)
    assert re.match(r"out: probabilities differs by 0\.\d+, more than 0\.08", became["cpu int8"])
    assert became["chosen"] == "cpu fp32"


def test_a_candidate_that_fails_falls_out_with_its_reason_in_the_log(
    folder: Path, logged: pytest.LogCaptureFixture
) -> None:
    class Broken(OnnxRuntimeCpu):
        def run(self, batch: Tensor) -> Ran:
            return Ran(self._session.run(["no such output"], {"image": batch}), self.identity)

    hold(folder, REFERENCE, Candidate("broken", "fp32", Broken))
    assert announced(logged)["broken fp32"].startswith("out: it failed: ")


def test_a_card_without_room_for_the_largest_batch_falls_out(folder: Path) -> None:
    class Narrow(OnnxRuntimeCpu):
        on_device = True

        def run(self, batch: Tensor) -> Ran:
            if len(batch) > 1:
                raise RuntimeError("CUDA failure 2: out of memory")
            return super().run(batch)

    narrow = Candidate("cuda", "fp32", Narrow)
    election = Election(SIDE_BY_SIDE, largest_batch=8, candidates=[narrow])
    with pytest.raises(ModelError, match="cuda fp32: it failed: CUDA failure 2"):
        election(model_file.read(folder / "model.onnx"))


def test_the_log_has_the_speed_of_everybody_who_was_timed(
    folder: Path, logged: pytest.LogCaptureFixture
) -> None:
    tiny_models.publish_variant(tiny_models.classifier(), folder, "int8")
    hold(folder, SLOW_REFERENCE, INT8)
    became = announced(logged)
    assert re.fullmatch(r"\d+/s", became["cpu fp32"])
    assert re.fullmatch(r"\d+/s", became["cpu int8"])


def test_the_published_model_alone_runs_where_an_operator_wants_no_variant(folder: Path) -> None:
    tiny_models.publish_variant(tiny_models.classifier(), folder, "int8")
    backend = hold(folder, SLOW_REFERENCE, INT8, precision="fp32")
    assert backend.identity.precision == "fp32"


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({"provider": "cuda"}, "no CUDAExecutionProvider"),
        ({"provider": "tensorrt"}, "no TensorrtExecutionProvider"),
        ({"precision": "int8"}, "cpu int8: the model has no int8 variant"),
        ({"provider": "cuda", "precision": "int8"}, "there is no such pair"),
    ],
)
def test_what_is_asked_for_and_cannot_serve_is_refused_in_a_sentence(
    folder: Path, rules: dict[str, str], reason: str
) -> None:
    with pytest.raises(ModelError, match=rf"{reason}.*; set the provider to auto"):
        hold(folder, **rules)


def test_tensorrt_which_builds_for_minutes_is_tried_only_where_it_is_asked_for(
    folder: Path, logged: pytest.LogCaptureFixture
) -> None:
    both = [each for each in CANDIDATES if each.provider in {"cpu", "tensorrt"}]
    hold(folder, *both)
    assert announced(logged).keys() == {"cpu fp32", "cpu int8", "chosen"}
    with pytest.raises(ModelError, match="tensorrt fp16: "):
        hold(folder, *both, provider="tensorrt")


def test_where_openvino_is_not_installed_the_processor_serves_and_the_log_says_why(
    folder: Path, monkeypatch: pytest.MonkeyPatch, logged: pytest.LogCaptureFixture
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "openvino" else found(name)
    )
    assert hold(folder).identity.execution_provider == "CPUExecutionProvider"
    became = announced(logged)
    assert became["openvino bf16"] == "out: OpenVINO is not installed"
    assert "openvino fp32" not in became  # was nowhere the fastest, so it is not tried unasked
    with pytest.raises(ModelError, match="openvino bf16: OpenVINO is not installed"):
        hold(folder, provider="openvino")


def test_a_build_that_lists_a_card_is_not_believed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What onnxruntime-gpu does on a machine without a card: it lists CUDA, warns, and opens
    # the session on the processor.
    monkeypatch.setattr(
        ort, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    monkeypatch.setattr(ort, "preload_dlls", lambda: None)
    both = [each for each in CANDIDATES if each.provider in {"cpu", "cuda"}]
    with pytest.warns(UserWarning, match="CUDAExecutionProvider"):
        assert hold(folder, *both).identity.execution_provider == "CPUExecutionProvider"
    with (
        pytest.warns(UserWarning, match="CUDAExecutionProvider"),
        pytest.raises(ModelError, match="CUDAExecutionProvider does not work here"),
    ):
        hold(folder, provider="cuda")


@pytest.fixture
def held_before(folder: Path) -> Election:
    """An election that int8 has won for version 1."""
    tiny_models.publish_variant(tiny_models.classifier(), folder, "int8")
    election = Election(SIDE_BY_SIDE, candidates=[SLOW_REFERENCE, INT8])
    assert election(model_file.read(folder / "model.onnx")).identity.precision == "int8"
    return election


def version_2(folder: Path) -> Path:
    return tiny_models.publish(tiny_models.classifier(version="2"), folder.parent / "2")


def test_on_a_machine_too_busy_to_tell_a_new_version_is_given_what_the_last_one_was(
    folder: Path, held_before: Election, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = version_2(folder)
    tiny_models.publish_variant(tiny_models.classifier(version="2"), newer, "int8")
    monkeypatch.setattr(speed, "_PATIENCE_S", 0)
    assert held_before(model_file.read(newer / "model.onnx")).identity.precision == "int8"


@pytest.mark.parametrize("variant", [None, tiny_models.another_classifier()])
def test_on_a_machine_too_busy_to_tell_what_may_not_serve_does_not_although_it_did_before(
    folder: Path,
    held_before: Election,
    monkeypatch: pytest.MonkeyPatch,
    variant: onnx.ModelProto | None,
) -> None:
    newer = version_2(folder)
    if variant is not None:
        tiny_models.publish_variant(variant, newer, "int8")
    monkeypatch.setattr(speed, "_PATIENCE_S", 0)
    assert held_before(model_file.read(newer / "model.onnx")).identity.precision == "fp32"


def test_on_a_machine_too_busy_to_tell_another_model_is_given_the_reference(
    tmp_path: Path, held_before: Election, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tiny_models.publish(tiny_models.segmenter(), tmp_path / "segmenter" / "1")
    tiny_models.publish_variant(tiny_models.segmenter(), other, "int8")
    monkeypatch.setattr(speed, "_PATIENCE_S", 0)
    assert held_before(model_file.read(other / "model.onnx")).identity.precision == "fp32"


@pytest.mark.parametrize(
    ("rates", "winner"),
    [
        ((100, 150, 120), 1),
        ((100, 105, 109), 0),
        ((100, 150, 160), 1),
        ((100, 150, 170), 2),
        ((None, None, None), 0),
    ],
)
def test_the_fastest_wins_and_of_those_about_as_fast_the_simplest(
    rates: Sequence[float | None], winner: int
) -> None:
    standings = [Standing(REFERENCE, rate=rate) for rate in rates]
    assert elected(standings) is standings[winner]


def test_an_answer_names_the_file_that_ran(folder: Path) -> None:
    tiny_models.publish_variant(tiny_models.classifier(), folder, "int8")
    election = Election(SIDE_BY_SIDE, candidates=[INT8])
    model = OnnxModel.load(folder, "classifier", elect=election)
    (answer,) = model.run([np.zeros((64, 64, 3), np.uint8)])
    assert answer.provenance.precision == "int8"
    assert f"{answer.provenance.sha256}  model.int8.onnx" in (folder / "SHA256SUMS").read_text()
    assert f"{answer.provenance.variant_of}  model.onnx" in (folder / "SHA256SUMS").read_text()


def test_of_all_candidates_those_of_a_card_are_known_to_need_one() -> None:
    needing = {each.provider for each in CANDIDATES if each.on_device}
    others = {each.provider for each in CANDIDATES if not each.on_device}
    assert needing == {"cuda", "tensorrt"}
    assert not needing & others
