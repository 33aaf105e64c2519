"""What the suite sends as a secret, and where it must never turn up: logs and audit rows."""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import structlog

SECRET_FIELDS = frozenset(
    {
        "access_token",
        "birth_date",
        "code",
        "client_secret",
        "current_password",
        "file_name",
        "identifier",
        "key",
        "logout_token",
        "name",
        "new_password",
        "note",
        "otpauth_uri",
        "password",
        "patient_id",
        "patient_name",
        "recovery_codes",
        "refresh_token",
        "secret",
        "ticket",
    }
)
"""Fields of requests and answers whose values are for nobody else."""

PROCESSORS: tuple[structlog.typing.Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.format_exc_info,
    structlog.processors.JSONRenderer(),
)
"""What makes a log line as in production."""

_SHORTEST = 6


@dataclass(eq=False)
class Watch:
    """Remembers the secrets of a test, and all that was written down meanwhile.

    Attributes:
        secrets: what must not be found.
        written: log lines and audit rows.

    """

    secrets: set[str] = field(default_factory=set)
    written: list[str] = field(default_factory=list)

    def plant(self, *values: object) -> None:
        """Take values for secrets; those that may well be parts of other words are left out."""
        self.secrets.update(
            value for value in values if isinstance(value, str) and len(value) >= _SHORTEST
        )

    def plant_all(self, fields: object) -> None:
        """Take the secrets among the fields of a body."""
        if isinstance(fields, Mapping):
            for name, value in fields.items():
                if name in SECRET_FIELDS:
                    self.plant(*value if isinstance(value, list) else (value,))
                self.plant_all(value)
        elif isinstance(fields, list):
            for value in fields:
                self.plant_all(value)

    def see(self, options: Mapping[str, Any], answer: httpx.Response) -> None:
        """Take the secrets of a request and of its answer."""
        self.plant(answer.request.headers.get("Authorization", "").removeprefix("Bearer "))
        self.plant(*answer.cookies.values())
        self.plant_all(options.get("json"))
        self.plant_all(options.get("data"))
        if answer.content and answer.headers.get("Content-Type") == "application/json":
            self.plant_all(answer.json())

    def write(self, text: str) -> None:
        """Hear what is written down."""
        self.written.append(text)

    def flush(self) -> None:
        """Have nothing to do: a file that is written to has this too."""

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear what libraries log at the level at which a gateway writes it."""
        root, listener = logging.getLogger(), Listener(self)
        level = root.level
        root.addHandler(listener)
        root.setLevel(logging.INFO)
        try:
            yield
        finally:
            root.setLevel(level)
            root.removeHandler(listener)

    def captured(self) -> AbstractContextManager[list[structlog.typing.EventDict]]:
        """Capture log lines for a test, and hear them all the same."""
        return structlog.testing.capture_logs(processors=[self._hear])

    def _hear(
        self, logger: object, method: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        line: Any = dict(event)
        for process in PROCESSORS:
            line = process(logger, method, line)
        self.write(line)
        return event

    def leaks(self) -> Iterator[tuple[str, str]]:
        """Find secrets in what was written down; each with the line that has it."""
        everything = "\n".join(self.written)
        # A search for each word by itself takes a fraction of that for all of them at once.
        present = {
            form: secret for secret in self.secrets for form in _forms(secret) if form in everything
        }
        if present:
            words = "|".join(map(re.escape, sorted(present, key=len, reverse=True)))
            # Six digits behind the point of a moment are its microseconds, and no code.
            found = re.compile(rf"(?<![A-Za-z0-9])(?<!:\d\d\.)(?:{words})(?![A-Za-z0-9])")
            for line in self.written:
                for match in found.finditer(line):
                    yield present[match.group()], line

    def clear(self) -> None:
        """Begin anew."""
        self.secrets.clear()
        self.written.clear()


def _forms(secret: str) -> set[str]:
    """Return how it is written: as it is, in JSON and in addresses."""
    return {secret, json.dumps(secret)[1:-1], quote(secret), quote(secret, ""), quote_plus(secret)}


class Listener(logging.Handler):
    """Hears what libraries log."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        """Hear a line, but for what the HTTP clients of tests say of addresses they ask."""
        if record.name != "httpx":
            self._watch.write(self.format(record))


WATCH = Watch()
"""The one of this suite."""
