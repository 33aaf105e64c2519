"""How long statistics take where a million analyses are kept.

A gateway counts over REST, sign-in checked, in its own process: on PostgreSQL with the analyses of
``benchmarks.records``, of which the caller is shown their own, those of one organisation of ten,
and in the end all of them as one organisation's; and on a SQLite file that has as many of one user.

    python -m benchmarks.statistics     writes benchmarks/results/statistics.json
"""

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from benchmarks import machine, records
from services.gateway.records import DEFAULT_ORGANISATION
from tests.gateway import databases

ASKED = {
    "30 days": {"interval": "day"},
    "26 weeks": {"interval": "week"},
    "a year of months": {"interval": "month"},
}
"""What is asked for, by name; the analyses reach 231 days back."""

_LABELS = ["nv"] * 7 + ["mel", "bkl", "bcc", "akiec", "vasc", "df"]


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=records.ROWS, help="analyses kept")
    parser.add_argument("--rounds", type=int, default=20, help="times that each is asked for")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        databases.postgres(Path(folder) / "server") as server,
    ):
        found = asyncio.run(measured(server, Path(folder), arguments.rows, arguments.rounds))
    machine.write("statistics", found, models=None)


async def measured(server: str, folder: Path, rows: int, rounds: int) -> dict[str, Any]:
    """Fill a database of each kind, and time what is asked for.

    Args:
        server: address of a PostgreSQL server.
        folder: where gateways keep their pictures, and SQLite its file.
        rows: analyses to keep.
        rounds: times that each is asked for.

    """
    on_postgresql = await _on_postgresql(server, folder / "postgresql", rows, rounds)
    on_sqlite = await _on_sqlite(folder, rows, rounds)
    return {"rows": rows, "rounds": rounds, "postgresql": on_postgresql, "sqlite": on_sqlite}


async def _on_postgresql(server: str, folder: Path, rows: int, rounds: int) -> dict[str, Any]:
    async with databases.fresh(server) as url, records.gateway(url, folder) as client:
        engine = create_async_engine(url)
        async with engine.begin() as connection:
            await records.seeded(connection, rows)
        found = {}
        for whose, change in {
            "the caller's own": "UPDATE organisations SET shared = false",
            "one organisation of ten": "UPDATE organisations SET shared = true",
            "one organisation": f"UPDATE analyses SET organisation_id = '{DEFAULT_ORGANISATION}'",  # noqa: S608 - ours
        }.items():
            await _changed(engine, change)
            found[whose] = await _asked(client, rounds)
        await engine.dispose()
    return found


async def _changed(engine: AsyncEngine, change: str) -> None:
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text(change))
        # As PostgreSQL does by itself, some time after so many changes.
        await connection.execute(text("VACUUM ANALYZE analyses"))


async def _on_sqlite(folder: Path, rows: int, rounds: int) -> dict[str, Any]:
    path = folder / "records.db"
    async with records.gateway(f"sqlite:///{path}", folder) as client:
        await asyncio.to_thread(_fill, path, rows)
        return {"the caller's own": await _asked(client, rounds)}


def _fill(path: Path, rows: int) -> None:
    """Copy the one analysis that there is, each as long before the other as in ``records``."""
    connection = sqlite3.connect(path, timeout=60)
    connection.row_factory = sqlite3.Row
    one = dict(connection.execute("SELECT * FROM analyses").fetchone())
    places = ", ".join(f":{name}" for name in one)
    adding = f"INSERT INTO analyses ({', '.join(one)}) VALUES ({places})"  # noqa: S608 - ours
    with connection:
        connection.executemany(adding, _copies(connection, one, rows))
    connection.close()


def _copies(connection: sqlite3.Connection, one: dict[str, Any], rows: int) -> Iterator[Any]:
    at = "SELECT strftime('%Y-%m-%d %H:%M:%f000', 'now', ?)"
    for number in range(1, rows):
        (moment,) = connection.execute(at, (f"-{number * records.APART_S} seconds",)).fetchone()
        yield one | {
            "id": f"{number:032x}",
            "created_at": moment,
            "label": _LABELS[number % len(_LABELS)],
            "suspicious": number % 8 == 0,
            "total_ms": 20 + number * 7919 % 64,
        }


async def _asked(client: httpx.AsyncClient, rounds: int) -> dict[str, Any]:
    """Ask for each again and again; return what was counted, and how long it took."""
    found = {}
    for name, asked in ASKED.items():
        seconds = []
        for _ in range(rounds + 1):
            began = time.perf_counter()
            answer = await client.get("/v1/statistics", params=asked)
            seconds.append(time.perf_counter() - began)
            answer.raise_for_status()
        found[name] = {
            "analyses": answer.json()["whole"]["analyses"],
            "first_ms": round(seconds[0] * 1000, 1),
            "p50_ms": round(statistics.median(seconds[1:]) * 1000, 1),
            "p95_ms": round(statistics.quantiles(seconds[1:], n=20)[-1] * 1000, 1),
        }
    return found


if __name__ == "__main__":
    main()
