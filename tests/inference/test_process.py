"""The service as operators meet it: a process with variables, ports and signals."""

import asyncio
import resource
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import psutil
import pytest
from grpc import aio
from PIL import Image

from services import rpc
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc
from tests import specimens, tiny_models
from tests.inference.processes import Replica, replica, start


def refusal(model_dir: Path, **variables: str) -> str:
    """Start a process that must not start, and return what it says."""
    process = start(model_dir, **variables)
    assert process.wait(timeout=120) == 2
    said = process.said()
    assert "Traceback" not in said
    return said


@pytest.fixture
def served(model_dir: Path) -> Iterator[Replica]:
    with replica(model_dir) as running:
        yield running


async def test_work_in_hand_is_answered_after_sigterm_and_the_process_ends_well(
    model_dir: Path,
) -> None:
    with replica(model_dir, DERMSERVE_INFERENCE_DRAIN_S="120") as served:
        async with rpc.dial(served.address) as channel:
            stub = inference_pb2_grpc.InferenceServiceStub(channel)
            request = pb.AnalyzeRequest(image=specimens.lesion_jpeg((2400, 1800)))
            await stub.Analyze(request, timeout=60, wait_for_ready=True)
            asked: list[asyncio.Future[pb.AnalyzeResponse]] = []
            while all(each.done() for each in asked):  # this process may have been held up
                asked += [
                    asyncio.ensure_future(stub.Analyze(request, timeout=120)) for _ in range(24)
                ]
                while await taken(served) < 1 + len(asked):  # noqa: ASYNC110 - the same
                    await asyncio.sleep(0.01)
            assert not all(each.done() for each in asked)
            served.process.send_signal(signal.SIGTERM)
            answers = await asyncio.gather(*asked)
        assert all(each.notice for each in answers)
        assert served.process.wait(timeout=60) == 0
        async with httpx.AsyncClient(trust_env=False) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get(served.metrics_address)


async def taken(service: Replica) -> float:
    """Return how many pictures have come to a service, answered or in work."""
    return await service.answered() + await service.shown("inference_pictures_in_work")


async def test_a_service_that_is_told_to_stop_before_it_is_ready_ends_well(tmp_path: Path) -> None:
    tiny_models.write_models(tmp_path)
    tiny_models.publish(tiny_models.endless_classifier("any"), tmp_path / "classifier" / "1")
    with replica(tmp_path, DERMSERVE_INFERENCE_RUNNERS="1") as service:
        async with httpx.AsyncClient(trust_env=False) as client:
            while not await is_up(client, service):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        service.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(service.process.wait, 60) == 0


async def test_a_version_that_is_being_loaded_does_not_keep_a_service_from_ending_well(
    tmp_path: Path,
) -> None:
    tiny_models.write_models(tmp_path)
    variables = {"DERMSERVE_INFERENCE_RUNNERS": "1", "DERMSERVE_INFERENCE_MODEL_POLL_S": "0.1"}
    loading = pb.VERSION_STATE_LOADING
    with replica(tmp_path, **variables) as service:
        async with rpc.dial(service.address) as channel:
            stub = inference_pb2_grpc.InferenceServiceStub(channel)
            listed = await stub.ListModels(pb.ListModelsRequest(), timeout=60, wait_for_ready=True)
            assert not listed.pending
            endless = tiny_models.endless_classifier("any")
            tiny_models.publish(endless, tmp_path / "classifier" / "2")
            while not any(each.version_state == loading for each in listed.pending):
                listed = await stub.ListModels(pb.ListModelsRequest(), timeout=60)
        service.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(service.process.wait, 60) == 0


async def is_up(client: httpx.AsyncClient, service: Replica) -> bool:
    """Whether a process has begun to load; its metrics are there from then on."""
    try:
        return (await client.get(service.metrics_address)).is_success
    except httpx.TransportError:
        return False


async def test_a_picture_for_which_memory_is_short_is_refused_and_the_next_is_answered(
    served: Replica,
) -> None:
    large = specimens.encoded(Image.new("RGB", (8000, 7500), "brown"), "PNG")
    small = pb.AnalyzeRequest(image=specimens.lesion_jpeg((300, 200)))
    async with rpc.dial(served.address) as channel:
        stub = inference_pb2_grpc.InferenceServiceStub(channel)
        for _ in range(3):
            await stub.Analyze(small, timeout=60, wait_for_ready=True)
        now = psutil.Process(served.process.pid).memory_info().vms
        resource.prlimit(served.process.pid, resource.RLIMIT_AS, (now + 2**26, -1))
        with pytest.raises(aio.AioRpcError) as refused:
            await stub.Analyze(pb.AnalyzeRequest(image=large), timeout=60)
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert rpc.reason_in(refused.value.trailing_metadata()) == "memory"
        assert (await stub.Analyze(small, timeout=60)).notice


async def test_metrics_are_scraped_on_a_port_of_their_own(
    served: Replica,
) -> None:
    async with rpc.dial(served.address) as channel:
        await channel.channel_ready()
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        text = (await client.get(served.metrics_address)).text
    assert 'inference_model_info{execution_provider="CPUExecutionProvider"' in text
    assert "process_resident_memory_bytes" in text


def test_missing_weights_are_named(tmp_path: Path) -> None:
    assert "no version of the" in refusal(tmp_path)


def test_weights_with_a_wrong_hash_are_refused(tmp_path: Path) -> None:
    tiny_models.write_models(tmp_path)
    (tmp_path / "classifier" / "1" / "SHA256SUMS").write_text(f"{'0' * 64}  model.onnx\n")
    assert "is not the published model" in refusal(tmp_path)


@pytest.mark.parametrize(
    "variable", ["DERMSERVE_INFERENCE_PORT", "DERMSERVE_INFERENCE_METRICS_PORT"]
)
def test_a_taken_port_is_named(model_dir: Path, variable: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"127.0.0.1:{port}" in refusal(model_dir, **{variable: port})


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("DERMSERVE_INFERENCE_PROT", "8500", "did you mean DERMSERVE_INFERENCE_PORT"),
        ("DERMSERVE_INFERENCE_MAX_BATCH_SIZE", "0", "DERMSERVE_INFERENCE_MAX_BATCH_SIZE: "),
        ("DERMSERVE_LOG_LEVEL", "LOUD", "DERMSERVE_LOG_LEVEL: "),
        ("DERMSERVE_INFERENCE_EXECUTION_PROVIDER", "cuda", "set the provider to auto"),
    ],
)
def test_a_wrong_setting_is_named(
    model_dir: Path, variable: str, value: str, sentence: str
) -> None:
    assert sentence in refusal(model_dir, **{variable: value})
