"""The lists of a gateway with much in it, in miniature."""

import dataclasses
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import records
from services.gateway.analyses import Filters
from tests.gateway import databases


async def test_every_list_is_found_by_an_index_and_holds_what_it_asks_for(tmp_path: Path) -> None:
    with databases.folder() as folder, databases.postgres(folder) as server:
        found = await records.measured(server, tmp_path, rows=30_000, rounds=2)
    assert found["rows_of_the_organisation"] > found["rows_of_the_caller"] > 200
    for name, each in found["lists"].items():
        assert each["items"] > 0, name
        assert any(index.startswith("ix_analyses_") for index in each["indexes"]), name
        assert each["read_through"] == [], name
        # Nor by one that leads to rows which are not meant; few are read faster than chosen from.
        assert each["rows_read"] <= max(51, found["rows_of_the_caller"]), name
    assert found["lists"]["first page, own"]["items"] == 50


def test_every_filter_is_measured() -> None:
    who: defaultdict[str, Any] = defaultdict(str, created_at=datetime.now(UTC))
    asked = {name for query in records._queries(who).values() for name in query}
    assert asked == {field.name for field in dataclasses.fields(Filters)} | {"sort"}
