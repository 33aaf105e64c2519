"""How long a gateway waits for what it needs: in tests longer than where it serves."""

import pytest

from services.gateway import composition, health
from services.gateway.database import opening
from services.gateway.reports import reporter
from tests.gateway.conftest import Gateway


async def test_the_count_of_a_quota_is_waited_for_as_long_as_the_guide_says(
    gateway: Gateway,
) -> None:
    assert gateway.parts.address_quota._patience_s == 0.25


def test_what_is_slow_is_waited_for_briefly_where_nobody_tests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()

    assert (composition._HEALTH_TIMEOUT_S, health._TIMEOUT_S) == (1.0, 1.0)
    assert opening._PATIENCE_S == 5.0
    assert reporter._TELLING_SHARE == 0.8
