"""The composition root: what this process owns, from top to bottom."""

import asyncio

from services import rpc, telemetry
from services.inference.engine import engine
from services.inference.servicer import SERVICE, STATUSES, InferenceServicer
from services.inference.settings import Settings
from services.pb import inference_pb2_grpc

_log = telemetry.logger(__name__)


async def serve(settings: Settings) -> None:
    """Serve until told to stop, then answer what was accepted.

    Raises:
        telemetry.ListenerError: a port cannot be listened on.
        ModelError: a model cannot be served.

    """
    registry = telemetry.new_registry()
    close_metrics = telemetry.serve_metrics(settings.host, settings.metrics_port, registry)
    try:
        async with engine(settings, registry) as pipeline:
            server = rpc.Server(STATUSES, registry, "inference")
            servicer = InferenceServicer(pipeline, stream_width=settings.max_batch_size)
            inference_pb2_grpc.add_InferenceServiceServicer_to_server(servicer, server.grpc)
            port = await server.start(settings.host, settings.port, [SERVICE])
            await server.announce_ready()
            _log.info("inference is ready", host=settings.host, port=port)
            await rpc.until_told_to_stop()
            await server.announce_end()
            _log.info("inference is leaving", lame_duck_s=settings.lame_duck_s)
            await asyncio.sleep(settings.lame_duck_s)
            await server.stop(settings.drain_s)
            _log.info("inference has drained")
    finally:
        close_metrics()
