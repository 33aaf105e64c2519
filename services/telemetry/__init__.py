"""What operators see of a process: JSON logs, request ids and metrics.

No log line, metric or label carries a picture, a patient or a token.
"""

from services.telemetry.logs import configure_logging, logger
from services.telemetry.metrics import SECONDS, ListenerError, new_registry, serve_metrics
from services.telemetry.request_id import REQUEST_ID, current_request_id, enter_request

__all__ = [
    "REQUEST_ID",
    "SECONDS",
    "ListenerError",
    "configure_logging",
    "current_request_id",
    "enter_request",
    "logger",
    "new_registry",
    "serve_metrics",
]
