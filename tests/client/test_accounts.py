"""Users, and how they and programs come in by the client."""

import asyncio

import pyotp
import pytest

from dermserve_client import Bearer, Client, Password, ProblemError
from tests.client.conftest import ADMIN
from tests.gateway.processes import Running

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_program_comes_in_with_its_key(gateway: Running) -> None:
    def work() -> None:
        with Client(gateway.url, Password(*ADMIN)) as admin:
            bridge = admin.users.create("pacs.bridge", "seven green bicycles", "service")
            made = admin.api_keys.create(bridge.id, "bridge", ["records:read"])
            assert made.key is not None
            with Client(gateway.url, Bearer(made.key)) as program:
                assert program.me().username == "pacs.bridge"
                admin.api_keys.revoke(made.id)
                with pytest.raises(ProblemError):
                    program.me()

    await asyncio.to_thread(work)


async def test_of_two_who_change_a_user_the_later_is_told(gateway: Running) -> None:
    def work() -> None:
        with Client(gateway.url, Password(*ADMIN)) as admin:
            made = admin.users.create("changeable", "seven green bicycles")
            seen = admin.users.get(made.id)
            changed = admin.users.change(seen, role="viewer")
            with pytest.raises(ProblemError) as late:
                admin.users.change(made, disabled=True)
            again = admin.users.change(changed, disabled=True)
            with pytest.raises(ValueError, match="get the record first"):
                admin.users.change(next(admin.users.list()), disabled=False)
        assert late.value.type == "changed-meanwhile"
        assert (again.role, again.disabled) == ("viewer", True)

    await asyncio.to_thread(work)


async def test_who_forgot_their_password_chooses_another_one_with_a_code_once(
    gateway: Running,
) -> None:
    def work() -> None:
        with Client(gateway.url, Password(*ADMIN)) as admin:
            forgetful = admin.users.create("forgetful", "seven green bicycles")
            code = admin.users.reset_password(forgetful.id).code
        with Client(gateway.url) as stranger:
            stranger.choose_password(code, "eleven blue tricycles")
            with pytest.raises(ProblemError) as refused:
                stranger.choose_password(code, "twelve blue tricycles")
        assert refused.value.status == 401
        with Client(gateway.url, Password("forgetful", "eleven blue tricycles")) as again:
            assert again.me().id == forgetful.id

    await asyncio.to_thread(work)


def careful(gateway: Running, name: str) -> tuple[tuple[str, str], list[str]]:
    """Somebody with a second factor, and their recovery codes."""
    person = (name, "seven green bicycles")
    with Client(gateway.url, Password(*ADMIN)) as admin:
        admin.users.create(*person)
    with Client(gateway.url, Password(*person)) as client:
        send, path = client._wire.send, "/v1/me/second-factor"
        secret = send("PUT", path, json={"current_password": person[1]}).json()["secret"]
        shown = {"code": pyotp.TOTP(secret).now()}
        codes = send("POST", f"{path}/confirmation", json=shown).json()["recovery_codes"]
    return person, codes


async def test_whoever_has_a_second_factor_is_asked_for_a_code_once_a_sign_in(
    gateway: Running,
) -> None:
    def work() -> None:
        person, codes = careful(gateway, "careful")
        asked: list[str] = []

        def code() -> str:
            asked.append(codes.pop())
            return asked[-1]

        with Client(gateway.url, Password(*person, code)) as again:
            assert [again.me().username, again.me().username] == ["careful", "careful"]
            user_id = again.me().id
        assert len(asked) == 1
        for alone, kind in (
            (Password(*person), "second-factor-needed"),
            (Password(*person, lambda: asked[0]), "code-refused"),
        ):
            with Client(gateway.url, alone) as stranger, pytest.raises(ProblemError) as refused:
                stranger.me()
            assert refused.value.type == kind
        with Client(gateway.url, Password(*ADMIN)) as admin:
            admin.users.remove_second_factor(user_id)
        with Client(gateway.url, Password(*person)) as client:
            assert client.me().id == user_id

    await asyncio.to_thread(work)


async def test_tokens_are_exchanged_in_time_without_signing_in_again(gateway: Running) -> None:
    def sessions(client: Client) -> set[str]:
        items = client._wire.send("GET", "/v1/me/sessions").json()["items"]
        return {item["id"] for item in items}

    def work() -> None:
        credentials = Password(*ADMIN)
        with Client(gateway.url, credentials) as client:
            before = sessions(client)
            first = credentials._tokens
            credentials._fresh_until = 0
            assert sessions(client) == before
            assert credentials._tokens != first

    await asyncio.to_thread(work)


async def test_whoever_was_signed_out_meanwhile_signs_in_again(gateway: Running) -> None:
    def work() -> None:
        with Client(gateway.url, Password(*ADMIN)) as client:
            client.me()
            client._wire.send("POST", "/v1/auth/logout")
            assert client.me().username == "admin"

    await asyncio.to_thread(work)
