"""The Open Inference Protocol, asked by NVIDIA's client over a real socket."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from prometheus_client import CollectorRegistry

from services import rpc
from services.inference import labels
from services.inference.labels import Canary, Labels
from services.inference.settings import Settings
from services.pb import open_inference_pb2 as pb
from tests import tiny_models
from tests.inference import triton
from tests.inference.conftest import listening
from tests.inference.triton import Ask, Client, ServerSaidError
from tests.tiny_models import pictures


def by_onnx_runtime(model_dir: Path, model: str, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Return what the file answers row by row, without a service."""
    session = ort.InferenceSession(model_dir / model / "1" / "model.onnx")
    names = [output.name for output in session.get_outputs()]
    answers = [session.run(names, {"image": row[None]}) for row in rows]
    return {
        name: np.concatenate(parts)
        for name, parts in zip(names, zip(*answers, strict=True), strict=True)
    }


@pytest.mark.parametrize("model", ["classifier", "segmenter"])
async def test_a_row_is_answered_as_the_file_answers_it_to_the_bit(
    client: Client, model_dir: Path, model: str
) -> None:
    rows = pictures(1)
    answer = await client.infer(Ask(model, rows, request_id="seven"))
    expected = by_onnx_runtime(model_dir, model, rows)
    assert answer.outputs.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(answer.outputs[name], value, strict=True)
    assert (answer.model_version, answer.request_id) == ("1", "seven")


async def test_every_row_of_a_batch_gets_its_own_answer_in_order(
    client: Client, model_dir: Path
) -> None:
    rows = pictures(8)
    answer = await client.infer(Ask("segmenter", rows))
    expected = by_onnx_runtime(model_dir, "segmenter", rows)["mask"]
    np.testing.assert_array_equal(answer.outputs["mask"], expected, strict=True)


async def test_only_the_outputs_that_are_asked_for_come_in_that_order(client: Client) -> None:
    answer = await client.infer(
        Ask("classifier", pictures(2), outputs=["explanation", "probabilities"])
    )
    assert list(answer.outputs) == ["explanation", "probabilities"]
    answer = await client.infer(Ask("classifier", pictures(2), outputs=["probabilities"]))
    assert list(answer.outputs) == ["probabilities"]


async def test_an_answer_says_what_made_it_and_that_it_is_no_diagnosis(
    client: Client, model_dir: Path
) -> None:
    said = (await client.infer(Ask("classifier", pictures(1)))).parameters
    assert str(said["sha256"]) in (model_dir / "classifier" / "1" / "SHA256SUMS").read_text()
    assert said["execution_provider"] == "CPUExecutionProvider"
    assert (said["precision"], said["variant_of"]) == ("fp32", "")
    assert said["notice"] == "Research and decision support only. Not a diagnosis."


async def test_an_answer_by_a_variant_names_it_and_the_model_that_it_stands_in_for(
    pool: ProcessPoolExecutor, tmp_path: Path
) -> None:
    tiny_models.write_models(tmp_path)
    for name, variant in (
        ("segmenter", tiny_models.segmenter()),
        ("classifier", tiny_models.classifier()),
    ):
        tiny_models.publish_variant(variant, tmp_path / name / "1", "int8")
    settings = Settings(model_dir=tmp_path, precision="int8")
    async with listening(settings, CollectorRegistry()) as (_, address):
        said = (await Client(pool, address).infer(Ask("classifier", pictures(1)))).parameters
    published = (tmp_path / "classifier" / "1" / "SHA256SUMS").read_text().splitlines()
    assert said["precision"] == "int8"
    assert published == [f"{said['variant_of']}  model.onnx", f"{said['sha256']}  model.int8.onnx"]


async def test_the_metadata_say_how_to_ask(client: Client) -> None:
    said = await client.say("get_model_metadata", "classifier", as_json=True)
    assert said["versions"] == ["1"]
    (image,) = said["inputs"]
    assert image == {"name": "image", "datatype": "UINT8", "shape": ["-1", "64", "64", "3"]}
    assert said["outputs"][0] == {
        "name": "probabilities",
        "datatype": "FP32",
        "shape": ["-1", "7"],
    }


async def test_the_configuration_is_that_of_the_service(client: Client) -> None:
    config = (await client.say("get_model_config", "segmenter", as_json=True))["config"]
    assert config["max_batch_size"] == 8
    assert config["input"] == [
        {"name": "image", "data_type": "TYPE_UINT8", "dims": ["64", "64", "3"]}
    ]
    assert config["instance_group"] == [{"name": "runners", "count": 2, "kind": "KIND_CPU"}]
    assert config["dynamic_batching"]["priority_levels"] == "2"
    assert config["parameters"]["name"] == {"string_value": "segmenter"}


async def test_the_server_says_its_name_and_which_extensions_it_speaks(client: Client) -> None:
    said = await client.say("get_server_metadata", as_json=True)
    assert said["name"] == "dermserve"
    assert said["extensions"] == ["model_configuration", "schedule_policy", "statistics"]


async def test_ready_are_the_models_that_answer_until_the_service_leaves(
    client: Client, listened: tuple[rpc.Server, str]
) -> None:
    assert await client.say("is_server_live")
    assert await client.say("is_server_ready")
    assert await client.say("is_model_ready", "classifier")
    assert await client.say("is_model_ready", "classifier", "1")
    assert not await client.say("is_model_ready", "classifier", "2")
    assert not await client.say("is_model_ready", "oracle")
    assert not await client.say("is_model_ready", "")
    await listened[0].announce_end()
    assert await client.say("is_server_live")
    assert not await client.say("is_server_ready")
    assert not await client.say("is_model_ready", "classifier")


async def test_a_stream_answers_every_request_and_one_error_ends_none_of_the_others(
    client: Client,
) -> None:
    asks = [Ask("classifier", pictures(1, seed), request_id=str(seed)) for seed in range(12)]
    asks[5] = Ask("classifier", pictures(9), request_id="5")
    found = await client.stream(asks)
    assert "1 to 8 rows" in str(found.pop("failed"))
    assert found.keys() == {str(seed) for seed in range(12) if seed != 5}
    for seed, answer in found.items():
        alone = await client.infer(Ask("classifier", pictures(1, int(seed))))
        assert isinstance(answer, triton.Answer)
        np.testing.assert_array_equal(
            answer.outputs["probabilities"], alone.outputs["probabilities"]
        )


async def test_the_statistics_count_requests_rows_and_batches(client: Client) -> None:
    for rows in (1, 3):
        await client.infer(Ask("classifier", pictures(rows)))
    with pytest.raises(ServerSaidError):
        await client.infer(Ask("classifier", pictures(1), options={"timeout": 1}))
    (said,) = (await client.say("get_inference_statistics", "classifier", as_json=True))[
        "model_stats"
    ]
    assert said["inference_count"] == "4"
    assert said["inference_stats"]["success"]["count"] == "2"
    batches = {int(each["batch_size"]): each for each in said["batch_stats"]}
    ran = {size: int(each["compute_infer"]["count"]) for size, each in batches.items()}
    assert sum(size * count for size, count in ran.items()) == 4
    assert int(said["execution_count"]) == sum(ran.values())
    parts = said["inference_stats"]
    spent = int(parts["queue"]["ns"]) + int(parts["compute_infer"]["ns"])
    assert 0 < spent <= int(parts["success"]["ns"])
    every = (await client.say("get_inference_statistics", as_json=True))["model_stats"]
    assert [each["name"] for each in every] == ["segmenter", "classifier"]


async def test_a_clients_deadline_is_the_requests(client: Client) -> None:
    ask = Ask("classifier", pictures(1), options={"client_timeout": 1e-4})
    with pytest.raises(ServerSaidError) as late:
        await client.infer(ask)
    # Which of the two comes first, the client's clock or the service's refusal, is chance.
    assert late.value.status in {"StatusCode.DEADLINE_EXCEEDED", "StatusCode.RESOURCE_EXHAUSTED"}


async def test_a_version_answers_by_its_number_or_its_label_and_a_shadow_never(
    pool: ProcessPoolExecutor, tmp_path: Path
) -> None:
    tiny_models.write_models(tmp_path)
    for number in ("2", "3"):
        tiny_models.publish(tiny_models.another_classifier(), tmp_path / "classifier" / number)
    wanted = Labels(stable=1, canary=Canary(version=2, share=0.5), shadow=3)
    labels.write(tmp_path / "classifier", wanted)
    async with listening(Settings(model_dir=tmp_path), CollectorRegistry()) as (_, address):
        client = Client(pool, address)

        async def answers(version: str, seed: int = 1) -> str:
            options = {"model_version": version}
            ask = Ask("classifier", pictures(1, seed), options=options)
            return (await client.infer(ask)).model_version

        asked = ("1", "stable", "2", "canary")
        assert [await answers(version) for version in asked] == ["1", "1", "2", "2"]
        assert {await answers("", seed) for seed in range(24)} == {"1", "2"}
        assert len({await answers("", seed=7) for _ in range(4)}) == 1
        said = await client.say("get_model_metadata", "classifier", as_json=True)
        assert said["versions"] == ["1", "2"]
        for version in ("3", "shadow"):
            assert not await client.say("is_model_ready", "classifier", version)
            with pytest.raises(ServerSaidError, match="was asked for"):
                await answers(version)


async def test_a_canary_that_takes_other_tensors_answers_nobody_who_has_not_named_it(
    pool: ProcessPoolExecutor, tmp_path: Path
) -> None:
    tiny_models.write_models(tmp_path)
    tiny_models.publish(tiny_models.another_classifier(size=96), tmp_path / "classifier" / "2")
    wanted = Labels(stable=1, canary=Canary(version=2, share=0.9))
    labels.write(tmp_path / "classifier", wanted)
    async with listening(Settings(model_dir=tmp_path), CollectorRegistry()) as (_, address):
        client = Client(pool, address)
        answers = [await client.infer(Ask("classifier", pictures(1, seed))) for seed in range(8)]
        assert {answer.model_version for answer in answers} == {"1"}
        larger = np.zeros((1, 96, 96, 3), np.uint8)
        named = Ask("classifier", larger, options={"model_version": "canary"})
        assert (await client.infer(named)).model_version == "2"


async def test_every_field_of_the_contract_is_one_that_the_client_knows(client: Client) -> None:
    known = await client.messages()
    ours = {
        message.full_name: {
            field.name: (field.number, field.type, field.is_repeated) for field in message.fields
        }
        for top in pb.DESCRIPTOR.message_types_by_name.values()
        for message in (top, *top.nested_types)
    }
    for message, fields in ours.items():
        assert fields.items() <= known[message].items(), message
