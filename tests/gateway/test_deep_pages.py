"""Pages far down a list: found where they begin, not by reading all that is before them."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.gateway.analyses import Filters, History
from services.gateway.database import EVERYTHING, Database, Scope
from services.gateway.paging import Order, Place, by_number
from services.gateway.records import DEFAULT_ORGANISATION, User, new_id
from tests.gateway.statements import heard, rows_read
from tests.gateway.test_database import add, an_analysis

ROWS = 4000
A_PAGE = 20
ORDERS = [
    by_number("malignant_probability", mark, descending=descending)
    for mark, descending in (("m", True), ("p", False))
]


def see_that_it_begins_there(asked: list[Any], session: Session) -> None:
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[0]}", asked[1])
        # Found from its place on, in its order: what is sorted is read to the end before.
        (way,) = [row.detail for row in plan]
        assert "malignant_probability" in way.partition("=?")[2]
        return
    found = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {asked[0]}", asked[1])
    assert rows_read(found.scalar_one()[0]["Plan"]) <= 4 * A_PAGE


@pytest.mark.parametrize("order", ORDERS, ids=["most likely first", "least likely first"])
async def test_a_page_from_the_middle_by_probability_reads_about_what_it_gives(
    records: Database, order: Order
) -> None:
    owner = User(organisation_id=DEFAULT_ORGANISATION, username="alice", password_hash="x")
    await add(records, owner)
    rows = [an_analysis(owner) for _ in range(ROWS)]
    for number, row in enumerate(rows):
        row.id, row.malignant_probability = new_id(), number // 2 / ROWS
    await add(records, *rows)
    await records.write(lambda session: session.execute(text("ANALYZE")), EVERYTHING)
    middle = Place.of(rows[ROWS // 2], order).cursor()

    with heard("FROM analyses", "LIMIT") as asked:
        page = await History(records).page(
            Scope(owner.organisation_id, owner.id), Filters(), A_PAGE, middle, order
        )

    assert len(page.items) == A_PAGE
    await records.read(partial(see_that_it_begins_there, asked), EVERYTHING)
