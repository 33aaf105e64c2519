"""What analyses come to over time, counted by both databases."""

import asyncio
import csv
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, update
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from services.gateway import database
from services.gateway.database import EVERYTHING
from services.gateway.records import DEFAULT_ORGANISATION, Analysis, Organisation, Status
from tests.gateway.conftest import Client, Gateway

Query = dict[str, str]
OCTOBER: Query = {"since": "2026-10-01", "until": "2026-11-01"}
NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)


async def kept(gateway: Gateway, owner: Client, *analyses: dict[str, Any]) -> None:
    """Keep analyses of somebody, as they might be from earlier days."""
    me = (await owner("GET", "/v1/me")).json()
    whose = {"organisation_id": me["organisation_id"], "owner_id": me["id"]}
    given = {"status": Status.SUCCEEDED, "created_at": NOON}
    rows = [Analysis(**(whose | given | each)) for each in analyses]

    def work(session: Session) -> None:
        session.add_all(rows)

    await gateway.parts.access._database.write(work, EVERYTHING)


def share(session: Session) -> None:
    """As the command does."""
    organisation = session.get(Organisation, DEFAULT_ORGANISATION)
    assert organisation is not None
    organisation.shared = True


async def counted(who: Client, query: Query = OCTOBER) -> dict[str, Any]:
    answer = await who("GET", "/v1/statistics", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def nevus(**values: Any) -> dict[str, Any]:
    return {"label": "nv", "suspicious": False, "total_ms": 40, **values}


def melanoma(**values: Any) -> dict[str, Any]:
    return {"label": "mel", "suspicious": True, "total_ms": 60, **values}


def blurred(**values: Any) -> dict[str, Any]:
    return {"cannot_assess_reasons": "blurred", "total_ms": 5, **values}


async def test_what_is_analyzed_is_counted(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await either.signed_in()
    await alice.analyze()
    await alice.analyze()
    # As if no midnight came in between.
    monkeypatch.setattr("services.gateway.routes.statistics.now", lambda: NOON)
    on_one_day = update(Analysis).values(created_at=NOON)
    await either.parts.access._database.write(
        lambda session: session.execute(on_one_day), EVERYTHING
    )

    found = await counted(alice, {})

    assert found["whole"]["analyses"] == 2
    assert found["whole"]["status"] == {"queued": 0, "running": 0, "succeeded": 2, "failed": 0}
    assert found["whole"]["labels"]["nv"] == 2
    assert found["whole"]["suspicious"]["count"] == 0
    times = {name: found["whole"][name] for name in ("latency", "queue_time", "run_time")}
    assert times == {
        "latency": {"count": 2, "median_ms": 45, "p95_ms": 45},
        "queue_time": {"count": 2, "median_ms": 0, "p95_ms": 0},
        "run_time": {"count": 2, "median_ms": 31, "p95_ms": 31},
    }
    assert [each["analyses"] for each in found["periods"]] == [0] * 29 + [2]
    assert found["periods"][-1]["since"] == "2026-10-05"
    assert (found["time_zone"], found["interval"]) == ("UTC", "day")


async def test_rates_stand_beside_their_counts_and_their_uncertainty(either: Gateway) -> None:
    alice = await either.signed_in()
    await kept(
        either,
        alice,
        *[nevus() for _ in range(7)],
        *[melanoma() for _ in range(3)],
        blurred(),
        blurred(cannot_assess_reasons="too_dark blurred"),
        {"status": Status.FAILED},
    )

    whole = (await counted(alice))["whole"]

    assert whole["status"] == {"queued": 0, "running": 0, "succeeded": 12, "failed": 1}
    # By SciPy's binomtest(3, 10).proportion_ci(method="wilson").
    expected = {"count": 3, "of": 10, "rate": 0.3, "low": 0.107791, "high": 0.603222}
    assert whole["suspicious"] == pytest.approx(expected, abs=1e-6)
    assert whole["cannot_assess"]["count"] == 2
    assert whole["cannot_assess"]["of"] == 12
    assert whole["cannot_assess_reasons"] == {"blurred": 2, "too_dark": 1}


async def test_a_label_of_what_has_no_answer_makes_no_rate_negative(either: Gateway) -> None:
    alice = await either.signed_in()
    await kept(either, alice, nevus(status=Status.FAILED), nevus(status=Status.RUNNING), blurred())

    whole = (await counted(alice))["whole"]

    assert (whole["cannot_assess"]["count"], whole["cannot_assess"]["of"]) == (1, 1)


async def test_of_nothing_there_is_no_rate(either: Gateway) -> None:
    alice = await either.signed_in()

    whole = (await counted(alice))["whole"]

    assert whole["analyses"] == 0
    none = {"count": 0, "of": 0, "rate": None, "low": None, "high": None}
    assert whole["suspicious"] == whole["agreement"] == whole["cannot_assess"] == none
    assert whole["latency"] == {"count": 0, "median_ms": None, "p95_ms": None}


async def test_a_clinician_agrees_who_gives_the_same_label(either: Gateway) -> None:
    alice = await either.signed_in()
    await kept(
        either,
        alice,
        nevus(verdict="nv"),
        nevus(verdict="nv"),
        nevus(verdict="mel"),
        nevus(verdict="cannot_tell"),
        nevus(),
        blurred(verdict="nv"),
    )

    agreement = (await counted(alice))["whole"]["agreement"]

    assert (agreement["count"], agreement["of"]) == (2, 3)


async def test_median_and_95th_percentile_are_times_that_were_kept(either: Gateway) -> None:
    alice = await either.signed_in()
    await kept(
        either,
        alice,
        *[nevus(total_ms=ms) for ms in range(1, 101)],
        nevus(total_ms=7000, created_at=NOON + timedelta(days=1)),
        nevus(total_ms=None),
    )

    found = await counted(alice)

    by_day = {each["since"]: each["latency"] for each in found["periods"]}
    assert by_day["2026-10-05"] == {"count": 100, "median_ms": 50, "p95_ms": 95}
    assert by_day["2026-10-06"] == {"count": 1, "median_ms": 7000, "p95_ms": 7000}
    assert found["whole"]["latency"] == {"count": 101, "median_ms": 51, "p95_ms": 96}


async def test_waiting_and_running_are_told_apart_of_those_answers_that_say_it(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    next_day = NOON + timedelta(days=1)
    await kept(
        either,
        alice,
        *[nevus(queue_ms=ms, run_ms=200 - ms) for ms in range(1, 101)],
        nevus(queue_ms=900, run_ms=30, created_at=next_day),
        nevus(),  # of a version before
    )

    found = await counted(alice)
    lines = {line["since"]: line for line in await table_of(alice, "latency")}

    by_day = {each["since"]: each for each in found["periods"]}
    assert by_day["2026-10-05"]["queue_time"] == {"count": 100, "median_ms": 50, "p95_ms": 95}
    assert by_day["2026-10-05"]["run_time"] == {"count": 100, "median_ms": 149, "p95_ms": 194}
    assert by_day["2026-10-06"]["queue_time"] == {"count": 1, "median_ms": 900, "p95_ms": 900}
    assert by_day["2026-10-07"]["run_time"] == {"count": 0, "median_ms": None, "p95_ms": None}
    assert found["whole"]["queue_time"] == {"count": 101, "median_ms": 51, "p95_ms": 96}
    assert found["whole"]["latency"]["count"] == 102
    line = lines["2026-10-05"]
    assert (line["count"], line["queue_count"], line["run_count"]) == ("101", "100", "100")
    assert (line["queue_median_ms"], line["queue_p95_ms"]) == ("50", "95")
    assert (line["run_median_ms"], line["run_p95_ms"]) == ("149", "194")
    assert lines["2026-10-07"]["queue_p95_ms"] == ""


async def test_others_count_where_records_are_shared_and_nowhere_else(either: Gateway) -> None:
    alice, bob = await either.signed_in("alice"), await either.signed_in("bob")
    await kept(either, alice, nevus())
    await kept(either, bob, nevus(), melanoma())
    admin = await either.admin()

    own = await counted(alice)
    assert (own["records"], own["whole"]["analyses"]) == ("own", 1)
    assert (await counted(admin))["whole"]["analyses"] == 0

    await either.parts.access._database.write(share, EVERYTHING)

    shared = await counted(alice)
    assert (shared["records"], shared["whole"]["analyses"]) == ("organisation", 3)


async def test_what_was_removed_is_not_counted(either: Gateway) -> None:
    alice = await either.signed_in()
    made = (await alice.analyze()).json()
    await alice.analyze()

    assert (await alice("DELETE", f"/v1/analyses/{made['id']}")).status_code == 204

    assert (await counted(alice, {}))["whole"]["analyses"] == 1


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"since": "2026-10-02", "until": "2026-10-02"}, "until"),
        ({"since": "2026-10-02", "until": "2026-10-01"}, "until"),
        ({"since": "2026-01-01", "until": "2026-10-01"}, "since"),
        ({"since": "2000-01-01", "until": "2199-01-01", "interval": "month"}, "since"),
        ({"since": "1999-12-31"}, "since"),
        ({"until": "2200-01-01"}, "until"),
        ({"until": "1760000000"}, "until"),
        ({"since": "2026-10-01T10:00:00Z"}, "since"),
        ({"since": "2026-02-30"}, "since"),
        ({"interval": "hour"}, "interval"),
        ({"intervall": "day"}, "intervall"),
    ],
)
async def test_what_cannot_be_counted_is_refused(
    gateway: Gateway, query: Query, named: str
) -> None:
    alice = await gateway.signed_in()

    answer = await alice("GET", "/v1/statistics", params=query)

    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert named in answer.json()["detail"]


async def table_of(who: Client, series: str) -> list[dict[str, str]]:
    answer = await who("GET", "/v1/statistics.csv", params={**OCTOBER, "series": series})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert f"dermserve-{series}-2026-10-01" in answer.headers["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(answer.text)))


async def test_what_comes_while_it_is_counted_is_in_all_figures_or_in_none(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    await kept(either, alice, nevus())
    me = (await alice("GET", "/v1/me")).json()
    whose = {"organisation_id": me["organisation_id"], "owner_id": me["id"]}
    another = Analysis(**whose, status=Status.SUCCEEDED, created_at=NOON, **nevus())
    told: list[str] = []

    async def come() -> None:
        async with database.opened(either.settings.database, 60) as records:
            await records.write(lambda session: session.add(another), EVERYTHING)

    def come_between(_: Any, __: Any, statement: str, *___: Any) -> None:
        if "up_to" in statement and not told:
            told.append(statement)
            with ThreadPoolExecutor(1) as thread:
                thread.submit(asyncio.run, come()).result()

    event.listen(Engine, "before_cursor_execute", come_between)
    try:
        whole = (await counted(alice))["whole"]
    finally:
        event.remove(Engine, "before_cursor_execute", come_between)

    assert told
    assert (whole["analyses"], whole["latency"]["count"]) == (1, 1)
    again = (await counted(alice))["whole"]
    assert (again["analyses"], again["latency"]["count"]) == (2, 2)
