"""NVIDIA's own client for the protocol, unmodified, in a process of its own.

It registers the protocol's messages under their own names, as the service does; one Python
process can hold them only once.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import queue
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Tensor = npt.NDArray[Any]

Fields = dict[str, tuple[int, int, bool]]
"""A message's fields by name: number, type, whether repeated."""


class ServerSaidError(Exception):
    """What the client raised: the status by name and the server's sentence."""

    def __init__(self, status: str, sentence: str) -> None:
        super().__init__(status, sentence)
        self.status = status
        self.sentence = sentence


@dataclass(frozen=True)
class Answer:
    """What the client made of an answer."""

    outputs: Mapping[str, Tensor]
    model_version: str
    request_id: str
    parameters: Mapping[str, object]


@dataclass(frozen=True)
class Ask:
    """One request; ``datatype`` and ``name`` are there to be wrong."""

    model: str
    rows: Tensor
    name: str = "image"
    datatype: str = "UINT8"
    outputs: Sequence[str] = ()
    classes: int = 0
    request_id: str = ""
    options: Mapping[str, Any] | None = None


class Client:
    """Asks the server at an address from another process."""

    def __init__(self, pool: ProcessPoolExecutor, address: str) -> None:
        self._pool = pool
        self._address = address

    async def infer(self, ask: Ask) -> Answer:
        answer: Answer = await self._run(_infer, ask)
        return answer

    async def stream(self, asks: Iterable[Ask]) -> dict[str, Answer | str]:
        """Send all over one call; answers, or sentences of errors, by request id."""
        found: dict[str, Answer | str] = await self._run(_stream, list(asks))
        return found

    async def say(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Call a method of the client that returns a truth value or JSON."""
        return await self._run(_say, method, arguments, options)

    async def messages(self) -> dict[str, Fields]:
        """Return the fields of the messages that the client knows."""
        known: dict[str, Fields] = await self._run(_messages)
        return known

    async def _run(self, function: Any, *arguments: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, function, self._address, *arguments)


@contextmanager
def process() -> Iterator[ProcessPoolExecutor]:
    """Start a process for clients."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield pool


# What runs over there.


@contextmanager
def _client(address: str) -> Iterator[Any]:
    import tritonclient.grpc as grpcclient  # noqa: PLC0415 - only in the client's own process

    try:
        with grpcclient.InferenceServerClient(address) as client:
            yield client
    except grpcclient.InferenceServerException as error:
        raise ServerSaidError(str(error.status()), str(error.message())) from None


def _infer(address: str, ask: Ask) -> Answer:
    with _client(address) as client:
        return _read(client.infer(**_arguments(ask)))


def _stream(address: str, asks: list[Ask]) -> dict[str, Answer | str]:
    answers: queue.Queue[tuple[Any, Any]] = queue.Queue()
    with _client(address) as client:
        client.start_stream(lambda result, error: answers.put((result, error)))
        for ask in asks:
            client.async_stream_infer(**_arguments(ask))
        found: dict[str, Answer | str] = {}
        for _ in asks:
            result, error = answers.get(timeout=60)
            if error is None:
                answer = _read(result)
                found[answer.request_id] = answer
            else:
                found["failed"] = str(error)
        client.stop_stream()
        return found


def _say(address: str, method: str, arguments: Sequence[Any], options: Mapping[str, Any]) -> Any:
    with _client(address) as client:
        return getattr(client, method)(*arguments, **options)


def _messages(_: str) -> dict[str, Fields]:
    from tritonclient.grpc import model_config_pb2, service_pb2  # noqa: PLC0415 - as above

    return {
        message.full_name: {
            field.name: (field.number, field.type, field.is_repeated) for field in message.fields
        }
        for file in (model_config_pb2.DESCRIPTOR, service_pb2.DESCRIPTOR)
        for top in file.message_types_by_name.values()
        for message in (top, *top.nested_types)
    }


def _arguments(ask: Ask) -> dict[str, Any]:
    import tritonclient.grpc as grpcclient  # noqa: PLC0415 - as above

    sent = grpcclient.InferInput(ask.name, list(ask.rows.shape), ask.datatype)
    sent.set_data_from_numpy(np.ascontiguousarray(ask.rows))
    outputs = [
        grpcclient.InferRequestedOutput(name, class_count=ask.classes) for name in ask.outputs
    ]
    return {
        "model_name": ask.model,
        "inputs": [sent],
        "outputs": outputs or None,
        "request_id": ask.request_id,
        **(ask.options or {}),
    }


def _read(result: Any) -> Answer:
    response = result.get_response()
    return Answer(
        outputs={output.name: result.as_numpy(output.name) for output in response.outputs},
        model_version=response.model_version,
        request_id=response.id,
        parameters={
            name: getattr(value, value.WhichOneof("parameter_choice"))
            for name, value in response.parameters.items()
        },
    )
