"""Two replicas are replaced one after the other while clients go on asking."""

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from grpc import aio

from services.inference.settings import Settings
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc
from tests import specimens
from tests.deploy.images import CHECKOUT
from tests.inference.processes import Replica, replica

EVERY_S = 0.05
MOST = 32
"""Calls that are not answered yet: less than one replica has places for."""
DOCUMENTED = re.search(
    r"```json\n(.*?)```", (CHECKOUT / "deploy" / "README.md").read_text(), re.DOTALL
)


def balanced(*replicas: Replica) -> aio.Channel:
    """Dial replicas as the documentation tells clients to."""
    assert DOCUMENTED
    options = [
        ("grpc.service_config", json.dumps(json.loads(DOCUMENTED[1]))),
        ("grpc.enable_http_proxy", 0),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 200),
    ]
    return aio.insecure_channel(
        "ipv4:" + ",".join(each.address for each in replicas), options=options
    )


@dataclass
class Load:
    """What was asked, and how often nothing was because a slow machine was far behind."""

    asked: list[asyncio.Future[object]] = field(default_factory=list)
    left_out: int = 0


@asynccontextmanager
async def constant_load(channel: aio.Channel) -> AsyncIterator[Load]:
    """Ask at a constant rate until the block ends."""
    stub = inference_pb2_grpc.InferenceServiceStub(channel)
    request = pb.AnalyzeRequest(image=specimens.lesion_jpeg((300, 200)))
    load = Load()

    async def ask() -> None:
        while True:
            if sum(not each.done() for each in load.asked) < MOST:
                load.asked.append(asyncio.ensure_future(stub.Analyze(request, timeout=60)))
            else:
                load.left_out += 1
            await asyncio.sleep(EVERY_S)

    asking = asyncio.create_task(ask())
    yield load
    asking.cancel()
    await asyncio.wait(load.asked)


async def test_no_call_fails_while_both_replicas_are_restarted(model_dir: Path) -> None:
    shipped = Settings.model_fields["lame_duck_s"].default
    variables = {"DERMSERVE_INFERENCE_LAME_DUCK_S": str(shipped)}
    with replica(model_dir, **variables) as one, replica(model_dir, **variables) as other:
        async with balanced(one, other) as channel:
            stub = inference_pb2_grpc.InferenceServiceStub(channel)
            await stub.ListModels(pb.ListModelsRequest(), wait_for_ready=True, timeout=60)
            async with constant_load(channel) as load:
                for each in (one, other):
                    await one.until_it_answers()
                    await other.until_it_answers()
                    each.process.send_signal(signal.SIGTERM)
                    assert await asyncio.to_thread(each.process.wait, 60) == 0
                    each.start_again()
                await other.until_it_answers()
    failed = [call.exception() for call in load.asked if call.exception()]
    assert not failed
    assert len(load.asked) > 100
    assert load.left_out < len(load.asked)
