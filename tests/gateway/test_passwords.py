"""Passwords: which are taken, how they are kept and changed, what a flood of them costs."""

import asyncio
import threading
from typing import Any

import argon2
import httpx
import pytest
from sqlalchemy import select, update
from sqlmodel import col

from services.gateway import errors
from services.gateway.app import BootError
from services.gateway.records import User
from services.gateway.security import common_passwords, passwords
from tests.gateway.conftest import PASSWORD, Client, Gateway, Start

NEW = "lamp under the stairs"


async def sign_in(gateway: Gateway, username: str, password: str) -> httpx.Response:
    return await gateway.anonymous(
        "POST", "/v1/auth/token", data={"username": username, "password": password}
    )


async def change(client: Client, current: str, new: str) -> httpx.Response:
    body = {"current_password": current, "new_password": new}
    return await client("PUT", "/v1/me/password", json=body)


async def stored(gateway: Gateway, username: str = "alice") -> str:
    found = select(col(User.password_hash)).where(col(User.username) == username)
    kept: str | None = await gateway.parts.accounts._database.read(
        lambda session: session.scalar(found)
    )
    assert kept is not None
    return kept


@pytest.mark.parametrize(
    "password",
    [
        "12345678",
        "Password1",
        "trustno1",
        "dermserve2026!",
        "  Melanoma  ",
        "1 hospital",
        "robin.williams",
        "Robin.Williams99",
    ],
)
async def test_a_password_that_others_would_try_first_is_refused(
    gateway: Gateway, password: str
) -> None:
    answer = await gateway.anonymous(
        "POST", "/v1/auth/register", json={"username": "robin.williams", "password": password}
    )

    assert answer.status_code == 422
    assert "among the first" in answer.json()["detail"]
    assert password not in answer.text


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


async def test_a_flood_of_sign_ins_is_refused_beyond_its_bound_and_the_rest_is_answered(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, matches = threading.Event(), passwords.matches

    def held(password: str, of: str | None) -> bool:
        assert go_on.wait(30)
        return matches(password, of)

    async with start(max_password_checks=3) as gateway:
        await gateway.signed_in("alice")
        monkeypatch.setattr(passwords, "matches", held)
        flood = [asyncio.create_task(sign_in(gateway, "alice", PASSWORD)) for _ in range(10)]
        refused = []
        for done in asyncio.as_completed(flood):
            refused.append(await done)
            if len(refused) == 7:
                go_on.set()
                break
        answers = await asyncio.gather(*flood)

        assert sorted(answer.status_code for answer in answers) == [200] * 3 + [503] * 7
        for answer in refused:
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) >= 1
            assert answer.json()["detail"].startswith("Too many passwords")
        assert (await sign_in(gateway, "alice", PASSWORD)).status_code == 200


async def test_unknown_wrong_and_disabled_cost_the_same_work_and_get_the_same_answer(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("alice", "gone"):
        await either.signed_in(name)
    await either.parts.accounts.disable("gone")
    work = spied(either, monkeypatch)

    seen = {}
    for case, (name, password) in {
        "wrong password": ("alice", "not the password"),
        "unknown user": ("nobody", "not the password"),
        "disabled user": ("gone", PASSWORD),
        "disabled user, wrong password": ("gone", "not the password"),
    }.items():
        work.clear()
        answer = await sign_in(either, name, password)
        told = {k: v for k, v in answer.json().items() if k != "request_id"}
        headers = {k: v for k, v in answer.headers.items() if k != "x-request-id"}
        seen[case] = (answer.status_code, told, headers, list(work))

    first = seen["wrong password"]
    assert first[0] == 401
    assert first[3].count("$argon2id$v=19$m=19456,t=2,p=1") == 1
    for case, same in seen.items():
        assert same == first, case


def spied(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done from now on: passwords verified, with what parameters; visits to records."""
    work: list[str] = []
    verify = argon2.low_level.verify_secret

    def verified(known: bytes, *rest: Any) -> bool:
        work.append(known.decode().rpartition("$")[0].rpartition("$")[0])
        return verify(known, *rest)

    # Where the library's hasher looks it up: it does the work that takes time.
    monkeypatch.setattr("argon2._password_hasher.verify_secret", verified)
    database = type(gateway.parts.accounts._database)
    for visit in ("read", "write"):
        real = getattr(database, visit)

        def visited(self: Any, task: Any, real: Any = real, visit: str = visit) -> Any:
            work.append(visit)
            return real(self, task)

        monkeypatch.setattr(database, visit, visited)
    return work


async def test_a_common_password_of_the_administrator_is_refused_at_boot(start: Start) -> None:
    with pytest.raises(BootError, match="DERMSERVE_GATEWAY_ADMIN_PASSWORD") as told:
        async with start(admin_password="password1"):
            pass

    assert "password1" not in str(told.value)
    assert isinstance(told.value.__cause__, errors.InvalidRequestError)
