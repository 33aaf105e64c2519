"""How a picture goes to each server and its answer comes back, in that server's own words."""

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import grpc
from grpc import aio

from benchmarks.peers.answers import Answer
from benchmarks.peers.connection import Connection
from services import rpc
from services.inference.analysis import LABELS
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc


class Outcome(StrEnum):
    """What became of a request."""

    RIGHT = "right"
    WRONG = "wrong"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: an answer, or the outcome that stands for one."""

    outcome: Outcome
    answer: Answer | None = None


class Wire(Protocol):
    """A client of one server."""

    async def ask(self, picture: bytes, deadline_s: float) -> Reply:
        """Send a picture and wait for its answer, no longer than the deadline."""
        ...

    async def close(self) -> None:
        """Hang up."""
        ...


@dataclass(frozen=True, slots=True)
class Words:
    """What a server wants to read and what it writes."""

    path: str
    content_type: str
    wrapped: Callable[[bytes], bytes]
    unwrapped: Callable[[Any], dict[str, Any]]


_BOUNDARY = "a-picture"


def _multipart(field: str) -> Words:
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="a.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    ).encode()
    tail = f"\r\n--{_BOUNDARY}--\r\n".encode()
    return Words(
        "/analyze",
        f"multipart/form-data; boundary={_BOUNDARY}",
        lambda picture: head + picture + tail,
        lambda answer: answer[0] if isinstance(answer, list) else answer,
    )


def _v2(picture: bytes) -> bytes:
    encoded = base64.b64encode(picture).decode()
    tensor = {"name": "image", "shape": [1], "datatype": "BYTES", "data": [encoded]}
    return json.dumps({"inputs": [tensor | {"parameters": {"content_type": "base64"}}]}).encode()


WORDS = {
    "raw": Words("/analyze", "image/jpeg", lambda picture: picture, lambda answer: answer),
    "multipart": _multipart("image"),
    "multipart, many": _multipart("images"),
    "mosec": Words("/inference", "image/jpeg", lambda picture: picture, lambda answer: answer),
    "base64": Words(
        "/predict",
        "application/json",
        lambda picture: json.dumps({"image": base64.b64encode(picture).decode()}).encode(),
        lambda answer: answer,
    ),
    "v2": Words(
        "/v2/models/analyzer/infer",
        "application/json",
        _v2,
        lambda answer: json.loads(answer["outputs"][0]["data"][0]),
    ),
}


_HTTP = {
    200: Outcome.RIGHT,
    408: Outcome.TIMED_OUT,
    429: Outcome.REFUSED,
    503: Outcome.REFUSED,
    504: Outcome.TIMED_OUT,
}

_GRPC = {
    grpc.StatusCode.RESOURCE_EXHAUSTED: Outcome.REFUSED,
    grpc.StatusCode.UNAVAILABLE: Outcome.REFUSED,
    grpc.StatusCode.DEADLINE_EXCEEDED: Outcome.TIMED_OUT,
}


class Http:
    """Kept connections, as many as there are requests at a time."""

    def __init__(self, port: int, words: Words) -> None:
        """Say where to and how."""
        self._port, self._words = port, words
        self._idle: list[Connection] = []

    async def ask(self, picture: bytes, deadline_s: float) -> Reply:
        """Send a picture; at the deadline the connection is closed, as impatient clients do."""
        connection = self._idle.pop() if self._idle else Connection("127.0.0.1", self._port)
        words = self._words
        try:
            async with asyncio.timeout(deadline_s):
                status, body = await connection.post(
                    words.path, words.content_type, words.wrapped(picture)
                )
        except TimeoutError:
            connection.close()
            return Reply(Outcome.TIMED_OUT)
        except (OSError, EOFError):
            connection.close()
            return Reply(Outcome.FAILED)
        self._idle.append(connection)
        outcome = _HTTP.get(status, Outcome.FAILED)
        if outcome is not Outcome.RIGHT:
            return Reply(outcome)
        return Reply(outcome, Answer.of_json(words.unwrapped(json.loads(body))))

    async def close(self) -> None:
        """Close what is kept."""
        for connection in self._idle:
            await connection.hang_up()


class Grpc:
    """One channel to dermserve's own service."""

    def __init__(self, port: int) -> None:
        """Open it."""
        options = [("grpc.max_receive_message_length", rpc.MAX_MESSAGE_BYTES)]
        self._channel = aio.insecure_channel(f"127.0.0.1:{port}", options=options)
        self._stub = inference_pb2_grpc.InferenceServiceStub(self._channel)

    async def ask(self, picture: bytes, deadline_s: float) -> Reply:
        """Send a picture with its deadline."""
        try:
            response = await self._stub.Analyze(
                pb.AnalyzeRequest(image=picture), timeout=deadline_s
            )
        except aio.AioRpcError as error:
            return Reply(_GRPC.get(error.code(), Outcome.FAILED))
        found = response.classification
        label = LABELS[found.label - 1] if found.label else ""
        probabilities = tuple(each.probability for each in found.probabilities)
        mask = response.segmentation.mask_png
        return Reply(Outcome.RIGHT, Answer(label, probabilities, mask))

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close()


def dialled(name: str, port: int) -> Wire:
    """Return a client: ``"grpc"`` or one of ``WORDS``."""
    return Grpc(port) if name == "grpc" else Http(port, WORDS[name])
