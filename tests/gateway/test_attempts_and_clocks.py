"""Guessed passwords where the clocks of replicas differ: nobody waits longer for that."""

import pytest

from tests.gateway.clocks import set_ahead
from tests.gateway.conftest import PASSWORD, Start
from tests.gateway.test_attempts import exhausted, sign_in


async def test_who_guessed_at_a_gateway_whose_clock_is_ahead_waits_no_longer_at_others(
    start: Start, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start(database_url=postgres_url) as gateway:
        await gateway.signed_in("alice")
        with monkeypatch.context() as patch:
            set_ahead(patch)
            await exhausted(gateway)

        answer = await sign_in(gateway, PASSWORD)

    assert int(answer.headers.get("Retry-After", "0")) <= 1
