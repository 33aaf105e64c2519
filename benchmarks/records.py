"""How long lists take where a hospital has kept a million analyses.

A real PostgreSQL holds analyses of ten organisations; the gateway lists them as it does over
REST, sign-in checked, in its own process. One is an analysis that the gateway itself recorded,
the others are copies with other owners, times, labels, patients and lesions; half of them came in
batches, a few have failed, and the oldest are still in work. For each list the plan of its query is
kept too: it must go by an index.

    python -m benchmarks.records        writes benchmarks/results/records.json and the tables
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import event, text
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from benchmarks import machine, tables
from services.gateway.app import create_app
from services.gateway.records import DEFAULT_ORGANISATION
from services.gateway.settings import Settings
from tests import specimens
from tests.gateway import databases
from tests.gateway.counterparts import ScriptedInference, serving

ROWS = 1_000_000
ORGANISATIONS = 10
_A_LIST = 50
APART_S = 20
"""Between one analysis and the next, over all organisations."""

# There is nobody here who could inject anything: the statements are made of our own words.
# ruff: noqa: S608

_SEED = f"""
INSERT INTO organisations (id, name, shared, created_at)
SELECT md5('organisation' || n), 'organisation ' || n, n % 2 = 0, now()
FROM generate_series(1, {ORGANISATIONS - 1}) AS n;

INSERT INTO users (id, organisation_id, username, password_hash, role, disabled, created_at)
SELECT md5('user' || n), organisation, 'user' || n, 'none', 'clinician', false, now()
FROM generate_series(0, {10 * ORGANISATIONS - 1}) AS n
CROSS JOIN LATERAL (
    SELECT CASE WHEN n % {ORGANISATIONS} = 0 THEN '{DEFAULT_ORGANISATION}'
    ELSE md5('organisation' || n % {ORGANISATIONS}) END AS organisation
) AS belonging;
"""
"""Ten users in each organisation; the first is the one that every installation has."""

_PATIENTS = """
INSERT INTO patients (id, organisation_id, owner_id, created_at, revision, identifier, issuer)
SELECT md5('patient' || n), u.organisation_id, u.id, now(), 1, 'P' || n, 'clinic'
FROM generate_series(1, :patients) AS n JOIN users AS u ON u.username = 'user' || n % 100;
INSERT INTO lesions (id, organisation_id, owner_id, created_at, revision, patient)
SELECT md5('lesion' || n), p.organisation_id, p.owner_id, now(), 1, p.id
FROM generate_series(1, 2 * :patients) AS n
JOIN patients AS p ON p.id = md5('patient' || 1 + n % :patients);
INSERT INTO batches (id, organisation_id, owner_id, created_at, pictures)
SELECT md5('batch' || u.id || n), u.organisation_id, u.id, now(), 500
FROM generate_series(0, 9) AS n CROSS JOIN users AS u;
"""

_COPIES = """
INSERT INTO analyses (%(columns)s)
SELECT %(values)s
FROM generate_series(1, :rows) AS n
JOIN lesions AS l ON l.id = md5('lesion' || 1 + n %% (2 * :patients))
JOIN patients AS p ON p.id = l.patient
CROSS JOIN (SELECT * FROM analyses LIMIT 1) AS a
"""

_COPIED: Mapping[str, str] = {
    "id": "md5('analysis' || n)",
    "created_at": f"now() - n * interval '{APART_S} seconds'",
    "organisation_id": "l.organisation_id",
    "owner_id": "l.owner_id",
    "patient": "p.id",
    "lesion": "l.id",
    "patient_id": "p.identifier",
    # As rare as they are among the lesions of HAM10000.
    "label": "(ARRAY['nv','nv','nv','nv','nv','nv','nv','mel','bkl','bcc','akiec','vasc','df'])"
    "[1 + (hashint4(n) & 2147483647) % 13]",
    "malignant_probability": "(hashint4(-n) & 2147483647) / 2147483647.0",
    "suspicious": "hashint4(-n) % 7 = 0",
    # Some could not be assessed, and of some it is not known where they are.
    "outcome": "CASE WHEN hashint4(n + 1) % 40 = 0 THEN 'cannot_assess' ELSE 'assessed' END",
    "body_site": "(ARRAY['anterior torso','head/neck','lower extremity','upper extremity',"
    "'palms/soles','posterior torso',NULL])[1 + (hashint4(n + 2) & 2147483647) % 7]",
    "total_ms": "20 + (hashint4(n) & 63)",
    "batch": "CASE WHEN hashint4(n) > 0 "
    "THEN md5('batch' || l.owner_id || 10 * n / (:rows + 1)) END",
    "status": "CASE WHEN n > :rows - 200 THEN 'running' WHEN hashint4(-n) % 20 = 0 THEN 'failed' "
    "ELSE 'succeeded' END",
}


def main() -> None:
    """Measure, write the result, render the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=ROWS, help="analyses kept")
    parser.add_argument("--rounds", type=int, default=40, help="times that each list is asked for")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        databases.postgres(Path(folder) / "server") as server,
    ):
        found = asyncio.run(measured(server, Path(folder), arguments.rows, arguments.rounds))
    machine.write("records", found, models=None)
    tables.render()


async def measured(server: str, folder: Path, rows: int, rounds: int) -> dict[str, Any]:
    """Fill a database of a server, and time the lists.

    Args:
        server: its address.
        folder: where the gateway keeps its pictures.
        rows: analyses to keep.
        rounds: times that each list is asked for.

    """
    async with databases.fresh(server) as url, gateway(url, folder) as client:
        engine = create_async_engine(url)
        async with engine.begin() as connection:
            who = await seeded(connection, rows)
        async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            await connection.execute(text("VACUUM ANALYZE"))
            lists = {}
            for caller in ("own", "shared"):
                await _share(connection, shared=caller == "shared")
                for name, query in _queries(who).items():
                    lists[f"{name}, {caller}"] = await _list(client, query, rounds, connection)
        await engine.dispose()
    return {
        "rows": rows,
        "organisations": ORGANISATIONS,
        "rows_of_the_organisation": who["in_organisation"],
        "rows_of_the_caller": who["own"],
        "items_a_list": _A_LIST,
        "rounds": rounds,
        "lists": lists,
    }


@asynccontextmanager
async def gateway(url: str, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Run a gateway, and sign in a user who has one analysis."""
    inference = ScriptedInference()
    async with serving(inference) as address:
        values = {"DERMSERVE_DATA_DIR": folder, "database_url": url, "inference_address": address}
        app = create_app(Settings.model_validate({**values, "access_token_s": 900}))
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://gateway") as client,
        ):
            account = {"username": "alice", "password": "a password of alice"}
            answer = await client.post("/v1/auth/register", json=account)
            client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            files = {"image": ("picture", specimens.lesion_jpeg())}
            (await client.post("/v1/analyses", files=files)).raise_for_status()
            yield client


async def seeded(connection: AsyncConnection, rows: int) -> dict[str, Any]:
    """Fill the tables; return what of them the caller can ask for."""
    patients = max(200, rows // 25)
    for statement in filter(str.strip, (_SEED + _PATIENTS).split(";")):
        bound = {"patients": patients} if ":patients" in statement else {}
        await connection.execute(text(statement), bound)
    named = await connection.execute(text("SELECT * FROM analyses LIMIT 1"))
    columns = list(named.keys())
    values = ", ".join(_COPIED.get(column, f"a.{column}") for column in columns)
    copies = _COPIES % {"columns": ", ".join(columns), "values": values}
    await connection.execute(text(copies), {"rows": rows - 1, "patients": patients})
    # What one user in a hundred has becomes the caller's.
    caller = "(SELECT id FROM users WHERE username = 'alice')"
    for table in ("patients", "lesions", "batches", "analyses"):
        await connection.execute(
            text(f"UPDATE {table} SET owner_id = {caller} WHERE owner_id = md5('user0')")
        )
    counted = text(
        "SELECT count(*), count(*) FILTER (WHERE owner_id = "
        f"{caller}) FROM analyses WHERE organisation_id = '{DEFAULT_ORGANISATION}'"
    )
    in_organisation, own = (await connection.execute(counted)).one()
    one = text(
        "SELECT patient, lesion, patient_id, batch, created_at FROM analyses "
        f"WHERE owner_id = {caller} AND batch IS NOT NULL "
        "ORDER BY created_at LIMIT 1 OFFSET :place"
    )
    row = (await connection.execute(one, {"place": own // 4})).one()
    return {**row._asdict(), "in_organisation": in_organisation, "own": own}


def _queries(who: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return the lists that are asked for, by name."""
    moment = who["created_at"].isoformat()
    return {
        "first page": {},
        "a page from the middle": {"until": moment},
        "a label": {"label": "mel"},
        "the rarest label since a moment": {"label": "df", "since": moment},
        "a patient": {"patient": who["patient"]},
        "a patient's number": {"patient_id": who["patient_id"]},
        "a lesion": {"lesion": who["lesion"]},
        "a batch": {"batch": who["batch"]},
        "what has an answer": {"status": "succeeded"},
        "what has failed": {"status": "failed"},
        "what is in work": {"status": "running"},
        "what could not be assessed": {"outcome": "cannot_assess"},
        "what is suspicious": {"suspicious": "true"},
        "a place on the body": {"body_site": "palms/soles"},
        "oldest first": {"sort": "created_at"},
        "the most likely malignant": {"sort": "-malignant_probability"},
        "the least likely malignant of a label": {"sort": "malignant_probability", "label": "df"},
    }


async def _share(connection: AsyncConnection, *, shared: bool) -> None:
    change = text("UPDATE organisations SET shared = :shared WHERE id = :id")
    await connection.execute(change, {"shared": shared, "id": DEFAULT_ORGANISATION})


async def _list(
    client: httpx.AsyncClient, query: dict[str, str], rounds: int, connection: AsyncConnection
) -> dict[str, Any]:
    """Ask for a list again and again; return how long it took, and how it was found."""
    asked = {**query, "limit": str(_A_LIST)}
    with _listening() as heard:
        answer = await client.get("/v1/analyses", params=asked)
    answer.raise_for_status()
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        (await client.get("/v1/analyses", params=asked)).raise_for_status()
        seconds.append(time.perf_counter() - began)
    explained = await connection.exec_driver_sql(
        f"EXPLAIN (ANALYZE, FORMAT JSON) {heard[0]}", heard[1]
    )
    return {
        "items": len(answer.json()["items"]),
        "p50_ms": round(statistics.median(seconds) * 1000, 1),
        "p95_ms": round(statistics.quantiles(seconds, n=20)[-1] * 1000, 1),
        **_ways(explained.scalar_one()[0]["Plan"]),
    }


@contextmanager
def _listening() -> Any:
    """Hear the statement that lists analyses, with its parameters."""
    heard: list[Any] = []

    def hear(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if "FROM analyses" in statement and "LIMIT" in statement:
            heard[:] = [statement, parameters]

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


def _ways(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a plan was carried out.

    That is the indexes that it went by, the tables that it read from end to end, and how many rows
    it read, those included that it then found not to be meant.
    """
    found: dict[str, Any] = {"indexes": [], "read_through": [], "rows_read": 0}
    nodes = [plan]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if "Index Name" in node:
            found["indexes"].append(node["Index Name"])
        if node["Node Type"] == "Seq Scan":
            found["read_through"].append(node["Relation Name"])
        if "Relation Name" in node:
            found["rows_read"] += int(node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
    return found


if __name__ == "__main__":
    main()
