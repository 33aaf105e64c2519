"""Whether traces are wanted: off, unless the standard variables name a collector.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from services.telemetry.logs import logger

if TYPE_CHECKING:  # OpenTelemetry is there only where traces are wanted
    from services.telemetry.traces import Traces

_COLLECTORS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SPOKEN = "http/protobuf"

_log = logger(__name__)


@contextmanager
def tracing(service: str) -> Iterator[Traces | None]:
    """Send traces while the block lasts, if the environment names a collector; else None.

    Where it names one and traces cannot be sent, a warning says why and the service goes
    without: nobody should lack an answer because nobody can watch how it was made.

    Args:
        service: what the process is called in them.

    """
    opened = _opened(service) if _wanted() else None
    try:
        yield opened
    finally:
        if opened is not None:
            opened.close()


def _wanted() -> bool:
    return (
        _first(_COLLECTORS) is not None
        and os.environ.get("OTEL_SDK_DISABLED", "").lower() != "true"
        and os.environ.get("OTEL_TRACES_EXPORTER", "otlp") != "none"
    )


def _opened(service: str) -> Traces | None:
    protocol = _first(_PROTOCOLS)
    if protocol not in {None, _SPOKEN}:
        _log.warning(f"no traces are sent: set OTEL_EXPORTER_OTLP_PROTOCOL to {_SPOKEN}")
        return None
    try:
        from services.telemetry.traces import Traces  # noqa: PLC0415 - an extra, rarely there
    except ImportError:
        _log.warning("no traces are sent: the extra named traces is not installed")
        return None
    try:
        opened = Traces(service)
    except Exception as error:  # noqa: BLE001 - the SDK has no class of its own for bad variables
        _log.warning("no traces are sent: an OTEL_* variable is wrong", why=str(error))
        return None
    _log.info("traces are sent")
    return opened


def _first(names: tuple[str, ...]) -> str | None:
    return next((value for name in names if (value := os.environ.get(name))), None)
