"""The services behind the gateway, scripted: real gRPC servers that answer what a test wants."""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc import aio
from PIL import Image
from prometheus_client import CollectorRegistry

from services import rpc
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc, reports_pb2, reports_pb2_grpc
from tests import specimens

PROBABILITIES = {
    pb.LABEL_AKIEC: 0.01,
    pb.LABEL_BCC: 0.0,
    pb.LABEL_BKL: 0.03,
    pb.LABEL_DF: 0.0,
    pb.LABEL_MEL: 0.05,
    pb.LABEL_NV: 0.9,
    pb.LABEL_VASC: 0.01,
}
MODELS = [
    pb.ModelInfo(
        name="segmenter",
        version="3",
        sha256="a" * 64,
        execution_provider="CPUExecutionProvider",
        precision="fp32",
    ),
    pb.ModelInfo(
        name="classifier",
        version="5",
        sha256="b" * 64,
        execution_provider="OpenVINO",
        precision="int8",
        variant_of="c" * 64,
    ),
]

LISTED = [
    pb.ModelInfo(
        name="classifier",
        version="5",
        sha256="b" * 64,
        execution_provider="CPUExecutionProvider",
        metrics={"balanced_accuracy": 0.75},
        intervals={"balanced_accuracy": pb.Interval(low=0.5, high=0.875)},
        evaluated_on="test",
        labels=["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"],
        version_label=pb.VERSION_LABEL_STABLE,
        version_state=pb.VERSION_STATE_SERVING,
        traffic_share=1,
    ),
    pb.ModelInfo(
        name="classifier",
        version="6",
        sha256="c" * 64,
        version_label=pb.VERSION_LABEL_SHADOW,
        version_state=pb.VERSION_STATE_SERVING,
    ),
]


def gray_png(size: tuple[int, int], value: int) -> bytes:
    """A mask or explanation: one bright quarter of the width and height."""
    picture = Image.new("L", size, 0)
    picture.paste(value, (size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2))
    return specimens.encoded(picture, "PNG")


def assessed(size: tuple[int, int] = specimens.SIZE) -> pb.AnalyzeResponse:
    """An answer about a picture that could be judged."""
    return pb.AnalyzeResponse(
        outcome=pb.OUTCOME_ASSESSED,
        image=pb.ImageInfo(width_px=size[0], height_px=size[1], format="jpeg"),
        classification=pb.Classification(
            label=pb.LABEL_NV,
            probabilities=[
                pb.LabelProbability(label=label, probability=probability)
                for label, probability in PROBABILITIES.items()
            ],
            malignant_probability=0.06,
            suspicious=False,
            suspicious_threshold=0.3,
            explanation_png=gray_png(size, 200),
        ),
        segmentation=pb.Segmentation(
            mask_png=gray_png(size, 255),
            area_fraction=0.0625,
            bounding_box=pb.BoundingBox(x_px=150, y_px=112, width_px=150, height_px=113),
            asymmetry=0.1,
            border_irregularity=0.2,
            color_variegation=0.3,
        ),
        quality=pb.Quality(acceptable=True),
        models=MODELS,
        timings=pb.Timings(queue_ms=0.5, run_ms=31.0, total_ms=45.25),
        notice="Research and decision support only. Not a diagnosis.",
    )


def cannot_assess(*reasons: pb.Reason) -> pb.AnalyzeResponse:
    """An answer about a picture that must not be judged."""
    return pb.AnalyzeResponse(
        outcome=pb.OUTCOME_CANNOT_ASSESS,
        quality=pb.Quality(acceptable=False, reasons=reasons or [pb.REASON_BLURRED]),
        models=MODELS[:1],
        timings=pb.Timings(total_ms=3.0),
        notice="Research and decision support only. Not a diagnosis.",
    )


class Scripted:
    """Answers with ``answer``, or fails with ``failure``, or waits until told to go on.

    ``left`` is set when a caller leaves meanwhile.
    """

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.failure: tuple[grpc.StatusCode, str] | None = None
        self.pushback_ms: int | None = None
        self.reason: str | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.left = asyncio.Event()
        self._arrival = asyncio.Condition()
        self.requests: list[Any] = []
        self.metadata: list[dict[str, Any]] = []
        self.remaining_s: list[float | None] = []

    async def arrived(self, count: int = 1) -> None:
        """Return when so many requests have come."""
        async with self._arrival:
            await self._arrival.wait_for(lambda: len(self.requests) >= count)

    async def respond(self, request: Any, context: aio.ServicerContext[Any, Any]) -> Any:
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata() or ()))
        self.remaining_s.append(context.time_remaining())
        async with self._arrival:
            self._arrival.notify_all()
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.left.set()
            raise
        if self.failure is not None:
            said = {rpc.PUSHBACK_TRAILER: self.pushback_ms, rpc.REASON_TRAILER: self.reason}
            trailers = tuple((key, str(value)) for key, value in said.items() if value is not None)
            await context.abort(*self.failure, trailers)
        return self.answer


class ScriptedInference(Scripted, inference_pb2_grpc.InferenceServiceServicer):
    """Inference that a test writes the lines for."""

    def __init__(self) -> None:
        super().__init__(assessed())
        self.listed = LISTED
        self.pending: list[pb.ModelPending] = []

    async def Analyze(  # noqa: N802 - its name on the wire
        self, request: pb.AnalyzeRequest, context: Any
    ) -> pb.AnalyzeResponse:
        answer: pb.AnalyzeResponse = await self.respond(request, context)
        return answer

    def AnalyzeStream(self, request_iterator: Any, context: Any) -> Any:  # noqa: N802
        raise NotImplementedError

    async def ListModels(  # noqa: N802 - its name on the wire
        self, request: pb.ListModelsRequest, context: Any
    ) -> pb.ListModelsResponse:
        await self.respond(request, context)
        return pb.ListModelsResponse(models=self.listed, pending=self.pending)


class ScriptedReports(Scripted, reports_pb2_grpc.ReportServiceServicer):
    """Reports that a test writes the lines for."""

    def __init__(self) -> None:
        super().__init__(reports_pb2.RenderResponse(pdf=b"%PDF-1.7 scripted", page_count=1))

    async def Render(  # noqa: N802 - its name on the wire
        self, request: reports_pb2.RenderRequest, context: Any
    ) -> reports_pb2.RenderResponse:
        answer: reports_pb2.RenderResponse = await self.respond(request, context)
        return answer


@contextlib.asynccontextmanager
async def serving(servicer: Scripted, port: int = 0) -> AsyncIterator[str]:
    """Serve a scripted service on a real socket; yields its address."""
    server = rpc.Server({}, CollectorRegistry(), "scripted")
    if isinstance(servicer, ScriptedInference):
        inference_pb2_grpc.add_InferenceServiceServicer_to_server(servicer, server.grpc)
    elif isinstance(servicer, ScriptedReports):
        reports_pb2_grpc.add_ReportServiceServicer_to_server(servicer, server.grpc)
    bound = await server.start("127.0.0.1", port, [])
    await server.announce_ready()
    try:
        yield f"127.0.0.1:{bound}"
    finally:
        servicer.may_answer.set()
        await server.stop(0)


def opened(encoded: bytes) -> Image.Image:
    """Decode a picture that the gateway gave out."""
    picture = Image.open(io.BytesIO(encoded))
    picture.load()
    return picture
