"""Rows that are written together are refused each for itself."""

import asyncio

from services.gateway import errors
from services.gateway.audit import Note
from tests.gateway.audited import findings, rows
from tests.gateway.conftest import Gateway

UNWRITABLE = "\udc80"
"""Half of a pair of surrogates, which no UTF-8 has."""


def note(address: str) -> Note:
    return Note(operation="test", action="test", subject="test", address=address)


async def test_a_row_that_cannot_be_written_refuses_no_other(either: Gateway) -> None:
    trail = either.parts.trail
    addresses = ["10.0.0.1", UNWRITABLE, "10.0.0.2", UNWRITABLE, "10.0.0.3"]

    ends = await asyncio.gather(
        *(trail.end(note(each), 200) for each in addresses), return_exceptions=True
    )

    assert [type(end) for end in ends] == [
        errors.UnavailableError if each == UNWRITABLE else type(None) for each in addresses
    ]
    written = await rows(either, action="test")
    assert [row["address"] for row in written] == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    assert await findings(either) == []
