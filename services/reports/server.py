"""The composition root: everything that the report process owns, built here and ended here."""

from contextlib import ExitStack

from services import rpc, telemetry
from services.pb import reports_pb2_grpc
from services.reports import fonts, servicer
from services.reports.metrics import Metrics
from services.reports.renderers import Renderers
from services.reports.settings import Settings

_PIXELS_IN_A_MEGAPIXEL = 1_000_000
_BYTES_IN_A_MIB = 1024 * 1024

_log = telemetry.logger(__name__)


async def serve(settings: Settings) -> None:
    """Serve reports until SIGTERM or SIGINT, then let running calls finish.

    Raises:
        telemetry.ListenerError: a port is taken.

    """
    with ExitStack() as owned:
        telemetry.configure_logging("reports", settings.log_level)
        registry = telemetry.new_registry()
        owned.callback(telemetry.serve_metrics(settings.host, settings.metrics_port, registry))

        fonts.register(fonts.paths(settings.fonts))
        metrics = Metrics(registry)
        renderers = Renderers(
            settings.max_concurrent_renders,
            settings.max_waiting,
            settings.max_held_mib * _BYTES_IN_A_MIB,
        )
        owned.callback(renderers.close)
        metrics.watch(lambda: renderers.waiting, lambda: renderers.held_bytes)

        traces = owned.enter_context(telemetry.tracing("reports"))
        server = rpc.Server(servicer.STATUSES, registry, "reports", traces)
        max_pixels = round(settings.max_image_megapixels * _PIXELS_IN_A_MEGAPIXEL)
        reports_pb2_grpc.add_ReportServiceServicer_to_server(
            servicer.ReportServicer(renderers, metrics, max_pixels), server.grpc
        )
        port = await server.start(
            settings.host, settings.port, [servicer.SERVICE], settings.certificates
        )
        await server.announce_ready()
        _log.info("served", host=settings.host, port=port)

        await rpc.until_told_to_stop()
        _log.info("draining", grace_s=settings.drain_s)
        await server.stop(settings.drain_s)
        _log.info("stopped")
