"""Every operation of the OpenAPI document leaves its row, whoever adds it."""

import re

from fastapi.routing import APIRoute

from services.gateway.audit.actions import NAMED, NOT_AUDITED, action, is_page
from services.gateway.audit.note import ENTRY
from services.gateway.records import Role
from services.gateway.web import ROUTERS
from tests.gateway.audited import Row, findings, rows
from tests.gateway.cast import Cast, cast
from tests.gateway.conftest import Gateway
from tests.gateway.walking import Operation, operations

__all__ = ["cast"]

_NAME = re.compile(r"[a-z_]+(\.[a-z_]+)+")


async def rows_since(gateway: Gateway, known: list[Row]) -> list[Row]:
    """The rows that were added."""
    old = {(row["organisation_id"], row["sequence"]) for row in known}
    return [
        row for row in await rows(gateway) if (row["organisation_id"], row["sequence"]) not in old
    ]


def pages() -> list[tuple[str, str, str]]:
    """Name, method and path of every page; the document has none of them."""
    routes = [route for router in ROUTERS for route in router.routes]
    assert all(isinstance(route, APIRoute) for route in routes)
    return [
        (route.name, method, route.path)
        for route in routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    ]


def test_every_page_is_known_to_be_one_by_its_name() -> None:
    assert all(is_page(name) for name, _, _ in pages())


def test_every_operation_has_an_action_or_a_reason_for_none(gateway: Gateway) -> None:
    known = [(each.name, each.method, each.path) for each in operations(gateway)] + pages()
    names = {name for name, _, _ in known}
    audited = {
        name: action(name, method, path) for name, method, path in known if name not in NOT_AUDITED
    }

    assert names >= NAMED.keys() | NOT_AUDITED.keys()
    assert all(NOT_AUDITED.values())
    for name, done in audited.items():
        assert _NAME.fullmatch(done.name), name
        assert done.subject, name


async def test_whoever_asks_for_whatever_leaves_a_row_that_says_what_became_of_it(
    cast: Cast,
) -> None:
    for operation in operations(cast.gateway):
        for by in (cast.ours[Role.ADMIN], cast.stranger, cast.gateway.anonymous):
            known = await rows(cast.gateway)
            answer = await operation.tried(by, cast.ids)
            found = await rows_since(cast.gateway, known)
            await _check(operation, answer.status_code, found)
        if operation.method == "DELETE":
            await cast.with_new_records()
    assert await findings(cast.gateway) == []


async def _check(operation: Operation, status: int, found: list[Row]) -> None:
    if operation.name in NOT_AUDITED and status not in {401, 403, 429}:
        assert found == [], operation
        return
    done = action(operation.name, operation.method, operation.path)
    entered = [row for row in found if done.name != ENTRY and row["action"] == ENTRY]
    assert bool(entered) == (operation.name == "register" and status < 300), operation
    *begun, ended = [row for row in found if row not in entered]
    assert [row["outcome"] for row in begun] in ([], ["begun"]), operation
    if status < 300 and operation.name not in {"sign_in", "refresh"}:
        assert bool(begun) == done.changes, operation
    assert {row["operation"] for row in found} == {operation.name}
    assert {row["action"] for row in (*begun, ended)} == {done.name}
    assert ended["status"] == status, operation
    assert ended["outcome"] == ("done" if status < 400 else "refused"), operation
