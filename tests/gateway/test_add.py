"""Accounts made by hand, where registration is closed and there is no other command line."""

import asyncio
import getpass
from pathlib import Path

import pytest

from services.gateway import add
from services.gateway.boot import open_accounts
from services.gateway.database import EVERYTHING
from tests.gateway.conftest import PASSWORD
from tests.gateway.installation import settings_for


def made(folder: Path) -> list[tuple[str, str]]:
    async def listed() -> list[tuple[str, str]]:
        async with open_accounts(settings_for(folder)) as accounts:
            users = (await accounts.page(EVERYTHING, 10, None)).items
        return [(user.username, user.role) for user in users]

    return asyncio.run(listed())


def test_accounts_are_made_with_a_password_that_is_typed_or_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DERMSERVE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: PASSWORD)

    assert add.main(["Alice"]) == 0
    monkeypatch.setenv("DERMSERVE_NEW_PASSWORD", PASSWORD)
    assert add.main(["bob", "--admin"]) == 0
    assert add.main(["alice"]) == 2

    assert made(tmp_path) == [("bob", "admin"), ("alice", "clinician")]
    written = capsys.readouterr()
    assert written.err == "dermserve: This username is taken. Choose another one.\n"
    assert PASSWORD not in written.out
