"""The databases of the tests themselves: none is done without unasked."""

from pathlib import Path

import pytest

from tests.gateway import databases


def test_a_postgresql_that_does_not_start_fails_a_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(databases.WITHOUT, raising=False)

    with (
        pytest.raises(RuntimeError, match=databases.WITHOUT),
        databases.postgres(nowhere(tmp_path)),
    ):
        """It never comes to this."""


def test_a_postgresql_that_does_not_start_is_done_without_where_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(databases.WITHOUT, "1")

    with (
        pytest.raises(pytest.skip.Exception, match="does not start"),
        databases.postgres(nowhere(tmp_path)),
    ):
        """Nor here."""


def nowhere(tmp_path: Path) -> Path:
    """A place for a server that nothing can be made in."""
    return tmp_path / "missing" / "data"
