"""The composition root: what this process owns, from top to bottom."""

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry

from services import rpc, telemetry
from services.inference import servicer as typed
from services.inference.ending import Ending
from services.inference.engine import engine
from services.inference.open_inference import servicer as open_inference
from services.inference.open_inference.catalog import Catalog
from services.inference.pipeline import Pipeline
from services.inference.settings import Settings
from services.inference.statuses import STATUSES
from services.inference.watch import HungError, Watch
from services.pb import inference_pb2_grpc, open_inference_pb2_grpc

if TYPE_CHECKING:  # OpenTelemetry is there only where traces are wanted
    from services.telemetry.traces import Traces

SERVICES = (typed.SERVICE, open_inference.SERVICE)

_log = telemetry.logger(__name__)


async def serve(settings: Settings, traces: "Traces | None" = None) -> None:
    """Serve until told to stop, then answer what was accepted.

    Args:
        settings: checked already.
        traces: where calls are recorded; None for nowhere.

    Raises:
        telemetry.ListenerError: a port cannot be listened on.
        ModelError: a model cannot be served.
        HungError: a run did not end, so that this process should be replaced.

    """
    told = asyncio.ensure_future(rpc.until_told_to_stop())
    await asyncio.sleep(0)  # whoever sees the metrics may tell it to stop, so it listens first
    registry = telemetry.new_registry()
    close_metrics = telemetry.serve_metrics(settings.host, settings.metrics_port, registry)
    watch = Watch(settings.hang_s)
    ending = Ending(watch)
    try:
        async with AsyncExitStack() as owned:
            entering = owned.enter_async_context(engine(settings, registry, watch))
            pipeline = await _unless_told(told, entering, ending)
            if pipeline is None:
                return
            server = server_of(pipeline, registry, traces, stream_width=settings.max_batch_size)
            port = await server.start(settings.host, settings.port, SERVICES, settings.certificates)
            await server.announce_ready()
            _log.info("inference is ready", host=settings.host, port=port)
            hung = await _until_the_end(told, watch)
            await (server.announce_defect() if hung else server.announce_end())
            _log.info("inference is leaving", hung=hung, lame_duck_s=settings.lame_duck_s)
            await asyncio.sleep(settings.lame_duck_s)
            await server.stop(settings.drain_s)
            _log.info("inference has drained")
            ending.begin(well=not hung)
        if hung:
            raise HungError(watch.limit_s)
    finally:
        close_metrics()
        ending.over()


async def _unless_told(
    told: asyncio.Future[None], entering: Awaitable[Pipeline], ending: Ending
) -> Pipeline | None:
    """Return what is entered; None if the process is told to stop before that."""
    loading = asyncio.ensure_future(entering)
    either: set[asyncio.Future[Any]] = {told, loading}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if loading.done():
        return loading.result()
    _log.info("inference is leaving before it was ready")
    ending.begin(well=True)
    loading.cancel()
    await asyncio.wait({loading})
    return None


async def _until_the_end(told: asyncio.Future[None], watch: Watch) -> bool:
    """Return when the process is told to stop, or hangs; and whether it hangs."""
    hung = asyncio.ensure_future(watch.until_hung())
    done, _ = await asyncio.wait({told, hung}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    hung.cancel()
    return hung in done


def server_of(
    pipeline: Pipeline,
    registry: CollectorRegistry,
    traces: "Traces | None" = None,
    *,
    stream_width: int,
) -> rpc.Server:
    """Put both protocols in front of a pipeline; the server does not listen yet."""
    server = rpc.Server(STATUSES, registry, "inference", traces)
    inference_pb2_grpc.add_InferenceServiceServicer_to_server(
        typed.InferenceServicer(pipeline, stream_width=stream_width), server.grpc
    )
    catalog = Catalog(
        (pipeline.segmenter, pipeline.classifier), pipeline.admission, pipeline.coming
    )
    open_inference_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(
        open_inference.OpenInferenceServicer(catalog, server, stream_width=stream_width),
        server.grpc,
    )
    return server
