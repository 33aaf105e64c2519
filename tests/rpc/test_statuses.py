"""What errors become on the wire."""

from __future__ import annotations  # gRPC's classes are generic for type checkers only

from typing import Any

import grpc
import pytest
import structlog
from grpc import aio
from prometheus_client import CollectorRegistry

from services import rpc
from services.pb import inference_pb2_grpc as inference
from services.pb.inference_pb2 import AnalyzeStreamRequest
from services.rpc import statuses
from tests.rpc.service import (
    SERVICE,
    STATUSES,
    FullError,
    Servicer,
    VeryWrongError,
    WrongError,
    counted,
    failing,
    refusal,
    until_counted,
)


@pytest.mark.parametrize("error", [WrongError("look here"), VeryWrongError("look here")])
async def test_a_domain_error_becomes_the_status_of_its_nearest_ancestor(
    stub: inference.InferenceServiceAsyncStub, servicer: Servicer, error: Exception
) -> None:
    servicer.act = failing(error)
    answer = await refusal(stub)
    assert answer.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert answer.details() == "look here"


def test_the_nearest_ancestor_wins() -> None:
    statuses = {**STATUSES, VeryWrongError: grpc.StatusCode.DATA_LOSS}
    assert rpc.status_of(VeryWrongError(), statuses) is grpc.StatusCode.DATA_LOSS
    assert rpc.status_of(WrongError(), statuses) is grpc.StatusCode.INVALID_ARGUMENT
    assert rpc.status_of(KeyError(), statuses) is None


async def test_an_error_that_knows_when_to_come_back_says_so_in_a_trailer(
    stub: inference.InferenceServiceAsyncStub, servicer: Servicer
) -> None:
    servicer.act = failing(FullError("full"))
    answer = await refusal(stub)
    assert answer.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert dict(answer.trailing_metadata())[rpc.PUSHBACK_TRAILER] == "1500"


async def test_an_error_says_what_it_is_in_a_word_for_machines_if_it_has_one(
    stub: inference.InferenceServiceAsyncStub, servicer: Servicer
) -> None:
    for error, word in ((FullError("full"), "full"), (WrongError("look here"), None)):
        servicer.act = failing(error)
        assert rpc.reason_in((await refusal(stub)).trailing_metadata()) == word


@pytest.mark.parametrize("method", ["Analyze", "AnalyzeStream"])
async def test_bytes_that_are_no_message_are_the_callers_fault(
    channel: aio.Channel, method: str, registry: CollectorRegistry
) -> None:
    path, broken = f"/{SERVICE}/{method}", b"\x0a\xff"
    unary: Any = channel.unary_unary(path)
    stream: Any = channel.stream_stream(path)
    call = unary(broken) if method == "Analyze" else stream(iter([broken]))
    assert await call.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "cannot be read" in await call.details()
    await until_counted(registry, "INVALID_ARGUMENT", method)
    assert counted(registry, "INVALID_ARGUMENT", method) == 1


async def test_an_unknown_error_is_told_in_constant_words_and_logged_whole(
    stub: inference.InferenceServiceAsyncStub,
    servicer: Servicer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A logger that was used before keeps what it was configured with then.
    monkeypatch.setattr(statuses, "_log", structlog.get_logger())
    servicer.act = failing(KeyError("secret"))
    with structlog.testing.capture_logs() as log:
        answer = await refusal(stub)
    assert answer.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in str(answer.details())
    (line,) = [line for line in log if line["event"] == "call failed"]
    assert isinstance(line["exc_info"], KeyError)


async def test_a_stream_ends_with_the_status_of_its_error(
    stub: inference.InferenceServiceAsyncStub, servicer: Servicer, registry: CollectorRegistry
) -> None:
    call = stub.AnalyzeStream(iter([AnalyzeStreamRequest(id="1")]))
    assert [answer.id async for answer in call] == ["1"]
    servicer.act = failing(WrongError("look here"))
    with pytest.raises(aio.AioRpcError) as caught:
        [_ async for _ in stub.AnalyzeStream(iter([AnalyzeStreamRequest()]))]
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    await until_counted(registry, "INVALID_ARGUMENT", "AnalyzeStream")
    assert counted(registry, "OK", "AnalyzeStream") == 1
    assert counted(registry, "INVALID_ARGUMENT", "AnalyzeStream") == 1
