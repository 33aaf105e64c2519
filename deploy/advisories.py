"""Whether known faults of libraries are mended in time: ``python -m deploy.advisories``.

uv reads the lock file and asks OSV (https://osv.dev), which collects the advisories of PyPA and
GitHub, what is known of the locked versions; how bad it is, OSV is asked here. Each fault is
written with the day until which it must be mended (docs/SECURITY.md). This needs the network, and
tells OSV names and versions of libraries and nothing else.

Exits 0 when nothing is overdue, 1 when something is, and 2 when nobody could be asked, or what
was answered could not be read.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

CHECKOUT = Path(__file__).resolve().parents[1]
OSV = "https://api.osv.dev/"

DAYS: Mapping[str, int] = {"critical": 7, "high": 30, "moderate": 90, "low": 180}
"""How long after it became known a fault may be in what we ship, by how bad it is."""

_UNRATED = "high"
_MALICIOUS = "MAL-"
"""How OSV names packages that were made to do harm; nobody rates those."""

_UV_PATIENCE_S = 300
_PATIENCE_S = 30


_UNFORESEEN = (AttributeError, KeyError, TypeError, ValueError)
"""What it leads to that an answer has another form than OSV and uv document."""


class UnansweredError(Exception):
    """Nobody could be asked, or understood, so nothing is known of the libraries."""


@dataclass(frozen=True)
class Fault:
    """What is known to be wrong with a locked version.

    Attributes:
        library: its name and version.
        advisory: the name of the advisory.
        severity: one of ``DAYS``.
        published: when it became known.
        mended_in: versions without it, separated by commas; empty while there is none.
        summary: what it is, in a sentence of others.

    """

    library: str
    advisory: str
    severity: str
    published: datetime
    mended_in: str
    summary: str

    @property
    def due(self) -> datetime:
        """Until when it must be mended."""
        return self.published + timedelta(days=DAYS[self.severity])

    def line(self, now: datetime) -> str:
        """Write it in a line."""
        state = "overdue since" if self.due < now else "to be mended until"
        remedy = f"mended in {self.mended_in}" if self.mended_in else "not mended by anybody yet"
        return (
            f"{self.library}: {self.advisory} ({self.severity}), {state} {self.due:%Y-%m-%d}, "
            f"{remedy}: {self.summary}"
        )


@dataclass(frozen=True)
class _Record:
    """What OSV says under one name: how bad, in whatever words, and since when it is known."""

    severity: str
    published: datetime


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what is known of the locked libraries, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tools", action="store_true", help="also what tests and training need")
    parser.add_argument("--service", default=OSV, help="address of a service that answers as OSV")
    asked = parser.parse_args(arguments)
    try:
        faults = sorted(_faults(asked.service, tools=asked.tools), key=lambda fault: fault.due)
    except UnansweredError as error:
        sys.stderr.write(f"nothing is known of the libraries: {error}\n")
        return 2
    now = datetime.now(UTC)
    for fault in faults:
        sys.stdout.write(f"{fault.line(now)}\n")
    overdue = sum(fault.due < now for fault in faults)
    sys.stdout.write(f"{len(faults)} known, {overdue} overdue\n")
    return 1 if overdue else 0


def _faults(service: str, *, tools: bool) -> Iterator[Fault]:
    with httpx.Client(base_url=service, timeout=_PATIENCE_S) as osv:
        for found in _found(service, tools=tools):
            try:
                yield _fault(osv, found)
            except _UNFORESEEN as error:
                raise UnansweredError(f"uv's answer has another form: {error!r}") from error


def _fault(osv: httpx.Client, found: dict[str, Any]) -> Fault:
    names = [found["id"], *found["aliases"]]
    records = [record for name in names if (record := _record(osv, name)) is not None]
    if not records:
        raise UnansweredError(f"{osv.base_url} has nothing under {found['id']}")
    library = found["dependency"]
    return Fault(
        library=f"{library['name']} {library['version']}",
        advisory=found["id"],
        severity=_worst(records),
        published=min(record.published for record in records),
        mended_in=", ".join(found["fix_versions"]),
        summary=found["summary"] or "no summary",
    )


def _found(service: str, *, tools: bool) -> list[dict[str, Any]]:
    """Return what uv finds in the lock file, a dictionary an advisory of a version."""
    groups = [] if tools else ["--no-default-groups"]
    command = [sys.executable, "-m", "uv", "audit", "--project", str(CHECKOUT), "--frozen"]
    command += ["--no-cache", *groups]
    command += ["--preview-features", "audit-command,json-output", "--output-format", "json"]
    command += ["--service-url", service]
    try:
        # The interpreter's own uv, with addresses of whoever started us.
        audit = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=_UV_PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise UnansweredError(f"{service} did not answer in time") from error
    try:
        found: list[dict[str, Any]] = json.loads(audit.stdout)["vulnerabilities"]
    except _UNFORESEEN as error:
        raise UnansweredError(audit.stderr.strip() or "uv said nothing") from error
    return found


def _record(osv: httpx.Client, name: str) -> _Record | None:
    """Return an advisory; None for names that OSV has no record of, as it has of few CVEs."""
    try:
        answer = osv.get(f"v1/vulns/{quote(name, safe='')}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        answer.raise_for_status()
        return _read(answer.json())
    except (httpx.HTTPError, *_UNFORESEEN) as error:
        raise UnansweredError(f"{osv.base_url} gave no advisory {name}: {error!r}") from error


def _read(record: dict[str, Any]) -> _Record:
    published = datetime.fromisoformat(record.get("published") or record["modified"])
    if published.tzinfo is None:
        raise ValueError(f"{published} is of no time zone")
    if record["id"].startswith(_MALICIOUS):
        return _Record("critical", published)
    # GitHub rates in words, others not at all.
    rated = (record.get("database_specific") or {}).get("severity")
    return _Record(str(rated).lower(), published)


def _worst(records: Sequence[_Record]) -> str:
    """Return the worst that anybody says."""
    said = {record.severity for record in records}
    return next((severity for severity in DAYS if severity in said), _UNRATED)


if __name__ == "__main__":
    sys.exit(main())
