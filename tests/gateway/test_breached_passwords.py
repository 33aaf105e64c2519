"""Passwords that became public elsewhere, in a file as Have I Been Pwned's downloader writes it."""

import hashlib
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from services.cli.users import _accounts
from services.cli.users import app as users_app
from services.gateway import errors
from services.gateway.boot import BootError, open_accounts, open_records
from services.gateway.security.breached_passwords import BreachedPasswords, UnusableFileError
from tests.gateway.conftest import PASSWORD, Client, Gateway, Start
from tests.gateway.test_password_resets import issued
from tests.gateway.test_passwords import change, sign_in

BREACHED = "DERMSERVE_GATEWAY_BREACHED_PASSWORDS"
PUBLIC = "lighthouse keeper of 1978"
PUBLIC_ELSEWHERE = "became public in a breach"


def digest(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


def written(path: Path, passwords: list[str], end: str = "\r\n") -> Path:
    """Write such a file; the last line of the real one has an end, too."""
    lines = sorted(f"{digest(each)}:{7 ** (number % 9)}" for number, each in enumerate(passwords))
    path.write_bytes("".join(line + end for line in lines).encode())
    return path


@pytest.fixture
def breached(tmp_path: Path) -> Path:
    return written(tmp_path / "pwnedpasswords.txt", [PUBLIC, *map(str, range(10**8, 10**8 + 999))])


async def register(gateway: Gateway, username: str, password: str) -> tuple[int, str]:
    body = {"username": username, "password": password}
    answer = await gateway.anonymous("POST", "/v1/auth/register", json=body)
    return answer.status_code, answer.json().get("detail", "")


async def redeem(client: Client, code: str, password: str) -> tuple[int, str]:
    body = {"code": code, "new_password": password}
    answer = await client("POST", "/v1/auth/password-reset", json=body)
    return answer.status_code, "" if answer.is_success else answer.json()["detail"]


async def test_a_password_that_became_public_is_refused_wherever_one_is_chosen(
    start: Start, breached: Path
) -> None:
    async with start(breached_passwords=breached) as gateway:
        status, told = await register(gateway, "bob", PUBLIC)
        assert (status, PUBLIC_ELSEWHERE in told, PUBLIC in told) == (422, True, False)

        alice = await gateway.signed_in("alice")
        changed = await change(alice, PASSWORD, PUBLIC)
        assert changed.status_code == 422
        assert PUBLIC_ELSEWHERE in changed.json()["detail"]

        code = (await issued(await gateway.admin(), alice)).json()["code"]
        status, told = await redeem(gateway.anonymous, code, PUBLIC)
        assert (status, PUBLIC_ELSEWHERE in told) == (422, True)
        assert await redeem(gateway.anonymous, code, f"{PUBLIC}!") == (204, "")


async def test_commands_refuse_it_too(
    start: Start, breached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start() as gateway:
        monkeypatch.setenv("DERMSERVE_DATA_DIR", str(gateway.settings.data_dir))
        monkeypatch.setenv(BREACHED, str(breached))
        told = gateway.settings.model_copy(update={"breached_passwords": breached})
        async with open_accounts(told) as accounts, open_records(told) as records:
            for each in (accounts, _accounts(records)):
                with pytest.raises(errors.InvalidRequestError, match=PUBLIC_ELSEWHERE):
                    await each.create("carol", PUBLIC)


def test_nobody_is_kept_in_for_want_of_the_file(
    breached: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DERMSERVE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DERMSERVE_NEW_PASSWORD", PASSWORD)
    monkeypatch.setenv(BREACHED, str(breached))
    users = partial(CliRunner().invoke, users_app)
    assert users(["create", "carol"]).output == "carol: clinician\n"
    breached.write_bytes(b"password\n")

    assert users(["create", "dan"]).exit_code == 1
    assert users(["promote", "carol"]).output == "carol: admin\n"
    assert users(["create", "dan"], env={BREACHED: None}).exit_code == 0
    assert users(["disable", "dan"]).output == "dan: disabled\n"


async def test_who_has_such_a_password_already_signs_in(
    start: Start, breached: Path, tmp_path: Path
) -> None:
    grown = written(tmp_path / "grown.txt", [PUBLIC, PASSWORD])
    async with start(breached_passwords=breached) as gateway:
        await gateway.signed_in("alice")
        grown.replace(breached)

        assert (await sign_in(gateway, "alice", PASSWORD)).status_code == 200
        assert (await register(gateway, "bob", PASSWORD))[0] == 422


async def test_without_the_file_no_password_is_chosen_and_everybody_signs_in(
    start: Start, breached: Path
) -> None:
    async with start(breached_passwords=breached) as gateway:
        await gateway.signed_in("alice")
        breached.rename(breached.with_name("elsewhere"))  # noqa: ASYNC240 - of a test alone

        assert (await register(gateway, "bob", "lamp under the stairs"))[0] == 503
        assert (await sign_in(gateway, "alice", PASSWORD)).status_code == 200


async def test_a_public_password_of_the_administrator_is_refused_at_boot(
    start: Start, breached: Path
) -> None:
    with pytest.raises(BootError, match="DERMSERVE_GATEWAY_ADMIN_PASSWORD"):
        async with start(breached_passwords=breached, admin_password=PUBLIC):
            pass


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"password\n123456\n",
        (digest("a")[:32] + ":4\n").encode(),  # NTLM
        b"\n".join(sorted((digest(str(each)).encode() for each in range(500)), reverse=True)),
        b"0" * 4096,
        "\n".join(sorted(digest(str(each)) for each in range(500)))[:-7].encode(),
    ],
)
async def test_a_file_of_another_form_or_order_is_refused_at_boot(
    start: Start, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "passwords.txt"
    path.write_bytes(content)

    with pytest.raises(BootError, match="DERMSERVE_GATEWAY_BREACHED_PASSWORDS"):
        async with start(breached_passwords=path):
            pass


async def test_a_file_that_is_not_there_is_refused_at_boot(start: Start, tmp_path: Path) -> None:
    with pytest.raises(BootError, match=r"DERMSERVE_GATEWAY_BREACHED_PASSWORDS: .*No such file"):
        async with start(breached_passwords=tmp_path / "nowhere"):
            pass


@settings(max_examples=50, deadline=None)
@given(
    passwords=st.sets(st.text(st.characters(codec="utf-8"), max_size=12), min_size=1, max_size=80),
    end=st.sampled_from(["\n", "\r\n"]),
    ended=st.booleans(),
)
def test_every_password_of_a_file_is_found_and_no_other(
    tmp_path_factory: pytest.TempPathFactory, passwords: set[str], end: str, *, ended: bool
) -> None:
    path = written(tmp_path_factory.mktemp("breached") / "file.txt", sorted(passwords), end)
    if not ended:
        path.write_bytes(path.read_bytes().removesuffix(end.encode()))
    breached = BreachedPasswords(path)

    assert all(breached.has(each) for each in passwords)
    assert not any(breached.has(f"{each} of nobody") for each in passwords)


def test_lines_that_are_no_digests_are_told_and_not_passed_over(breached: Path) -> None:
    known = BreachedPasswords(breached)
    breached.write_bytes(b"x" * breached.stat().st_size)

    with pytest.raises(UnusableFileError):
        known.has(PUBLIC)
