"""Days, weeks and months in which analyses are counted."""

import itertools
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from tests.gateway.conftest import Gateway, Start
from tests.gateway.test_database import connected
from tests.gateway.test_statistics import OCTOBER, counted, kept, nevus


@pytest.mark.parametrize(
    ("interval", "periods"),
    [
        ("day", {"2026-10-04": 1, "2026-10-05": 2, "2026-10-31": 1}),
        ("week", {"2026-10-01": 1, "2026-10-05": 2, "2026-10-26": 1}),
        ("month", {"2026-10-01": 4}),
    ],
)
async def test_periods_begin_at_midnight_utc_and_weeks_on_monday(
    either: Gateway, interval: str, periods: dict[str, int]
) -> None:
    alice = await either.signed_in()
    moments = [
        datetime(2026, 9, 30, 23, 59, 59, 999999, UTC),
        datetime(2026, 10, 4, 23, 59, 59, 999999, UTC),  # a Sunday
        datetime(2026, 10, 5, tzinfo=UTC),
        datetime(2026, 10, 5, 23, 59, 59, 999999, UTC),
        datetime(2026, 10, 31, 23, 59, 59, 999999, UTC),
        datetime(2026, 11, 1, tzinfo=UTC),
    ]
    await kept(either, alice, *[nevus(created_at=moment) for moment in moments])

    found = await counted(alice, {**OCTOBER, "interval": interval})

    assert {e["since"]: e["analyses"] for e in found["periods"] if e["analyses"]} == periods
    assert found["whole"]["analyses"] == 4
    edges = [(each["since"], each["until"]) for each in found["periods"]]
    assert edges[0][0] == "2026-10-01"
    assert edges[-1][1] == "2026-11-01"
    assert all(before[1] == after[0] for before, after in itertools.pairwise(edges))


async def test_the_zone_of_a_server_of_postgresql_moves_no_day(
    start: Start, postgres_url: str
) -> None:
    name = make_url(postgres_url).database
    async with connected(postgres_url) as server:
        await server.execute(text(f"ALTER DATABASE {name} SET timezone TO 'Pacific/Auckland'"))
    async with start(database_url=postgres_url) as gateway:
        alice = await gateway.signed_in()
        await kept(gateway, alice, nevus(created_at=datetime(2026, 10, 5, 23, 30, tzinfo=UTC)))

        periods = (await counted(alice))["periods"]

    assert [each["since"] for each in periods if each["analyses"]] == ["2026-10-05"]
