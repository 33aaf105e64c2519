"""The evaluation beside a model: served where it is about this very file, and never in the way."""

import json
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from services.inference.settings import Settings
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc
from tests import tiny_models
from tests.inference.conftest import serving

HEADLINE = {"split": "fold 4", "macro_auc": 0.9, "suspicious_sensitivity": 0.93}
REPORT = {
    "macro_auc": {"value": 0.9, "low": 0.88, "high": 0.92},
    "suspicious": {"sensitivity": {"value": 0.93, "low": 0.9, "high": 0.96}},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A classifier with an evaluation, in a folder of both models."""
    models = tiny_models.write_models(tmp_path)
    model = tiny_models.classifier(metrics=json.dumps(HEADLINE))
    published = tiny_models.publish(model, models / "classifier" / "1")
    tiny_models.publish_evaluation(published, HEADLINE, REPORT)
    return published


async def listed(folder: Path) -> pb.ModelInfo:
    """Return what is said of the classifier in a folder."""
    settings = Settings(model_dir=folder.parent.parent, runners=1)
    async with serving(settings, CollectorRegistry()) as channel:
        stub = inference_pb2_grpc.InferenceServiceStub(channel)
        answer = await stub.ListModels(pb.ListModelsRequest(), timeout=60)
    (found,) = (each for each in answer.models if each.name == "classifier")
    return found


def ends(model: pb.ModelInfo) -> dict[str, tuple[float, float]]:
    return {name: (interval.low, interval.high) for name, interval in model.intervals.items()}


async def test_figures_come_with_their_intervals(folder: Path) -> None:
    model = await listed(folder)
    assert model.evaluated_on == "fold 4"
    assert model.metrics == {"macro_auc": 0.9, "suspicious_sensitivity": 0.93}
    assert ends(model) == {"macro_auc": (0.88, 0.92), "suspicious_sensitivity": (0.9, 0.96)}


async def test_a_figure_without_an_interval_is_a_point(folder: Path) -> None:
    undefined = {"macro_auc": {"value": 0.9, "low": None, "high": None}}
    tiny_models.publish_evaluation(folder, HEADLINE, undefined)
    model = await listed(folder)
    assert model.metrics == {"macro_auc": 0.9, "suspicious_sensitivity": 0.93}
    assert ends(model) == {}


async def test_a_figure_that_begins_like_one_without_parts_is_a_point_beside_the_others(
    folder: Path,
) -> None:
    headline = {**HEADLINE, "pictures_refused": 0.01}
    tiny_models.publish_evaluation(folder, headline, {**REPORT, "pictures": 7})
    model = await listed(folder)
    assert model.metrics["pictures_refused"] == 0.01
    assert ends(model) == {"macro_auc": (0.88, 0.92), "suspicious_sensitivity": (0.9, 0.96)}


async def test_without_an_evaluation_the_figures_of_the_file_itself_are_told(
    folder: Path, logged: pytest.LogCaptureFixture
) -> None:
    (folder / "evaluation.json").unlink()
    model = await listed(folder)
    assert model.evaluated_on == "fold 4"
    assert model.metrics == {"macro_auc": 0.9, "suspicious_sensitivity": 0.93}
    assert ends(model) == {}
    assert "evaluation left out" not in logged.text


@pytest.mark.parametrize(
    "change",
    [
        {"file": {"sha256": "0" * 64}},
        {"file": None},
        {"headline": {"split": "fold 4", "macro_auc": "high"}},
        {"headline": {"macro_auc": 0.9}},
        {"results": {"report_fold": {"macro_auc": {"low": 0.92, "high": 0.88}}}},
        {"results": []},
    ],
)
async def test_an_evaluation_that_cannot_be_of_this_file_is_left_out_and_the_model_serves(
    folder: Path, change: dict[str, Any], logged: pytest.LogCaptureFixture
) -> None:
    path = folder / "evaluation.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    model = await listed(folder)
    assert model.metrics == {"macro_auc": 0.9, "suspicious_sensitivity": 0.93}
    assert ends(model) == {}
    assert "evaluation left out" in logged.text


async def test_what_was_measured_about_a_classifier_is_told_as_it_was_written(
    folder: Path,
) -> None:
    shipped = Path(__file__).parents[2] / "weights" / "models" / "classifier" / "3"
    report = json.loads((shipped / "evaluation.json").read_text())["results"]["report_fold"]
    tiny_models.publish_evaluation(folder, HEADLINE, report)
    told = (await listed(folder)).classifier_evaluation
    assert (told.pictures, told.lesions) == (report["pictures"], report["lesions"])
    assert [each.label for each in told.labels] == list(report["labels"])
    assert [list(each.given) for each in told.labels] == report["confusion"]
    assert told.labels[4].sensitivity.value == report["labels"]["mel"]["sensitivity"]["value"]
    for kind, error, found in (
        ("label", "expected_calibration_error", told.label_reliability),
        ("malignant", "malignant_calibration_error", told.malignant_reliability),
    ):
        assert found.calibration_error.interval.high == report[error]["high"]
        written = [
            (each["low"], each["high"], each["pictures"], each["sure"], each["right"]["value"])
            for each in report["reliability"][kind]
        ]
        assert written == [
            (each.low, each.high, each.pictures, each.mean_probability, each.frequency.value)
            for each in found.bins
        ]


async def test_a_figure_that_is_not_defined_is_absent(folder: Path) -> None:
    undefined = {"value": None, "low": None, "high": None}
    label = {"pictures": 0, "sensitivity": undefined, "specificity": undefined, "auc": undefined}
    report = {
        **REPORT,
        "pictures": 1,
        "lesions": 1,
        "labels": {"nv": label},
        "confusion": [[0]],
        "reliability": {"label": [], "malignant": []},
        "expected_calibration_error": undefined,
        "malignant_calibration_error": undefined,
    }
    tiny_models.publish_evaluation(folder, HEADLINE, report)
    told = (await listed(folder)).classifier_evaluation
    assert not told.labels[0].HasField("auc")
    assert not told.label_reliability.HasField("calibration_error")


async def test_a_variant_is_listed_with_the_evaluation_of_the_model_that_it_stands_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DERMSERVE_INFERENCE_PRECISION", "int8")
    for name, model in (("segmenter", tiny_models.segmenter()), ("classifier", _verdict())):
        tiny_models.publish_variant(model, folder.parent.parent / name / "1", "int8")
    model = await listed(folder)
    assert model.variant_of
    assert model.metrics == {"macro_auc": 0.9, "suspicious_sensitivity": 0.93}
    assert ends(model)["suspicious_sensitivity"] == (0.9, 0.96)


def _verdict() -> Any:
    return tiny_models.classifier(metrics=json.dumps({"split": "fold 4", "refused": 0.01}))
