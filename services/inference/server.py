"""The composition root: what this process owns, from top to bottom."""

import asyncio
import faulthandler
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from services import rpc, telemetry
from services.inference import servicer as typed
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

_LAST_S = 5
"""Seconds that everything may take to close once the last call is answered."""


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
    registry = telemetry.new_registry()
    close_metrics = telemetry.serve_metrics(settings.host, settings.metrics_port, registry)
    watch = Watch(settings.hang_s)
    try:
        async with engine(settings, registry, watch) as pipeline:
            server = server_of(pipeline, registry, traces, stream_width=settings.max_batch_size)
            port = await server.start(settings.host, settings.port, SERVICES)
            await server.announce_ready()
            _log.info("inference is ready", host=settings.host, port=port)
            hung = await _until_the_end(watch)
            await (server.announce_defect() if hung else server.announce_end())
            _log.info("inference is leaving", hung=hung, lame_duck_s=settings.lame_duck_s)
            await asyncio.sleep(settings.lame_duck_s)
            await server.stop(settings.drain_s)
            _log.info("inference has drained")
            # A thread that hangs can be joined by nobody: then this ends the process, with
            # status 1, and says where each thread was.
            faulthandler.dump_traceback_later(_LAST_S, exit=True)
        if hung:
            raise HungError(watch.limit_s)
    finally:
        close_metrics()
        faulthandler.cancel_dump_traceback_later()


async def _until_the_end(watch: Watch) -> bool:
    """Return when the process is told to stop, or hangs; and whether it hangs."""
    told = asyncio.ensure_future(rpc.until_told_to_stop())
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
    catalog = Catalog((pipeline.segmenter, pipeline.classifier), pipeline.admission)
    open_inference_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(
        open_inference.OpenInferenceServicer(catalog, server, stream_width=stream_width),
        server.grpc,
    )
    return server
