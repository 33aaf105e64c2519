"""Health as a balancer sees it, of a process from its first moment to its last."""

import asyncio
import signal
from pathlib import Path

import psutil
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc
from tests import specimens, tiny_models
from tests.inference.processes import Replica, replica

PATIENCE_S = 60
LOOK_S = 0.2
WARMING_S = 1
"""Processor seconds in a thread that loads: a model that can be warmed takes a hundredth."""

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def impatient(service: Replica) -> aio.Channel:
    """Dial a process so that nothing is tried twice, and it is found soon after it listens."""
    options = [
        ("grpc.enable_retries", 0),
        ("grpc.enable_http_proxy", 0),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 100),
    ]
    return aio.insecure_channel(service.address, options=options)


async def test_a_service_that_is_told_to_stop_says_so_first_and_still_answers_whoever_asks(
    model_dir: Path,
) -> None:
    request = pb.AnalyzeRequest(image=specimens.lesion_jpeg((300, 200)))
    with replica(model_dir, DERMSERVE_INFERENCE_LAME_DUCK_S="5") as service:
        async with impatient(service) as channel, asyncio.timeout(PATIENCE_S):
            analyze = inference_pb2_grpc.InferenceServiceStub(channel).Analyze
            watch = health_pb2_grpc.HealthStub(channel).Watch(
                health_pb2.HealthCheckRequest(), wait_for_ready=True
            )
            while (await watch.read()).status != SERVING:
                pass
            before = [asyncio.ensure_future(analyze(request)) for _ in range(4)]
            service.process.send_signal(signal.SIGTERM)
            assert (await watch.read()).status == NOT_SERVING
            answers = await asyncio.gather(*before, *(analyze(request) for _ in range(4)))
        assert all(each.notice for each in answers)
        assert await asyncio.to_thread(service.process.wait, PATIENCE_S) == 0


async def test_a_service_is_not_ready_as_long_as_a_model_is_being_warmed(tmp_path: Path) -> None:
    tiny_models.write_models(tmp_path)
    # It opens, and answers the one picture that it is tried out with; only warming never ends.
    endless = tiny_models.endless_classifier("several")
    tiny_models.publish(endless, tmp_path / "classifier" / "1")
    with replica(tmp_path, DERMSERVE_INFERENCE_RUNNERS="1") as service:
        async with impatient(service) as channel, asyncio.timeout(PATIENCE_S):
            while worked_s(service) < WARMING_S:
                assert not await is_ready(channel)


def worked_s(service: Replica) -> float:
    """Return the processor seconds of the thread that did most, beside the process's first."""
    threads = psutil.Process(service.process.pid).threads()
    return max((each.user_time for each in threads if each.id != service.process.pid), default=0)


async def is_ready(channel: aio.Channel) -> bool:
    """Whether a process says that calls are welcome; one that does not listen says nothing."""
    check = health_pb2_grpc.HealthStub(channel).Check
    try:
        found = await check(health_pb2.HealthCheckRequest(), timeout=LOOK_S, wait_for_ready=True)
    except aio.AioRpcError:
        return False
    return bool(found.status == SERVING)
