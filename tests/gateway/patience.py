"""Fixtures for whoever is not sent away because a machine has much to do."""

import pytest

from services.gateway import composition, evaluations, health, limits
from services.gateway.database import opening, postgresql
from services.gateway.database.postgresql import Postgresql

PATIENCE_S = 60


@pytest.fixture(autouse=True)
def health_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is well is not taken for down; who writes waits for those before them."""
    monkeypatch.setattr(composition, "_HEALTH_TIMEOUT_S", PATIENCE_S)
    monkeypatch.setattr(health, "_TIMEOUT_S", PATIENCE_S)
    monkeypatch.setattr(opening, "_PATIENCE_S", PATIENCE_S)


@pytest.fixture
def locks_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody who waits for a lock of PostgreSQL, or for one of its connections, is sent away."""
    monkeypatch.setattr(postgresql, "_STATEMENT_S", PATIENCE_S)
    monkeypatch.setattr(Postgresql.__init__, "__defaults__", (PATIENCE_S,))


@pytest.fixture
def figures_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures of models are there before a report is printed."""
    monkeypatch.setattr(evaluations, "_PATIENCE_S", PATIENCE_S)


@pytest.fixture
def quotas_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is let in uncounted."""
    monkeypatch.setattr(composition, "_QUOTA_PATIENCE_S", PATIENCE_S)


@pytest.fixture
def quotas_last(monkeypatch: pytest.MonkeyPatch, quotas_are_counted: None) -> None:
    """Who has spent a quota has none until the test is over."""
    del quotas_are_counted
    monkeypatch.setattr(limits.Policy.__init__, "__defaults__", (30 * 24 * 3600,))
