"""``python -m services.gateway.auditing``: verify the audit, write it out, prune it.

For containers, which have no other command line; elsewhere it is ``dermserve audit``.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from services import environment
from services.gateway import audit, errors
from services.gateway.audit.pruning import Pruning
from services.gateway.audit.verification import NEEDED, Chain, Row, anchors
from services.gateway.boot import BootError, audit_keys, audit_trail, open_records
from services.gateway.database import EVERYTHING, Database
from services.gateway.errors import GatewayError
from services.gateway.identity import Organisations
from services.gateway.records import now
from services.gateway.settings import Settings

PRUNE = "dermserve audit prune"
EXPORT = "dermserve audit export"


async def verified(
    records: Database, settings: Settings, written_down: Path | None = None
) -> list[Chain]:
    """Verify all chains, also against what was written down elsewhere."""
    with_anchors = anchors(lines(written_down)) if written_down else None
    return await audit.Ledger(records).verify(audit_keys(settings), with_anchors)


def verified_file(path: Path, settings: Settings) -> list[Chain]:
    """Verify the rows of an export; it may begin and end anywhere in its chains.

    Raises:
        InvalidRequestError: a line is no row.

    """
    chains: dict[str, Chain] = {}
    for number, line in enumerate(lines(path), 1):
        row = _row(number, line)
        name = row["organisation_id"]
        if name not in chains:
            chains[name] = Chain(name, audit_keys(settings), whole=False)
        chains[name].take(row)
    for chain in chains.values():
        chain.end(None)
    return list(chains.values())


def _row(number: int, line: str) -> Row:
    """Return the row that a line of an export has."""
    try:
        row = json.loads(line, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        row = None
    if (
        not isinstance(row, dict)
        or not row.keys() >= NEEDED
        or not isinstance(row["organisation_id"], str)
        or not isinstance(row["key"], str | None)
    ):
        raise errors.InvalidRequestError(f"Line {number} is no row of an export.")
    return row


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse a column that is there twice: who looks might see the other one."""
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError
    return row


async def exported(
    records: Database, settings: Settings, organisation: str | None, asked: audit.Asked
) -> AsyncIterator[str]:
    """Give the rows of an organisation, or of all, as lines of JSON; this is recorded first."""
    ledger = audit.Ledger(records)
    chains = await ledger.chains()
    trail = audit_trail(records, settings)
    async with audit.commanded(trail, EXPORT, "audit.export", "organisation") as note:
        if organisation is not None:
            chains = [(await Organisations(records).called(organisation)).id]
            note.within(chains[0])
        note.concerns(*chains)
    for chain in chains:
        async for rows in ledger.stream(EVERYTHING, asked, chain):
            for row in rows:
                yield audit.line(row)


async def pruned(records: Database, settings: Settings, before: datetime) -> int:
    """Remove the rows from before a moment; return how many are gone.

    Raises:
        InvalidRequestError: it is still to come.

    """
    if audit.moment(before) > audit.moment(now()):
        raise errors.InvalidRequestError("What is still to come cannot be pruned.")
    pruning = Pruning(audit.moment(before), audit.operator(), PRUNE, audit_keys(settings))
    return sum([await pruning.of(each, records) for each in await audit.Ledger(records).chains()])


def said(chain: Chain) -> Mapping[str, object]:
    """Return what is to be said of a chain; later it serves as an anchor."""
    return {
        "organisation_id": chain.organisation_id,
        "first": chain.first,
        "sequence": chain.sequence,
        "hash": chain.hash,
        "rows": chain.rows,
        "not_verified": chain.unverified,
        "findings": [str(finding) for finding in chain.findings],
    }


def lines(path: Path) -> Iterator[str]:
    """Give the lines of a file, one at a time."""
    with path.open(encoding="utf-8", errors="replace") as opened:
        yield from opened


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is asked; return the exit status: 1 where something is not as it was written."""
    asked = _parser().parse_args(arguments)
    try:
        settings = environment.read(Settings)
        return asyncio.run(_COMMANDS[asked.command](asked, settings))
    except (environment.SettingsError, BootError, GatewayError, OSError, ValueError) as error:
        sys.stderr.write(f"dermserve: {error}\n")
        return 2


async def _verify(asked: argparse.Namespace, settings: Settings) -> int:
    if asked.file is not None:
        chains = verified_file(asked.file, settings)
    else:
        async with open_records(settings) as records:
            chains = await verified(records, settings, asked.anchors)
    for chain in chains:
        sys.stdout.write(f"{json.dumps(said(chain))}\n")
    return 1 if any(chain.findings for chain in chains) else 0


async def _export(asked: argparse.Namespace, settings: Settings) -> int:
    async with open_records(settings) as records:
        async for each in exported(records, settings, asked.organisation, audit.Asked()):
            sys.stdout.write(f"{each}\n")
    return 0


async def _prune(asked: argparse.Namespace, settings: Settings) -> int:
    async with open_records(settings) as records:
        gone = await pruned(records, settings, asked.before)
    sys.stdout.write(f"{gone} rows are gone for good\n")
    return 0


_COMMANDS = {"verify": _verify, "export": _export, "prune": _prune}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("services.gateway.auditing", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify", help="find what was changed, removed or slipped in")
    verify.add_argument("file", nargs="?", type=Path, help="an export; else the database")
    verify.add_argument("--anchors", type=Path, help="lines of JSON that were kept elsewhere")
    export = commands.add_parser("export", help="write rows as lines of JSON")
    export.add_argument("--organisation", help="name of the one; else all")
    prune = commands.add_parser("prune", help="remove old rows for good")
    prune.add_argument("--before", type=datetime.fromisoformat, required=True, help="in UTC")
    return parser


if __name__ == "__main__":
    sys.exit(main())
