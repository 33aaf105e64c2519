"""What operators see of a process: JSON logs, request ids, metrics and traces.

No log line, metric, label or span carries a picture, a patient or a token.
"""

from services.telemetry.logs import configure_logging, logger
from services.telemetry.metrics import SECONDS, ListenerError, new_registry, serve_metrics
from services.telemetry.request_id import REQUEST_ID, current_request_id, enter_request
from services.telemetry.spans import current_span, enter_span, recorded_span
from services.telemetry.switch import tracing

__all__ = [
    "REQUEST_ID",
    "SECONDS",
    "ListenerError",
    "configure_logging",
    "current_request_id",
    "current_span",
    "enter_request",
    "enter_span",
    "logger",
    "new_registry",
    "recorded_span",
    "serve_metrics",
    "tracing",
]
