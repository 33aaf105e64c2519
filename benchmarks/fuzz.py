"""Whether messages that went wrong on the wire can hurt the inference service.

Valid messages of every method are changed by a seeded generator and sent as raw bytes over a
real channel to a real process. Each must be answered with a status that tells whose fault it
was; afterwards the service must live, answer right, and hold no more memory than before.

    python -m benchmarks.fuzz           writes benchmarks/results/fuzz.json and the tables
"""

import argparse
import asyncio
import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import grpc
from grpc import aio

from benchmarks import machine, tables
from benchmarks.footprint import Footprint
from benchmarks.mutation import mutated
from services import rpc
from services.inference.open_inference import servicer as open_inference
from services.inference.servicer import SERVICE
from services.inference.settings import Settings
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc, open_inference_pb2_grpc
from services.pb import open_inference_pb2 as oip
from tests import specimens
from tests.inference.processes import replica

RESULT = Path(__file__).parent / "results" / "fuzz.json"

CLEAN = {
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    # A wrong message may ask for an answer within a microsecond.
    grpc.StatusCode.DEADLINE_EXCEEDED,
}
"""What a wrong message may be answered with; anything else would be a fault of ours."""

_STREAMS = ("AnalyzeStream", "ModelStreamInfer")
_AT_ONCE = 8
_WARM_UP = 0.2
"""Share of the messages after which the service's memory counts as that of a warm one."""


def main() -> None:
    """Send, write the result, render the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    found = asyncio.run(fuzzed(arguments.messages, arguments.seed))
    result = {"machine": machine.described(machine.served()), "seed": arguments.seed, **found}
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    tables.render()
    print(json.dumps(result, indent=1))


async def fuzzed(messages: int, seed: int) -> dict[str, Any]:
    """Send so many messages to a process of its own and return what became of them."""
    with replica(Settings().model_dir, DERMSERVE_LOG_LEVEL="WARNING") as service:
        async with rpc.dial(service.address) as channel:
            await answers_right(channel)
            warm_up = round(messages * _WARM_UP)
            feed = Feed(seed, await valid_messages(channel))
            statuses = await sent(channel, feed, warm_up)
            before = Footprint.of(service.process.pid)
            statuses += await sent(channel, feed, messages - warm_up)
            after = Footprint.of(service.process.pid)
            await answers_right(channel)
    return {
        "messages": messages,
        "statuses": {
            method: {code: statuses[method, code] for code in sorted(codes_of(statuses, method))}
            for method in sorted({method for method, _ in statuses})
        },
        "unclean": sum(number for (_, code), number in statuses.items() if not is_clean(code)),
        "resident_mb": {"warm": before.resident_mb, "at the end": after.resident_mb},
        "open_files": {"warm": before.open_files, "at the end": after.open_files},
        "threads": {"warm": before.threads, "at the end": after.threads},
    }


def codes_of(statuses: Mapping[tuple[str, str], int], method: str) -> set[str]:
    """Return the statuses that a method's messages were answered with."""
    return {code for each, code in statuses if each == method}


def is_clean(code: str) -> bool:
    """Return whether a status says whose fault it was."""
    return code in {clean.name for clean in CLEAN}


class Feed:
    """Wrong messages without end, the same for the same seed."""

    def __init__(self, seed: int, valid: Mapping[str, Sequence[bytes]]) -> None:
        """Begin with a seed, and with valid messages by the path of their method."""
        self._rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self._valid = valid

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        paths = sorted(self._valid)
        while True:
            path = self._rng.choice(paths)
            yield path, mutated(self._rng, self._valid[path])


async def valid_messages(channel: aio.Channel) -> dict[str, list[bytes]]:
    """Return serialized messages by the path of the method that takes them."""
    return {**_typed(), **await _open_inference(channel)}


def _typed() -> dict[str, list[bytes]]:
    pictures = [
        specimens.lesion_jpeg((96, 72)),
        specimens.encoded(specimens.lesion((40, 30)), "PNG"),
    ]
    asked = [
        pb.AnalyzeRequest(
            image=picture, options=pb.AnalyzeOptions(omit_mask=True, priority=pb.PRIORITY_BULK)
        )
        for picture in pictures
    ]
    streamed = [pb.AnalyzeStreamRequest(id="caller's own", request=request) for request in asked]
    return {
        f"/{SERVICE}/Analyze": [request.SerializeToString() for request in asked],
        f"/{SERVICE}/AnalyzeStream": [request.SerializeToString() for request in streamed],
        f"/{SERVICE}/ListModels": [b"", asked[0].SerializeToString()],
    }


async def _open_inference(channel: aio.Channel) -> dict[str, list[bytes]]:
    """Ask the service for the shapes of its tensors, and fill them."""
    stub = open_inference_pb2_grpc.GRPCInferenceServiceStub(channel)
    asked = []
    for name in ("classifier", "segmenter"):
        said = await stub.ModelMetadata(
            oip.ModelMetadataRequest(name=name), wait_for_ready=True, timeout=60
        )
        asked += _tensors(said)
    by_name = oip.ModelMetadataRequest(name="classifier", version="2").SerializeToString()
    infer = [request.SerializeToString() for request in asked]
    methods = {"ModelInfer": infer, "ModelStreamInfer": infer, "ServerMetadata": [b"", by_name]}
    for method in ("ModelReady", "ModelMetadata", "ModelConfig", "ModelStatistics"):
        methods[method] = [by_name]
    return {f"/{open_inference.SERVICE}/{method}": valid for method, valid in methods.items()}


def _tensors(said: oip.ModelMetadataResponse) -> list[oip.ModelInferRequest]:
    """Build a raw request with everything that can be said, and a typed one."""
    (tensor,) = said.inputs
    shape = [1, *tensor.shape[1:]]
    sent = oip.ModelInferRequest.InferInputTensor(
        name=tensor.name, datatype=tensor.datatype, shape=shape
    )
    raw = oip.ModelInferRequest(
        model_name=said.name,
        model_version=said.versions[0],
        id="caller's own",
        inputs=[sent],
        outputs=[oip.ModelInferRequest.InferRequestedOutputTensor(name=said.outputs[0].name)],
        parameters={
            "priority": oip.InferParameter(int64_param=2),
            "timeout": oip.InferParameter(uint64_param=60_000_000),
        },
        raw_input_contents=[bytes(prod(shape))],
    )
    typed = oip.ModelInferRequest(model_name=said.name, inputs=[sent])
    typed.inputs[0].contents.uint_contents.extend(bytes(prod(shape)))
    return [raw, typed]


async def sent(channel: aio.Channel, feed: Feed, messages: int) -> Counter[tuple[str, str]]:
    """Send so many messages, a few at a time, and count the statuses by method."""
    statuses: Counter[tuple[str, str]] = Counter()
    supply = iter(feed)

    async def caller(share: int) -> None:
        for _ in range(share):
            path, message = next(supply)
            code = await status(channel, path, message)
            statuses[path.rpartition("/")[2], code.name] += 1

    shares = [messages // _AT_ONCE + (number < messages % _AT_ONCE) for number in range(_AT_ONCE)]
    await asyncio.gather(*map(caller, shares))
    return statuses


async def status(channel: aio.Channel, path: str, message: bytes) -> grpc.StatusCode:
    """Send one message as it is and return the status of its call."""
    try:
        if path.endswith(_STREAMS):
            stream: Any = channel.stream_stream(path)
            async for _ in stream(iter([message]), timeout=60):
                pass
        else:
            unary: Any = channel.unary_unary(path)
            await unary(message, timeout=60)
    except aio.AioRpcError as error:
        code: grpc.StatusCode = error.code()
        return code
    return grpc.StatusCode.OK


async def answers_right(channel: aio.Channel) -> None:
    """Ask something valid and look whether the answer belongs to it."""
    stub = inference_pb2_grpc.InferenceServiceStub(channel)
    request = pb.AnalyzeRequest(image=specimens.lesion_jpeg((123, 77)))
    answer = await stub.Analyze(request, wait_for_ready=True, timeout=60)
    assert (answer.image.width_px, answer.image.height_px) == (123, 77)


if __name__ == "__main__":
    main()
