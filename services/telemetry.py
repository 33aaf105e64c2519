"""What operators see of a process: JSON logs, request ids and a metrics listener.

No log line, metric or label carries a picture, a patient or a token.
"""

import logging
import sys
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, start_http_server

REQUEST_ID = "request_id"
"""The name under which a request's id stands in every log line of every room."""

_MAX_REQUEST_ID_LENGTH = 64


class ListenerError(Exception):
    """An address cannot be listened on, most often because the port is taken."""


def configure_logging(service: str, level: str = "INFO") -> None:
    """Send every log line of the process, also of libraries, to stderr as one JSON object.

    Args:
        service: the room's name, a field of every line.
        level: the least severe level that is written, for example ``"INFO"``. Libraries
            write nothing below ``"INFO"``.

    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        lambda _logger, _method, event: {"service": service, **event},
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # At DEBUG, libraries write what they are given: names of patients, hashes of passwords.
    root.setLevel(max(logging.INFO, logging.getLevelNamesMapping()[level]))
    logging.getLogger(__package__).setLevel(level)
    # Python's own warnings, which would go to stderr as plain lines.
    logging.captureWarnings(capture=True)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module; its lines carry the request id in force."""
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return bound


def enter_request(received: str | None) -> str:
    """Bind a request's id to this task and return it.

    The caller's id is kept when it is short, printable ASCII, so that a request can be
    followed across systems; anything else is replaced rather than written to a log.

    Args:
        received: the id that came with the request, or None.

    """
    request_id = received if received and _is_harmless(received) else uuid.uuid4().hex
    structlog.contextvars.bind_contextvars(**{REQUEST_ID: request_id})
    return request_id


def current_request_id() -> str | None:
    """Return the id of the request that this task serves, or None outside a request."""
    bound: Callable[[], dict[str, Any]] = structlog.contextvars.get_contextvars
    value = bound().get(REQUEST_ID)
    return value if isinstance(value, str) else None


def serve_metrics(host: str, port: int, registry: CollectorRegistry) -> Callable[[], None]:
    """Answer Prometheus scrapes on a port of their own, in a thread of their own.

    Returns:
        A function that closes the listener.

    Raises:
        ListenerError: the address cannot be listened on.

    """
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        message = f"cannot listen for metrics on {host}:{port}: {error.strerror}"
        raise ListenerError(message) from error

    def close() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return close


def _is_harmless(text: str) -> bool:
    return (
        len(text) <= _MAX_REQUEST_ID_LENGTH
        and text.isascii()
        and all(character.isalnum() or character in "-_.:" for character in text)
    )
