"""What it costs to check passwords, whoever asks, and how many are checked at a time."""

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Any

import argon2
import httpx
import pytest
from sqlalchemy import func, select

from services.gateway.database import EVERYTHING, Within
from services.gateway.records import FailedAttempts
from services.gateway.security import passwords
from tests.gateway.conftest import PASSWORD, Gateway, Start
from tests.gateway.test_passwords import sign_in


async def test_a_flood_of_sign_ins_is_refused_beyond_its_bound_and_the_rest_is_answered(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, matches = threading.Event(), passwords.matches

    def held(password: str, of: str | None) -> bool:
        assert go_on.wait(60)
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


class AtOnce:
    """Counts who hashes at the same time; nobody ends before so many have begun together."""

    def __init__(self, together: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()
        self._together = threading.Barrier(together, timeout=60)
        # Where the library's hasher looks them up: they do the work that takes time and memory.
        for name in ("hash_secret", "verify_secret"):
            where = f"argon2._password_hasher.{name}"
            monkeypatch.setattr(where, self._counted(getattr(argon2.low_level, name)))

    def _counted(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **named: Any) -> Any:
            with self._lock:
                self._now += 1
                self.most = max(self.most, self._now)
            try:
                self._together.wait()
                return work(*given, **named)
            finally:
                with self._lock:
                    self._now -= 1

        return counted


async def test_of_many_who_come_at_once_no_more_than_four_have_a_password_hashed_at_a_time(
    start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound = min(len(os.sched_getaffinity(0)), 4)
    async with start(database_url=database_url) as gateway:
        hashing = AtOnce(bound, monkeypatch)
        # As many as any bound up to four divides.
        answers = await asyncio.gather(
            *(sign_in(gateway, f"nobody{each}", PASSWORD) for each in range(12)),
            *(register(gateway, f"somebody{each}") for each in range(12)),
        )

    assert {answer.status_code for answer in answers[:12]} == {401}
    assert {answer.status_code for answer in answers[12:]} == {201}
    assert hashing.most == bound


async def register(gateway: Gateway, username: str) -> httpx.Response:
    wanted = {"username": username, "password": PASSWORD}
    return await gateway.anonymous("POST", "/v1/auth/register", json=wanted)


async def test_a_flood_of_sign_ins_writes_nothing_for_those_it_turns_away(start: Start) -> None:
    async with start(max_password_checks=1) as gateway:
        with gateway.parts.passwords.turn():
            answers = await asyncio.gather(
                *(sign_in(gateway, f"nobody{number}", PASSWORD) for number in range(20))
            )
        assert {answer.status_code for answer in answers} == {503}
        counts = await gateway.parts.accounts._database.read(
            lambda session: session.scalar(select(func.count()).select_from(FailedAttempts))
        )
        assert counts == 0


async def test_unknown_wrong_and_disabled_cost_the_same_work_and_get_the_same_answer(
    start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = {
        "wrong password": ("alice", "not the password"),
        "unknown user": ("nobody", "not the password"),
        "disabled user": ("gone", PASSWORD),
        "disabled user, wrong password": ("gone", "not the password"),
    }
    seen = {}
    async with start(database_url=database_url) as gateway:
        for name in ("alice", "gone"):
            await gateway.signed_in(name)
        await gateway.parts.accounts.disable("gone")
        await sign_in(gateway, "alice", PASSWORD)  # the first try of a process clears up, too
        work = spied(gateway, monkeypatch)
        for case, (name, password) in cases.items():
            work.clear()
            answer = await sign_in(gateway, name, password)
            told = {k: v for k, v in answer.json().items() if k != "request_id"}
            own = {"x-request-id", "ratelimit"}
            headers = {k: v for k, v in answer.headers.items() if k not in own}
            seen[case] = (answer.status_code, told, headers, list(work))

    first = seen["wrong password"]
    assert first[0] == 401
    assert first[3].count("$argon2id$v=19$m=19456,t=2,p=1") == 1
    for case, same in seen.items():
        assert same == first, case


def spied(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done from now on: passwords verified, with what parameters; visits to records.

    Not those of the clock: who looks for something to do each second has another way to them, and
    so has from here on who asks for a quota anew when what was leased of it is too old.
    """
    work: list[str] = []
    verify = argon2.low_level.verify_secret

    def verified(known: bytes, *rest: Any) -> bool:
        work.append(known.decode().rpartition("$")[0].rpartition("$")[0])
        return verify(known, *rest)

    # Where the library's hasher looks it up: it does the work that takes time.
    monkeypatch.setattr("argon2._password_hasher.verify_secret", verified)
    database = gateway.parts.accounts._database
    apart = Within(database, EVERYTHING)
    monkeypatch.setattr(gateway.parts.address_quota, "_database", apart)
    for visit in ("read", "write"):
        real = getattr(database, visit)

        def visited(task: Any, real: Any = real, visit: str = visit) -> Any:
            work.append(visit)
            return real(task)

        monkeypatch.setattr(database, visit, visited)
    return work
