"""Who is linked to a provider, or leaves it, has no way in left that was open before."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy.orm import Session
from sqlalchemy.util import await_only

from services.gateway.boot import open_records
from services.gateway.errors import GatewayError
from services.gateway.identity import Links, vouched_sign_ins
from services.gateway.records import User, VouchedSignIn
from services.gateway.security import tokens
from tests.gateway.conftest import PASSWORD, Client, Gateway, Start
from tests.gateway.identity_providers import Browser, ScriptedProvider, browser, settings
from tests.gateway.telephones import Clock, set_up
from tests.gateway.test_bulk_locks import WAITING
from tests.gateway.test_database import connected
from tests.gateway.test_password_resets import issued, redeemed
from tests.gateway.test_provider_logouts import logout
from tests.gateway.test_second_step import looked, password_shown, sent
from tests.gateway.test_vouched_sign_ins import came, linked, me

TIMES = 12


@pytest.fixture
async def hospital(
    start: Start, database_url: str, provider: ScriptedProvider
) -> AsyncIterator[Gateway]:
    """A gateway on each kind of database that has this provider."""
    async with start(**settings(provider.issuer, database_url=database_url)) as running:
        yield running


async def test_whoever_is_linked_is_out_with_what_they_began_by_password(
    hospital: Gateway, provider: ScriptedProvider
) -> None:
    alice, bob = await hospital.signed_in("alice"), await hospital.signed_in("bob")
    await linked(hospital, provider, "alice", "of alice")
    async with browser(hospital.app) as visitor:
        vouched = await came(visitor, provider)
        await linked(hospital, provider, "alice", "another of alice")

        # That there is one more who may vouch for them ends nothing that one of them vouched for.
        assert (await me(vouched))["username"] == "alice"
    assert (await alice("GET", "/v1/me")).status_code == 401
    assert (await bob("GET", "/v1/me")).status_code == 200


async def test_whoever_is_linked_does_not_come_in_with_the_second_step_of_what_they_began(
    start: Start, database_url: str, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock.standing(monkeypatch)
    # Where passwords of linked users are good, so that it is the ticket that is not.
    both_ways = {"password_sign_in": "all", "database_url": database_url}
    async with start(**settings(provider.issuer, **both_ways)) as hospital:
        telephone = await set_up(await hospital.signed_in("alice"), clock)
        before: dict[str, str] = {}
        after: dict[str, str] = {}
        await password_shown(hospital, before)
        await linked(hospital, provider, "alice", "of alice")
        await password_shown(hospital, after)
        refused = await sent(hospital, "/sign-in/code", before, code=telephone.code())
        taken = await sent(hospital, "/sign-in/code", after, code=telephone.code())

    assert (refused.status_code, taken.status_code) == (401, 303)


@pytest.mark.parametrize(("whose", "status"), [("all", 303), ("unlinked", 401), ("none", 403)])
async def test_a_ticket_from_before_a_restart_is_as_good_as_a_password_after_it(
    start: Start,
    database_url: str,
    provider: ScriptedProvider,
    monkeypatch: pytest.MonkeyPatch,
    whose: str,
    status: int,
) -> None:
    clock, jar = Clock.standing(monkeypatch), dict[str, str]()
    async with start(database_url=database_url) as before:
        telephone = await set_up(await before.signed_in("alice"), clock)
        await linked(before, provider, "alice", "of alice")
        await password_shown(before, jar)
    terms = settings(provider.issuer, password_sign_in=whose, database_url=database_url)
    async with start(**terms) as after:
        answer = await sent(after, "/sign-in/code", jar, code=telephone.code())

        assert (answer.status_code, await looked(after, jar)) == (
            status,
            200 if status == 303 else 401,
        )
        assert ("Sign in with your institution." in answer.text) == (whose == "none")
        assert "GET /v1" not in answer.text


async def test_whoever_has_to_set_one_up_does_not_where_passwords_are_good_no_more(
    start: Start, provider: ScriptedProvider
) -> None:
    jar: dict[str, str] = {}
    required = {"second_factor": "required"}
    async with start(**required) as before:
        await sent(before, "/sign-up", jar, username="alice", password=PASSWORD)
    async with start(**settings(provider.issuer, password_sign_in="none"), **required) as after:
        begun = await sent(after, "/sign-in/set-up", dict(jar))
        confirmed = await sent(after, "/sign-in/set-up/confirm", dict(jar), code="123456")

    assert (begun.status_code, confirmed.status_code) == (403, 403)


async def test_a_password_begins_nothing_while_its_owner_is_linked(
    hospital: Gateway, provider: ScriptedProvider
) -> None:
    async with open_records(hospital.settings) as records:
        for number in range(TIMES):
            new = await hospital.parts.accounts.register(f"user{number}", PASSWORD)
            link = Links(records, provider.issuer).link(new.username, new.username)
            began, _ = await asyncio.gather(
                hospital.parts.password_sign_ins.begin_for(new), link, return_exceptions=True
            )
            if not isinstance(began, BaseException):
                alice = Client(hospital.http, began.access_token)
                assert (await alice("GET", "/v1/me")).status_code == 401


@pytest.mark.parametrize("told", [{"sid": "1"}, {"sub": "of alice"}, None])
async def test_whoever_left_before_their_tokens_were_fetched_gets_none(
    hospital: Gateway, provider: ScriptedProvider, told: dict[str, Any] | None
) -> None:
    async with browser(hospital.app) as visitor, browser(hospital.app) as other:
        await let_in(visitor, provider, sid="1")
        await let_in(other, provider, sid="2", sub="of bob", preferred_username="bob")
        if told is None:
            async with open_records(hospital.settings) as records:
                await Links(records, provider.issuer).unlink("alice")
        else:
            body = logout(provider, **told)
            left = await hospital.anonymous("POST", "/v1/auth/oidc/logout", data=body)
            assert left.status_code == 200

        assert (await visitor.tokens()).status_code == 401
        assert (await other.tokens()).status_code == 200


@pytest.mark.parametrize("ending", ["disabled", "password"])
async def test_whoever_was_let_in_before_all_their_sign_ins_ended_gets_no_tokens(
    hospital: Gateway, provider: ScriptedProvider, ending: str
) -> None:
    admin, alice = await hospital.admin(), await hospital.signed_in("alice")
    user = f"/v1/users/{(await me(alice))['id']}"
    code = (await issued(admin, alice)).json()["code"]
    await linked(hospital, provider, "alice", "of alice")
    async with browser(hospital.app) as visitor, browser(hospital.app) as other:
        await let_in(visitor, provider, sub="of alice")
        await let_in(other, provider, sub="of bob", preferred_username="bob")
        if ending == "disabled":
            for disabled in (True, False):
                changed = await admin(
                    "PATCH", user, json={"disabled": disabled}, headers={"If-Match": "*"}
                )
                assert changed.status_code == 200
        else:
            assert await redeemed(hospital, code) == 204

        assert (await visitor.tokens()).status_code == 401
        assert (await other.tokens()).status_code == 200


async def test_nobody_fetches_tokens_while_they_are_unlinked(
    hospital: Gateway, provider: ScriptedProvider
) -> None:
    parts = hospital.parts
    assert parts.vouched_sign_ins is not None
    new = await parts.accounts.register("alice", PASSWORD)
    async with open_records(hospital.settings) as records:
        links = Links(records, provider.issuer)
        for number in range(TIMES):
            await records.write(partial(wait, new, str(number)))
            fetched, _ = await asyncio.gather(
                parts.vouched_sign_ins.redeem(str(number)),
                links.unlink("alice"),
                return_exceptions=True,
            )
            if isinstance(fetched, BaseException):
                assert isinstance(fetched, GatewayError)
            else:
                alice = Client(hospital.http, fetched.access_token)
                assert (await alice("GET", "/v1/me")).status_code == 401


@pytest.mark.usefixtures("locks_are_waited_for")
async def test_nobody_is_let_in_while_they_are_unlinked(
    start: Start,
    postgres_url: str,
    provider: ScriptedProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changes = settings(provider.issuer, oidc_create_users=False, database_url=postgres_url)
    async with (
        start(**changes) as hospital,
        browser(hospital.app) as visitor,
        open_records(hospital.settings) as records,
        connected(postgres_url) as watch,
    ):
        await hospital.signed_in("alice")
        await linked(hospital, provider, "alice", "of alice")
        unlinking: list[asyncio.Task[None]] = []

        async def overtaken() -> None:
            unlinking.append(asyncio.create_task(Links(records, provider.issuer).unlink("alice")))
            while not (await watch.scalar(WAITING) or unlinking[0].done()):  # noqa: ASYNC110
                await asyncio.sleep(0)

        # Between the look at the link and the commit of what it leads to.
        look = vouched_sign_ins._refusal
        monkeypatch.setattr(
            vouched_sign_ins, "_refusal", lambda *of: (await_only(overtaken()), look(*of))[1]
        )
        await let_in(visitor, provider, sub="of alice")
        await unlinking[0]

        assert (await visitor.tokens()).status_code == 401


async def let_in(visitor: Browser, provider: ScriptedProvider, **claims: Any) -> None:
    """Have somebody come from the provider, and not fetch their tokens yet."""
    provider.claims = {"preferred_username": "alice", **claims}
    assert (await provider.sign_in(visitor)).status_code == 200


def wait(user: User, ticket: str, session: Session) -> None:
    """Have tokens wait for a user."""
    session.add(VouchedSignIn(digest=tokens.digest(ticket), user_id=user.id))
