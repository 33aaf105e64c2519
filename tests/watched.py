"""Services as real processes: all that they write is searched in the end for what nobody may read.

Whoever talks to them, a browser or a command, leaves the patients in their database and the keys
in their folder. What was invented on the way, such as tokens, is known by its shape.
"""

import contextlib
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests import stack
from tests.gateway import databases
from tests.gateway.leaks import Watch
from tests.stack import Stack

_OF_PEOPLE = {
    "patients": ("identifier", "name", "birth_date"),
    "lesions": ("note",),
    "analyses": ("patient_id", "patient_name", "note", "file_name"),
    "assessments": ("reason",),
    "api_keys": ("name",),
}
"""Columns of what was said of people, and of what is theirs."""

_ASKED = [
    # As text, for PostgreSQL gives dates back as such.
    f"SELECT {', '.join(f'CAST({name} AS TEXT)' for name in columns)} FROM {table}"  # noqa: S608 - names of ours
    for table, columns in _OF_PEOPLE.items()
]

_SETTING = re.compile(r"^DERMSERVE_\w*(PASSWORD|SECRET|API_KEY)")
_KEY = re.compile(r"^(?!-----).{40,}$", re.MULTILINE)
"""A line of a file that is a key."""

_INVENTED = re.compile(
    r"(?<![\w.-])(?:eyJ[\w-]{10,}\.[\w-]+\.[\w-]+|(?:dsk|whsec)_[\w+/=]{40,}|[\w-]{43})(?![\w.-])"
)
"""An access token, a key, and 256 random bits: a session, a refresh token, a ticket, a code."""


@dataclass(eq=False)
class Search(Watch):
    """A watch over what processes write that were told secrets by others."""

    def know(self, data_dir: Path, settings: Mapping[str, str]) -> None:
        """Take the secrets of settings, and those that a gateway keeps in its folder."""
        self.plant(stack.PASSWORD)
        self.plant(*(value for name, value in settings.items() if _SETTING.search(name)))
        for path in data_dir.glob("**/*key*"):
            if path.is_file():
                self.plant(*_KEY.findall(path.read_text()))
        address = settings.get("DERMSERVE_GATEWAY_DATABASE_URL")
        rows = (
            _in_file(data_dir / "gateway.db")
            if address is None
            else databases.rows(address, _ASKED)
        )
        for row in rows:
            self.plant(*row)

    def leaks(self) -> Iterator[tuple[str, str]]:
        """Find what is known for a secret, and what looks like one."""
        yield from super().leaks()
        for line in self.written:
            for match in _INVENTED.finditer(line):
                yield match.group(), line

    @contextlib.contextmanager
    def to_the_end(self) -> Iterator[None]:
        """Find nothing in what was written until the end of those who write."""
        yield
        assert self.written, "nothing was heard"
        found = list(self.leaks())
        assert not found, found


def _in_file(path: Path) -> list[Sequence[str | None]]:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as records:
        return [row for statement in _ASKED for row in records.execute(statement)]


@contextlib.contextmanager
def running(**variables: str) -> Iterator[Stack]:
    """Start the three services as ``stack.running`` does; a secret in what they write is a fault.

    Args:
        variables: further environment variables of the services.

    """
    search = Search()
    with search.to_the_end(), stack.running(search.written, **variables) as services:
        yield services
        search.know(Path(services.environment["DERMSERVE_DATA_DIR"]), services.environment)
