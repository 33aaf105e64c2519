import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import onnx
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import CollectorRegistry

from services import rpc
from services.inference.settings import Settings
from services.inference.watch import Watch
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc
from tests import specimens, tiny_models
from tests.inference.conftest import serving
from tests.inference.processes import replica

HEALTHY = pb.AnalyzeRequest(image=specimens.lesion_jpeg())
POISONED = pb.AnalyzeRequest(image=specimens.encoded(specimens.bluish(specimens.lesion()), "PNG"))
"""The models of these tests cannot bear a picture that is more blue than red."""


def models(folder: Path, classifier: onnx.ModelProto) -> Path:
    tiny_models.write_models(folder)
    tiny_models.publish(classifier, folder / "classifier" / "1")
    return folder


async def test_work_that_does_not_end_is_noticed_and_forgotten_once_it_does() -> None:
    watch = Watch(limit_s=0.05)
    release = threading.Event()
    with ThreadPoolExecutor(2) as threads:
        watched = watch.over(threads)
        assert watched.submit(sum, [1, 2]).result() == 3
        hanging = watched.submit(release.wait)
        async with asyncio.timeout(60):
            await watch.until_hung()
        assert watch.hung == 1
        release.set()
        assert hanging.result(timeout=60)
    assert watch.hung == 0


async def test_work_that_ends_in_time_is_never_taken_to_hang() -> None:
    watch = Watch(limit_s=0.02)
    with ThreadPoolExecutor(1) as threads:
        watched = watch.over(threads)
        looking = asyncio.create_task(watch.until_hung())
        for _ in range(20):
            release = threading.Event()
            work = watched.submit(release.wait)
            while not any(run.looks > 2 for run in watch._running.copy()):  # noqa: ASYNC110
                await asyncio.sleep(0)
            release.set()
            assert work.result(timeout=60)  # and nobody looks meanwhile
        assert not looking.done()
        looking.cancel()


async def test_work_that_fails_is_not_watched_any_more() -> None:
    watch = Watch(limit_s=0.05)
    with ThreadPoolExecutor(1) as threads:
        failing = watch.over(threads).submit(int, "no number")
        assert isinstance(failing.exception(timeout=60), ValueError)
    assert not watch._running


@pytest.mark.usefixtures("logged")
async def test_a_picture_on_which_the_runtime_fails_is_our_fault_and_the_next_is_answered(
    tmp_path: Path, registry: CollectorRegistry
) -> None:
    folder = models(tmp_path, tiny_models.failing_classifier())
    settings = Settings(model_dir=folder, runners=2, max_batch_size=1)
    async with serving(settings, registry) as channel:
        stub = inference_pb2_grpc.InferenceServiceStub(channel)
        for _ in range(6):
            poisoned, *others = await asyncio.gather(
                stub.Analyze(POISONED),
                *(stub.Analyze(HEALTHY) for _ in range(4)),
                return_exceptions=True,
            )
            assert isinstance(poisoned, aio.AioRpcError)
            assert poisoned.code() is grpc.StatusCode.INTERNAL
            assert all(isinstance(other, pb.AnalyzeResponse) for other in others)


async def test_a_run_that_hangs_leaves_the_others_running_and_has_the_process_replaced(
    tmp_path: Path,
) -> None:
    folder = models(tmp_path, tiny_models.endless_classifier())
    settings = {"RUNNERS": "2", "MAX_BATCH_SIZE": "1", "HANG_S": "8", "DRAIN_S": "2"}
    variables = {f"DERMSERVE_INFERENCE_{name}": value for name, value in settings.items()}
    with replica(folder, **variables) as service:
        async with rpc.dial(service.address) as channel:
            stub = inference_pb2_grpc.InferenceServiceStub(channel)
            await stub.Analyze(HEALTHY, timeout=60, wait_for_ready=True)
            asked = health_pb2.HealthCheckRequest(service=rpc.LIVENESS)
            news = health_pb2_grpc.HealthStub(channel).Watch(asked)
            heard = [(await anext(aiter(news))).status]
            hanging = asyncio.ensure_future(stub.Analyze(POISONED))
            for _ in range(5):
                assert (await stub.Analyze(HEALTHY, timeout=60)).notice
            heard += [each.status async for each in news]
            with pytest.raises(aio.AioRpcError):
                await hanging
        statuses = health_pb2.HealthCheckResponse
        assert heard == [statuses.SERVING, statuses.NOT_SERVING]
        assert await asyncio.to_thread(service.process.wait, 60) == 1
    assert "onnx_model.py" in service.process.said()
