"""Dialling several replicas of a room as one."""

from __future__ import annotations  # gRPC's classes are generic for type checkers only

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from prometheus_client import CollectorRegistry

from services import rpc
from services.pb import inference_pb2_grpc as inference
from services.pb.inference_pb2 import AnalyzeRequest
from tests.ports import free_port
from tests.rpc.service import (
    PATIENCE_S,
    SERVICE,
    STATUSES,
    FullError,
    Servicer,
    counted,
    failing,
    refusal,
)

LARGE = AnalyzeRequest(image=bytes(17 * 1024 * 1024))


class Replica:
    """One of the servers behind a channel."""

    def __init__(self) -> None:
        self.servicer = Servicer()
        self.registry = CollectorRegistry()
        self.server = rpc.Server(STATUSES, self.registry, room="test")
        inference.add_InferenceServiceServicer_to_server(self.servicer, self.server.grpc)

    async def start(self) -> str:
        return f"127.0.0.1:{await self.server.start('127.0.0.1', 0, [SERVICE])}"

    def answered(self, code: str = "OK") -> float:
        return counted(self.registry, code) or 0


@pytest.fixture
async def replicas() -> AsyncIterator[tuple[Replica, Replica]]:
    both = Replica(), Replica()
    yield both
    for each in both:
        await each.server.stop(grace_s=0)


@pytest.fixture
async def stub(
    replicas: tuple[Replica, Replica],
) -> AsyncIterator[inference.InferenceServiceAsyncStub]:
    """Both replicas, neither of which has said that it is ready."""
    addresses = [await each.start() for each in replicas]
    async with rpc.dial("ipv4:" + ",".join(addresses)) as channel:
        yield inference.InferenceServiceStub(channel)


async def until_both_answer(
    stub: inference.InferenceServiceAsyncStub, replicas: tuple[Replica, Replica]
) -> None:
    for each in replicas:
        await each.server.announce_ready()
    async with asyncio.timeout(PATIENCE_S):
        while not all(each.answered() for each in replicas):
            await stub.Analyze(AnalyzeRequest(), wait_for_ready=True)


async def test_calls_go_to_whoever_says_that_it_is_ready(
    stub: inference.InferenceServiceAsyncStub, replicas: tuple[Replica, Replica]
) -> None:
    one, other = replicas
    await one.server.announce_ready()
    for _ in range(10):
        await stub.Analyze(AnalyzeRequest(), timeout=PATIENCE_S, wait_for_ready=True)
    assert (one.answered(), other.answered()) == (10, 0)


async def test_who_says_that_it_leaves_is_not_asked_any_more_although_it_would_answer(
    stub: inference.InferenceServiceAsyncStub, replicas: tuple[Replica, Replica]
) -> None:
    await until_both_answer(stub, replicas)
    leaving, staying = replicas
    await leaving.server.announce_end()
    async with asyncio.timeout(PATIENCE_S):
        in_a_row = 0
        while in_a_row < 10:  # it takes a moment until the news is heard
            before = staying.answered()
            await stub.Analyze(AnalyzeRequest())
            in_a_row = in_a_row + 1 if staying.answered() > before else 0


async def test_what_a_server_turns_away_as_it_leaves_is_answered_by_another_however_large(
    stub: inference.InferenceServiceAsyncStub, replicas: tuple[Replica, Replica]
) -> None:
    await until_both_answer(stub, replicas)
    leaving, _ = replicas
    leaving.servicer.asked, leaving.servicer.act = 0, failing(rpc.ClosingError())
    for _ in range(4):
        assert (await stub.Analyze(LARGE, timeout=PATIENCE_S)).notice
    assert leaving.servicer.asked >= 2


async def test_a_refusal_for_any_other_reason_is_the_callers_to_hear(
    stub: inference.InferenceServiceAsyncStub, replicas: tuple[Replica, Replica]
) -> None:
    await until_both_answer(stub, replicas)
    for each in replicas:
        each.servicer.asked, each.servicer.act = 0, failing(FullError("full"))
    assert (await refusal(stub)).code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert sum(each.servicer.asked for each in replicas) == 1


async def test_no_call_is_tried_more_than_three_times(
    stub: inference.InferenceServiceAsyncStub, replicas: tuple[Replica, Replica]
) -> None:
    await until_both_answer(stub, replicas)
    for each in replicas:
        each.servicer.asked, each.servicer.act = 0, failing(rpc.ClosingError())
    refused = await refusal(stub)
    assert refused.code() is grpc.StatusCode.UNAVAILABLE
    assert rpc.reason_in(refused.trailing_metadata()) == "draining"
    assert sum(each.servicer.asked for each in replicas) == 3


async def test_a_room_where_nobody_is_costs_a_moment_and_not_the_whole_deadline() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with rpc.dial(f"127.0.0.1:{free_port()}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await inference.InferenceServiceStub(channel).Analyze(AnalyzeRequest(), timeout=60)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert loop.time() - began < 30
