"""Refresh tokens: exchanged once, forgiven a lost answer, and nothing else."""

import asyncio
from datetime import timedelta

import pytest

from services.gateway.records import now
from tests.gateway.clocks import set_ahead
from tests.gateway.conftest import PASSWORD, Gateway, Start
from tests.gateway.test_auth import fresh, me, refresh, sign_in

CLOCK = "services.gateway.identity.rotation.now"
DATABASE_CLOCK = "services.gateway.identity.rotation.moment_of"


async def test_a_refresh_token_is_exchanged_for_a_new_pair(either: Gateway) -> None:
    first = await fresh(either)

    answer = await refresh(either, first["refresh_token"])

    assert answer.status_code == 200
    second = answer.json()
    assert second["refresh_token"] != first["refresh_token"]
    assert (await me(either, second["access_token"])).status_code == 200
    assert (await refresh(either, second["refresh_token"])).status_code == 200


async def test_a_token_used_again_after_its_successor_ends_the_whole_sign_in(
    either: Gateway,
) -> None:
    first = await fresh(either)
    other = (await sign_in(either, "alice", PASSWORD)).json()
    second = (await refresh(either, first["refresh_token"])).json()
    third = (await refresh(either, second["refresh_token"])).json()

    stolen = await refresh(either, first["refresh_token"])

    assert stolen.status_code == 401
    assert (await refresh(either, third["refresh_token"])).status_code == 401
    assert (await me(either, third["access_token"])).status_code == 401
    # Another sign-in of the same user has nothing to do with it.
    assert (await me(either, other["access_token"])).status_code == 200


async def test_a_lost_answer_can_be_asked_for_again_and_the_lost_pair_is_dead(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await fresh(either)
    moment = now()
    monkeypatch.setattr(DATABASE_CLOCK, lambda _: moment)
    lost = (await refresh(either, first["refresh_token"])).json()

    again = await refresh(either, first["refresh_token"])

    assert again.status_code == 200
    # Whoever has the lost one gets nothing, and gives away that two hold tokens.
    assert (await refresh(either, lost["refresh_token"])).status_code == 401
    assert (await refresh(either, again.json()["refresh_token"])).status_code == 401


async def test_a_lost_answer_cannot_be_asked_for_again_later(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await fresh(either)
    second = (await refresh(either, first["refresh_token"])).json()
    monkeypatch.setattr(DATABASE_CLOCK, lambda _: now() + timedelta(seconds=11))

    assert (await refresh(either, first["refresh_token"])).status_code == 401
    assert (await refresh(either, second["refresh_token"])).status_code == 401


async def test_a_clock_that_is_ahead_does_not_prolong_the_time_for_a_lost_answer(
    start: Start, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exchanged by a gateway whose clock is ahead, it comes again at one whose clock is right."""
    async with start(database_url=postgres_url) as gateway:
        first = await fresh(gateway)
        with monkeypatch.context() as patch:
            set_ahead(patch)
            second = (await refresh(gateway, first["refresh_token"])).json()
        monkeypatch.setattr(DATABASE_CLOCK, lambda _: now() + timedelta(seconds=11))

        assert (await refresh(gateway, first["refresh_token"])).status_code == 401
        assert (await refresh(gateway, second["refresh_token"])).status_code == 401


async def test_of_many_exchanges_at_once_one_token_at_most_stays_alive(either: Gateway) -> None:
    first = await fresh(either)

    answers = await asyncio.gather(*(refresh(either, first["refresh_token"]) for _ in range(5)))

    alive = [a.json()["refresh_token"] for a in answers if a.status_code == 200]
    assert alive
    used = [await refresh(either, token) for token in alive]
    assert sum(answer.status_code == 200 for answer in used) <= 1


async def test_a_sign_in_ends_however_often_it_is_refreshed(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await fresh(either)
    later = timedelta(seconds=either.settings.refresh_token_s + 1)
    monkeypatch.setattr(CLOCK, lambda: now() + later)

    assert (await refresh(either, first["refresh_token"])).status_code == 401


async def test_refresh_tokens_that_are_none_are_refused(either: Gateway) -> None:
    for token in ("", "nonsense", "x" * 300, "ü\0"):
        assert (await refresh(either, token)).status_code in {401, 422}, token


async def test_an_access_token_does_not_refresh(either: Gateway) -> None:
    pair = await fresh(either)

    assert (await refresh(either, pair["access_token"])).status_code in {401, 422}
