"""Log lines: one JSON object each, on stderr."""

import logging
import sys

import structlog

_ROOT = "services"


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
    # Loggers are not kept at first use: a room that runs inside another process configures anew.
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
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
    logging.getLogger(_ROOT).setLevel(level)
    # Python's own warnings, which would go to stderr as plain lines.
    logging.captureWarnings(capture=True)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module; its lines carry the request id in force."""
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return bound
