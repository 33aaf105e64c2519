"""Tables of what analyses come to, as spreadsheets read them."""

import csv
import io

from tests.gateway.conftest import Gateway
from tests.gateway.test_statistics import (
    OCTOBER,
    blurred,
    counted,
    kept,
    melanoma,
    nevus,
    table_of,
)


async def test_tables_have_the_same_numbers(either: Gateway) -> None:
    alice = await either.signed_in()
    await kept(either, alice, nevus(verdict="nv"), melanoma(verdict="nv"), blurred())
    day = next(e for e in (await counted(alice))["periods"] if e["since"] == "2026-10-05")

    for series, expected in {
        "status": {"analyses": 3, **day["status"]},
        "labels": day["labels"],
        "suspicious": {"count": 1, "of": 2, "rate": 0.5, "low": 0.0945, "high": 0.9055},
        "cannot_assess": {"count": 1, "of": 3, "rate": 0.3333, "blurred": 1},
        "agreement": {"count": 1, "of": 2},
        "latency": day["latency"],
    }.items():
        lines = await table_of(alice, series)
        assert len(lines) == 31
        (line,) = [each for each in lines if each["since"] == "2026-10-05"]
        assert line["until"] == "2026-10-06"
        assert {name: line[name] for name in expected} == {
            name: str(value) for name, value in expected.items()
        }


async def test_no_cell_is_a_formula(either: Gateway) -> None:
    """Even where what inference answered was no word of ours."""
    alice = await either.signed_in()
    await kept(either, alice, blurred(cannot_assess_reasons='=cmd|"/C calc"!A0 @SUM(1) -1 +1'))

    answer = await alice("GET", "/v1/statistics.csv", params={"series": "cannot_assess", **OCTOBER})

    cells = [cell for line in csv.reader(io.StringIO(answer.text)) for cell in line]
    assert "'@SUM(1)" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+", "-"))]
