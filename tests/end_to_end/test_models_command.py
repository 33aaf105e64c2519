"""``dermserve models`` as an operator calls it, also beside a running service."""

import json
from collections.abc import Mapping
from pathlib import Path

import grpc
import numpy as np
import onnx
import pytest
from typer.testing import CliRunner

from services.cli import models
from services.inference import labels
from services.inference.labels import Labels
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc
from tests import tiny_models, watched
from tests.end_to_end.test_command_line import dermserve

MODEL_DIR = "DERMSERVE_INFERENCE_MODEL_DIR"


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    """Hold versions 1 and 2 of the classifier, and a version 3 that was damaged on its way."""
    tiny_models.write_models(tmp_path)
    for version in ("2", "3"):
        tiny_models.publish(tiny_models.another_classifier(), tmp_path / "classifier" / version)
    with (tmp_path / "classifier" / "3" / "model.onnx").open("ab") as file:
        file.write(b"\0")
    return tmp_path


@pytest.fixture
def here(model_dir: Path) -> Mapping[str, str]:
    return {MODEL_DIR: str(model_dir)}


def rows(said: str) -> list[list[str]]:
    return [line.split() for line in said.splitlines()]


def test_versions_are_labelled_and_listed(model_dir: Path, here: Mapping[str, str]) -> None:
    said, _ = dermserve("models", "label", "classifier", "stable", "1", env=here)
    assert "version 1 is stable" in said
    dermserve("models", "label", "classifier", "canary", "2", "--share", "0.05", env=here)
    listed = rows(dermserve("models", "list", env=here)[0])
    assert [row[:3] for row in listed] == [
        ["segmenter", "1", "stable"],
        ["classifier", "1", "stable"],
        ["classifier", "2", "canary"],
        ["classifier", "3", "-"],
    ]
    assert listed[2][3] == "5.0%"
    assert "not the published model" in " ".join(listed[3])
    dermserve("models", "label", "classifier", "canary", "--clear", env=here)
    assert json.loads((model_dir / "classifier" / "labels.json").read_text()) == {"stable": 1}


def test_a_version_that_is_not_sound_is_labelled_only_unchecked(
    model_dir: Path, here: Mapping[str, str]
) -> None:
    command = ("models", "label", "classifier", "stable", "3")
    _, said = dermserve(*command, env=here, status=1)
    assert "not the published model" in said
    assert not (model_dir / "classifier" / "labels.json").exists()
    dermserve(*command, "--no-check", env=here)
    _, said = dermserve("models", "verify", env=here, status=1)
    assert "not the published model" in said


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (tiny_models.classifier(labels='["nv", "mel"]'), "answers ('nv', 'mel') instead of"),
        (
            tiny_models.weighted_classifier(np.full((3, 7), np.nan, np.float32)),
            "answered something that is no number",
        ),
    ],
    ids=["contract", "run"],
)
def test_a_published_version_that_does_not_keep_its_promises_is_not_labelled_and_not_verified(
    model_dir: Path, here: Mapping[str, str], model: onnx.ModelProto, sentence: str
) -> None:
    tiny_models.publish(model, model_dir / "classifier" / "4")
    runner, command = CliRunner(env=here), ["label", "classifier", "stable", "4"]
    refused = runner.invoke(models.app, command)
    assert not (model_dir / "classifier" / "labels.json").exists()
    assert runner.invoke(models.app, [*command, "--no-check"]).exit_code == 0
    for said in (refused, runner.invoke(models.app, ["verify"])):
        assert said.exit_code == 1
        assert sentence in said.stderr


def test_every_labelled_version_is_verified(here: Mapping[str, str]) -> None:
    labels.write(Path(here[MODEL_DIR]) / "classifier", Labels(stable=1, shadow=2))
    said, _ = dermserve("models", "verify", env=here)
    assert [line.split()[:3] for line in said.splitlines()] == [
        ["segmenter", "1", "(stable)"],
        ["classifier", "1", "(stable)"],
        ["classifier", "2", "(shadow)"],
    ]
    assert said.count("is sound") == 3


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["classifier", "canary", "2"], 2, "a canary needs a --share"),
        (["classifier", "stable", "2", "--share", "0.1"], 2, "a canary needs a --share"),
        (["classifier", "stable"], 2, "name a version"),
        (["classifier", "canary", "2", "--clear"], 2, "name a version"),
        (["painter", "stable", "2"], 2, "painter is none of"),
        (["classifier", "stable", "--clear"], 1, "needs a stable version"),
        (["classifier", "canary", "2", "--share", "1.5"], 1, "less than 1"),
        (["classifier", "stable", "7"], 1, "cannot be read"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(
    here: Mapping[str, str], arguments: list[str], status: int, sentence: str
) -> None:
    labels.write(Path(here[MODEL_DIR]) / "classifier", Labels(stable=1))
    said = CliRunner(env=here).invoke(models.app, ["label", *arguments])
    assert said.exit_code == status
    assert sentence in " ".join(said.stderr.replace("│", "").split())


def test_a_running_service_follows_the_label(here: Mapping[str, str]) -> None:
    labels.write(Path(here[MODEL_DIR]) / "classifier", Labels(stable=1))
    variables = {**here, "DERMSERVE_INFERENCE_MODEL_POLL_S": "0.02"}
    with (
        watched.running(**variables) as running,
        grpc.insecure_channel(running.inference) as channel,
    ):
        inference = inference_pb2_grpc.InferenceServiceStub(channel)

        def stable() -> str:
            listed = inference.ListModels(pb.ListModelsRequest(), timeout=60).models
            (version,) = (
                model.version
                for model in listed
                if model.name == "classifier" and model.version_label == pb.VERSION_LABEL_STABLE
            )
            return version

        assert stable() == "1"
        dermserve("models", "label", "classifier", "stable", "2", env=here)
        while stable() != "2":
            pass
