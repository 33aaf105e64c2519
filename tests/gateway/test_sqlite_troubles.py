"""SQLite in trouble: what is told of it, and what it does afterwards."""

import errno
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from services.gateway import database
from services.gateway.database import EVERYTHING
from tests.gateway.test_database import a_user, add, users


async def test_what_cannot_even_be_undone_is_told_as_it_was_and_what_follows_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: Session) -> None:
        raise ValueError("why")

    def broken(_: Connection) -> None:
        raise OSError(errno.EIO, "")

    async with database.opened(f"sqlite:///{tmp_path / 'test.db'}", 60) as records:
        with monkeypatch.context() as patch:
            patch.setattr(Connection, "close", broken)
            with pytest.raises(ValueError, match="why"):
                await records.write(refused, EVERYTHING)
        await add(records, a_user())

        assert len(await users(records)) == 1
