"""Pages and cursors."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from services.gateway import errors, paging
from services.gateway.analyses import Filters, History
from services.gateway.database import Database, Scope
from services.gateway.records import DEFAULT_ORGANISATION, Analysis, User

MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
IDS = st.text("0123456789abcdef", min_size=32, max_size=32)


@given(moment=MOMENTS, name=IDS)
def test_a_cursor_leads_back_to_its_place(moment: datetime, name: str) -> None:
    place = paging.Place(moment, name)

    assert paging.Place.read(place.cursor()) == place


@given(cursor=st.text(max_size=80) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
def test_a_cursor_that_we_did_not_make_is_refused_and_never_crashes(cursor: str) -> None:
    try:
        place = paging.Place.read(cursor)
    except errors.InvalidRequestError:
        return
    assert place.cursor() == cursor


@given(number=st.floats(allow_nan=False, allow_infinity=False), name=IDS)
def test_a_cursor_of_an_order_by_a_number_leads_back_to_its_place(number: float, name: str) -> None:
    order = paging.by_number("malignant_probability", "m", descending=True)
    place = paging.Place(number, name, order)

    assert paging.Place.read(place.cursor(), order) == place


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_a_cursor_with_a_number_that_has_no_place_is_refused(number: str) -> None:
    order = paging.by_number("malignant_probability", "m", descending=True)
    made = paging.Place(float(number), "0" * 32, order)

    with pytest.raises(errors.InvalidRequestError):
        paging.Place.read(made.cursor(), order)


async def test_rows_of_one_moment_are_paged_without_loss(records: Database) -> None:
    user = User(organisation_id=DEFAULT_ORGANISATION, username="alice", password_hash="x")
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    analyses = [
        Analysis(
            organisation_id=user.organisation_id,
            owner_id=user.id,
            created_at=moment + timedelta(microseconds=number // 4),
            status="succeeded",
            outcome="assessed",
            image_sha256="0" * 64,
            image_format="png",
            width=1,
            height=1,
            findings={},
        )
        for number in range(7)
    ]
    for rows in ([user], analyses):
        await records.write(partial(Session.add_all, instances=rows))
    history = History(records)

    scope = Scope(user.organisation_id, user.id)

    seen: list[Analysis] = []
    cursor: str | None = None
    for _ in range(4):
        page = await history.page(scope, Filters(), 2, cursor)
        seen += page.items
        cursor = page.next_cursor

    assert cursor is None
    assert len({row.id for row in seen}) == 7
    assert seen == sorted(seen, key=lambda row: (row.created_at, row.id), reverse=True)
