"""What it costs to check passwords, whoever asks, and how many are checked at a time."""

import asyncio
import threading
from typing import Any

import argon2
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
