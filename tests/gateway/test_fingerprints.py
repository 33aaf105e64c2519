"""What is kept of a request with an Idempotency-Key, and what cannot be read from it."""

from pathlib import Path
from typing import get_type_hints

import argon2
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import select

from services.gateway import once, routes
from services.gateway.analyses import Leftovers, retention
from services.gateway.database import Database
from services.gateway.dependencies import SecretKeyedDep
from services.gateway.records import KeyedRequest, now
from services.gateway.store import Folder
from tests.gateway.conftest import PASSWORD, Gateway
from tests.gateway.test_database import add
from tests.gateway.test_once import KEY, kept, patient
from tests.gateway.test_patients import ANN, listed


async def test_neither_a_key_nor_a_body_can_be_read_from_what_is_kept(either: Gateway) -> None:
    alice = await either.signed_in()
    await patient(alice)

    row = await kept(either)

    assert KEY["Idempotency-Key"] not in str(row.model_dump())
    assert ANN["identifier"] not in (row.digest, row.fingerprint)


async def test_a_password_costs_as_much_to_guess_from_a_fingerprint_as_from_its_hash(
    either: Gateway,
) -> None:
    """Whoever holds the database and guesses the key still has argon2id before each try."""
    admin = await either.admin()
    user = {"username": "the.nurse", "password": PASSWORD, "role": "viewer"}
    answer = await admin("POST", "/v1/users", json=user, headers={"Idempotency-Key": "nurse-1"})
    me = (await admin("GET", "/v1/me")).json()["id"]

    row = await kept(either)
    user["password"] = "another password"
    other = await admin("POST", "/v1/users", json=user, headers={"Idempotency-Key": "nurse-1"})

    assert (answer.status_code, other.status_code) == (201, 422)
    guess = once.Keyed("/v1/users", "nurse-1", (answer.request.content,))
    tried = argon2.low_level.hash_secret_raw(
        bytes.fromhex(guess.fingerprint(me)),
        bytes.fromhex(row.digest),
        time_cost=2,
        memory_cost=19_456,
        parallelism=1,
        hash_len=32,
        type=argon2.Type.ID,
    )
    assert guess.digest(me) == row.digest
    assert guess.fingerprint(me) != row.fingerprint
    assert tried.hex() == row.fingerprint


async def test_only_requests_that_are_known_to_bring_a_password_bring_one(
    gateway: Gateway,
) -> None:
    secret = {
        route.path
        for router in routes.ALL
        for route in router.routes
        if isinstance(route, APIRoute)
        and SecretKeyedDep in get_type_hints(route.endpoint, include_extras=True).values()
    }
    document = gateway.app.openapi()
    keyed = {
        path: str(methods["post"].get("requestBody"))
        for path, methods in document["paths"].items()
        if "Idempotency-Key" in str(methods.get("post"))
    }
    shapes = document["components"]["schemas"]
    with_password = {
        path
        for path, body in keyed.items()
        if any(f"schemas/{name}'" in body and "password" in str(shapes[name]) for name in shapes)
    }

    assert secret == with_password == {"/v1/users"}


async def test_a_purge_leaves_nothing_to_try_a_number_on(either: Gateway) -> None:
    """A number of a patient is short; what was made of one that is gone must not show it."""
    alice = await either.signed_in()
    made = await patient(alice)
    await alice("DELETE", made.headers["Location"], headers={"If-Match": "*"})

    await either.purge_settled()

    assert (await kept(either)).fingerprint == ""
    assert (await patient(alice)).status_code == 409
    assert await listed(alice, "/v1/patients") == []


async def test_a_purge_forgets_what_more_requests_brought_than_it_does_at_once(
    records: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_ROWS_AT_ONCE", 2)
    for digest in ("a", "b", "c", "d", "e"):
        await add(records, KeyedRequest(digest=digest, fingerprint="f", held_until=now()))

    leftovers = Leftovers(records, Folder(tmp_path))
    await retention.Retention(records, leftovers).purge(now())

    rows = await records.read(lambda session: [*session.scalars(select(KeyedRequest))])
    assert [row.fingerprint for row in rows] == [""] * 5
