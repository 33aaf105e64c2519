"""Passwords: which are taken, how they are kept and changed, what a flood of them costs."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import argon2
import httpx
import pytest
from sqlalchemy import select, text, update
from sqlmodel import col

from services.gateway import errors
from services.gateway.boot import BootError
from services.gateway.records import User
from services.gateway.security import common_passwords, passwords
from tests.gateway.conftest import PASSWORD, Client, Gateway, Start
from tests.gateway.test_bulk_locks import WAITING
from tests.gateway.test_database import connected

NEW = "lamp under the stairs"


async def sign_in(gateway: Gateway, username: str, password: str) -> httpx.Response:
    return await gateway.anonymous(
        "POST", "/v1/auth/token", data={"username": username, "password": password}
    )


async def change(client: Client, current: str, new: str) -> httpx.Response:
    body = {"current_password": current, "new_password": new}
    return await client("PUT", "/v1/me/password", json=body)


@asynccontextmanager
async def just_checked(
    monkeypatch: pytest.MonkeyPatch, asking: Coroutine[Any, Any, httpx.Response]
) -> AsyncIterator[asyncio.Task[httpx.Response]]:
    """Begin a request, and hold it for the block in the moment when its password was checked."""
    checked, go_on, matches = threading.Event(), threading.Event(), passwords.matches

    def held(password: str, of: str | None) -> bool:
        right = matches(password, of)
        checked.set()
        assert go_on.wait(60)
        return right

    monkeypatch.setattr(passwords, "matches", held)
    begun = asyncio.create_task(asking)
    assert await asyncio.to_thread(checked.wait, 60)
    monkeypatch.setattr(passwords, "matches", matches)  # whoever comes now is not held
    try:
        yield begun
    finally:
        go_on.set()


@pytest.mark.usefixtures("locks_are_waited_for")
async def test_a_password_is_not_changed_in_a_sign_in_that_ended_while_it_waited(
    start: Start, postgres_url: str
) -> None:
    async with (
        start(database_url=postgres_url) as gateway,
        connected(postgres_url) as other,
        connected(postgres_url) as watch,
    ):
        alice = await gateway.signed_in()
        await other.execute(text("BEGIN"))
        await other.execute(text("SELECT id FROM users WHERE username = 'alice' FOR UPDATE"))
        await other.execute(text("UPDATE sign_ins SET revoked_at = now()"))
        changing = asyncio.ensure_future(change(alice, PASSWORD, NEW))
        while not (await watch.scalar(WAITING) or changing.done()):  # noqa: ASYNC110 - asks a server
            await asyncio.sleep(0)
        await other.execute(text("COMMIT"))

        assert (await changing).status_code == 403
        assert (await sign_in(gateway, "alice", PASSWORD)).status_code == 200


async def stored(gateway: Gateway, username: str = "alice") -> str:
    found = select(col(User.password_hash)).where(col(User.username) == username)
    kept: str | None = await gateway.parts.accounts._database.read(
        lambda session: session.scalar(found)
    )
    assert kept is not None
    return kept


COMMON = [
    "12345678",
    "Password1",
    "trustno1",
    "dermserve2026!",
    "  Melanoma  ",
    "1 hospital",
    "robin.williams",
    "Robin.Williams99",
]


async def test_a_password_that_others_would_try_first_is_refused(either: Gateway) -> None:
    for password in COMMON:
        answer = await either.anonymous(
            "POST", "/v1/auth/register", json={"username": "robin.williams", "password": password}
        )

        assert answer.status_code == 422, password
        assert "among the first" in answer.json()["detail"], password
        assert password not in answer.text, password


def test_a_username_of_digits_rules_out_only_itself() -> None:
    assert common_passwords.is_common("4711", "4711")
    assert not common_passwords.is_common("83 61 94 27 50", "4711")


@pytest.mark.parametrize(
    "password", ["aaaaaaa z", "only small letters", "€ ¥ 漢字 🩺 x", "x" * 128, "          \t "]
)
async def test_any_characters_make_a_password_and_every_one_counts(
    either: Gateway, password: str
) -> None:
    await either.signed_in("alice", password)

    assert (await sign_in(either, "alice", password)).status_code == 200
    assert (await sign_in(either, "alice", password[:-1])).status_code == 401
    assert (await sign_in(either, "alice", password + " ")).status_code == 401


def test_at_least_3000_common_passwords_of_the_length_that_is_asked_for_are_known() -> None:
    long_enough = {
        word for word in common_passwords._known() if passwords.fault_of(word, "nobody") is not None
    }

    assert len([word for word in long_enough if len(word) >= passwords.MIN_LENGTH]) >= 3000


async def test_a_changed_password_replaces_the_old_one_and_ends_other_sign_ins(
    either: Gateway,
) -> None:
    here = await either.signed_in("alice")
    elsewhere = (await sign_in(either, "alice", PASSWORD)).json()

    assert (await change(here, PASSWORD, NEW)).status_code == 204

    assert (await here("GET", "/v1/me")).status_code == 200
    there = Client(either.http, elsewhere["access_token"])
    assert (await there("GET", "/v1/me")).status_code == 401
    body = {"refresh_token": elsewhere["refresh_token"]}
    assert (await either.anonymous("POST", "/v1/auth/refresh", json=body)).status_code == 401
    assert (await sign_in(either, "alice", PASSWORD)).status_code == 401
    assert (await sign_in(either, "alice", NEW)).status_code == 200


@pytest.mark.parametrize(
    ("current", "new", "status"),
    [
        ("not her password", NEW, 403),
        (PASSWORD, PASSWORD, 422),
        (PASSWORD, "password1", 422),
        (PASSWORD, "short77", 422),
    ],
)
async def test_a_password_is_not_changed_without_the_old_one_or_to_a_bad_one(
    either: Gateway, current: str, new: str, status: int
) -> None:
    alice = await either.signed_in("alice")
    elsewhere = (await sign_in(either, "alice", PASSWORD)).json()["access_token"]

    answer = await change(alice, current, new)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (await sign_in(either, "alice", PASSWORD)).status_code == 200
    assert (await Client(either.http, elsewhere)("GET", "/v1/me")).status_code == 200


async def test_who_is_not_signed_in_changes_no_password(gateway: Gateway) -> None:
    assert (await change(gateway.anonymous, PASSWORD, NEW)).status_code == 401


async def test_a_hash_of_another_day_is_renewed_when_its_owner_signs_in(either: Gateway) -> None:
    await either.signed_in("alice")
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    older = update(User).where(col(User.username) == "alice").values(password_hash=weak)
    await either.parts.accounts._database.write(lambda session: session.execute(older))

    assert (await sign_in(either, "alice", "wrong password")).status_code == 401
    assert await stored(either) == weak
    assert (await sign_in(either, "alice", PASSWORD)).status_code == 200
    renewed = await stored(either)
    assert renewed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (await sign_in(either, "alice", PASSWORD)).status_code == 200
    assert await stored(either) == renewed


@pytest.mark.parametrize("meanwhile", ["the password is changed", "the user is disabled"])
async def test_a_sign_in_does_not_outlive_what_happens_while_its_password_is_checked(
    either: Gateway, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    alice = await either.signed_in("alice")
    async with just_checked(monkeypatch, sign_in(either, "alice", PASSWORD)) as begun:
        if meanwhile == "the user is disabled":
            await either.parts.accounts.disable("alice")
        else:
            assert (await change(alice, PASSWORD, NEW)).status_code == 204
    assert (await begun).status_code == 401


@pytest.mark.parametrize("meanwhile", ["the owner changes it", "the owner ends the sign-in"])
async def test_who_knows_only_the_former_password_cannot_undo_what_its_owner_did_meanwhile(
    either: Gateway, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    owner = await either.signed_in("alice")
    token = (await sign_in(either, "alice", PASSWORD)).json()
    thief = Client(either.http, token["access_token"])
    theft = change(thief, PASSWORD, "the password of a thief")
    async with just_checked(monkeypatch, theft) as begun:
        if meanwhile == "the owner changes it":
            assert (await change(owner, PASSWORD, NEW)).status_code == 204
        else:
            ended = {"refresh_token": token["refresh_token"]}
            assert (await either.anonymous("POST", "/v1/auth/logout", json=ended)).is_success
    assert (await begun).status_code == 403
    theirs = NEW if meanwhile == "the owner changes it" else PASSWORD
    assert (await sign_in(either, "alice", theirs)).status_code == 200


async def test_a_common_password_of_the_administrator_is_refused_at_boot(start: Start) -> None:
    with pytest.raises(BootError, match="DERMSERVE_GATEWAY_ADMIN_PASSWORD") as told:
        async with start(admin_password="password1"):
            pass

    assert "password1" not in str(told.value)
    assert isinstance(told.value.__cause__, errors.InvalidRequestError)
