"""What callers ask of the inference service in a long run: most of it right, some of it wrong.

Each kind of request knows what it must be answered with, and raises ``Surprise`` otherwise.
"""

import asyncio
import math
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import numpy as np
from grpc import aio

from services.inference.servicer import SERVICE
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc, open_inference_pb2_grpc
from services.pb import open_inference_pb2 as oip
from tests import specimens

BAD_SHARE = 0.1
_STREAMED = 5
_PATIENCE_S = 120
_SAME = 1e-3
"""Batches of other sizes add up in another order."""

_INVALID = {grpc.StatusCode.INVALID_ARGUMENT}
_LATE = {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED}


class Surprise(Exception):  # noqa: N818 - it is what the run looks for, not a fault of its own
    """An answer that is not the one that must come."""


@dataclass(frozen=True, slots=True)
class Known:
    """A picture and what it was answered with at first.

    Attributes:
        encoded: the file.
        size: width and height in pixels.
        probabilities: of the seven labels, in the order of the wire; empty before it was asked.

    """

    encoded: bytes
    size: tuple[int, int]
    probabilities: tuple[float, ...] = ()


def pictures() -> list[Known]:
    """Draw pictures of several sizes and formats; no two have the same size."""
    small = [(560 + 4 * number, 420 + 3 * number) for number in range(20)]
    files = [(specimens.lesion_jpeg(size, seed), size) for seed, size in enumerate(small)]
    large = [(1600, 1200), (2400, 1800)]
    files += [(specimens.lesion_jpeg(size), size) for size in large]
    clear = specimens.lesion((800, 600)).convert("RGBA")
    files.append((specimens.encoded(clear, "PNG"), clear.size))
    return [Known(encoded, size) for encoded, size in files]


class Mixture:
    """Callers of a service, on one channel."""

    def __init__(self, channel: aio.Channel, known: Sequence[Known], seed: int) -> None:
        """Build from what is asked.

        Args:
            channel: to the service.
            known: pictures to ask about.
            seed: decides what is asked; the same seed asks the same.

        """
        self._channel: Any = channel
        self._stub = inference_pb2_grpc.InferenceServiceStub(channel)
        self._open = open_inference_pb2_grpc.GRPCInferenceServiceStub(channel)
        self._known = known
        self._rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self._good: Sequence[Callable[[], Awaitable[int]]] = (
            *[self._one] * 8,
            self._stream,
            self._models,
            self._tensor,
        )
        self._bad: Sequence[Callable[[], Awaitable[int]]] = (
            self._no_picture,
            self._cut_off,
            self._bomb,
            self._no_message,
            self._hopeless,
            self._leaver,
            self._half_a_stream,
            self._unknown_method,
            self._wrong_shape,
        )
        self._inferred: dict[int, bytes] = {}

    async def learn(self) -> list[Known]:
        """Ask about every picture once and return what came back with it."""
        learned = []
        for each in self._known:
            answer = await self._analyze(each.encoded)
            learned.append(Known(each.encoded, each.size, _probabilities(answer)))
        return learned

    async def ask(self) -> tuple[str, int]:
        """Ask something.

        Returns:
            What kind of request it was, and how many pictures or messages it had.

        Raises:
            Surprise: it was not answered as it must be.

        """
        kinds = self._bad if self._rng.random() < BAD_SHARE else self._good
        kind = self._rng.choice(kinds)
        return kind.__name__.strip("_").replace("_", " "), await kind()

    # What is right.

    async def _one(self) -> int:
        known = self._rng.choice(self._known)
        _compare(known, await self._analyze(known.encoded))
        return 1

    async def _stream(self) -> int:
        chosen = {str(number): self._rng.choice(self._known) for number in range(_STREAMED)}
        requests = [
            pb.AnalyzeStreamRequest(id=key, request=pb.AnalyzeRequest(image=known.encoded))
            for key, known in chosen.items()
        ]
        async for answer in self._stub.AnalyzeStream(iter(requests), timeout=_PATIENCE_S):
            if not answer.HasField("response"):
                raise Surprise(f"in a stream: {answer.error.message}")
            _compare(chosen.pop(answer.id), answer.response)
        if chosen:
            raise Surprise("a stream lost pictures")
        return _STREAMED

    async def _models(self) -> int:
        if not (await self._stub.ListModels(pb.ListModelsRequest(), timeout=_PATIENCE_S)).models:
            raise Surprise("no models are listed")
        return 1

    async def _tensor(self) -> int:
        shade = self._rng.randrange(256)
        answer = await self._infer(await self._input_of_one(shade))
        first = self._inferred.setdefault(shade, answer)
        then, now = np.frombuffer(first, "<f4"), np.frombuffer(answer, "<f4")
        if not np.allclose(now, then, rtol=0, atol=_SAME):
            raise Surprise("the same tensor was answered otherwise before")
        return 1

    # What is wrong.

    async def _no_picture(self) -> int:
        return await _refused(self._analyze(self._rng.randbytes(20_000)), _INVALID)

    async def _cut_off(self) -> int:
        file = self._rng.choice(self._known).encoded
        return await _refused(self._analyze(file[: len(file) // 2]), _INVALID)

    async def _bomb(self) -> int:
        return await _refused(self._analyze(specimens.png_header(60_000, 60_000)), _INVALID)

    async def _no_message(self) -> int:
        call = self._channel.unary_unary(f"/{SERVICE}/Analyze")
        return await _refused(call(b"\x0a\xff" * 50, timeout=_PATIENCE_S), _INVALID)

    async def _hopeless(self) -> int:
        file = self._rng.choice(self._known).encoded
        return await _refused(self._analyze(file, timeout_s=0.001), _LATE)

    async def _leaver(self) -> int:
        call = asyncio.ensure_future(self._analyze(self._rng.choice(self._known).encoded))
        await asyncio.wait({call}, timeout=self._rng.random() * 0.05)
        call.cancel()
        await asyncio.wait({call})
        return 1

    async def _half_a_stream(self) -> int:
        file = self._rng.choice(self._known).encoded

        async def never_ending() -> AsyncIterator[pb.AnalyzeStreamRequest]:
            while True:
                yield pb.AnalyzeStreamRequest(request=pb.AnalyzeRequest(image=file))

        call = self._stub.AnalyzeStream(never_ending(), timeout=_PATIENCE_S)
        await anext(aiter(call))
        call.cancel()
        return 1

    async def _unknown_method(self) -> int:
        call = self._channel.unary_unary(f"/{SERVICE}/Diagnose")
        return await _refused(call(b"", timeout=_PATIENCE_S), {grpc.StatusCode.UNIMPLEMENTED})

    async def _wrong_shape(self) -> int:
        request = await self._input_of_one(128)
        request.inputs[0].shape[:] = [1, 1, 1, 3]
        return await _refused(self._infer(request), _INVALID)

    async def _input_of_one(self, shade: int) -> oip.ModelInferRequest:
        """Return a request for the classifier with one gray picture, in its own shape."""
        asked = oip.ModelMetadataRequest(name="classifier")
        said = (await self._open.ModelMetadata(asked, timeout=_PATIENCE_S)).inputs[0]
        shape = [1, *said.shape[1:]]
        tensor = oip.ModelInferRequest.InferInputTensor(
            name=said.name, datatype=said.datatype, shape=shape
        )
        content = bytes([shade]) * math.prod(shape)
        return oip.ModelInferRequest(
            model_name="classifier", inputs=[tensor], raw_input_contents=[content]
        )

    async def _infer(self, request: oip.ModelInferRequest) -> bytes:
        answer = await self._open.ModelInfer(request, timeout=_PATIENCE_S)
        names = [output.name for output in answer.outputs]
        probabilities: bytes = answer.raw_output_contents[names.index("probabilities")]
        return probabilities

    async def _analyze(self, file: bytes, timeout_s: float = _PATIENCE_S) -> pb.AnalyzeResponse:
        return await self._stub.Analyze(pb.AnalyzeRequest(image=file), timeout=timeout_s)


def _probabilities(answer: pb.AnalyzeResponse) -> tuple[float, ...]:
    return tuple(each.probability for each in answer.classification.probabilities)


def _compare(known: Known, answer: pb.AnalyzeResponse) -> None:
    if (answer.image.width_px, answer.image.height_px) != known.size:
        raise Surprise("the answer is about another picture")
    probabilities = _probabilities(answer)
    if len(probabilities) != len(known.probabilities) or not np.allclose(
        probabilities, known.probabilities, rtol=0, atol=_SAME
    ):
        raise Surprise(f"{probabilities} where it was {known.probabilities}")


async def _refused(call: Awaitable[object], with_one_of: set[grpc.StatusCode]) -> int:
    try:
        await call
    except aio.AioRpcError as error:
        if error.code() in with_one_of:
            return 1
        raise
    raise Surprise("answered what must be refused")
