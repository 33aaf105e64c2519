"""What the page of an account says of the second factor, and to whom."""

import re

import pytest

from tests.gateway.conftest import PASSWORD, Client, Gateway, Start
from tests.gateway.identity_providers import ScriptedProvider, browser, settings
from tests.gateway.telephones import Clock, set_up
from tests.gateway.test_vouched_sign_ins import came, linked

ALONE = "your password alone signs you in"
NEXT = "your next sign-in here asks for one"
ELSEWHERE = "not with your password"


async def section(somebody: Client) -> str:
    """The part of the page that is about the second factor."""
    page = await somebody("GET", "/account")
    assert page.status_code == 200, page.text
    (found,) = re.findall(r'(?s)<section[^>]*"factor-title">.*?</section>', page.text)
    return str(found)


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize("whose", ["all", "unlinked", "none"])
async def test_nobody_is_told_of_codes_at_sign_ins_that_they_have_not(
    start: Start, database_url: str, provider: ScriptedProvider, whose: str, *, required: bool
) -> None:
    async with start(database_url=database_url) as before:
        await before.signed_in("alice")
        bob = await before.signed_in("bob")
        await linked(before, provider, "alice", "of alice")
    terms = settings(provider.issuer, password_sign_in=whose, database_url=database_url)
    terms |= {"second_factor": "required" if required else "optional"}
    async with start(**terms) as gateway, browser(gateway.app) as visitor:
        alice = await came(visitor, provider, sub="of alice")
        told = await section(alice), await section(Client(gateway.http, bob.token))

    by_password = NEXT if required else ALONE
    said = [[each for each in (NEXT, ALONE, ELSEWHERE) if each in text] for text in told]
    assert (
        said
        == {
            "all": [[by_password], [by_password]],
            "unlinked": [[ELSEWHERE], [by_password]],
            "none": [[ELSEWHERE], [ELSEWHERE]],
        }[whose]
    )
    assert [("<form" in text) for text in told] == [each == [by_password] for each in said]


async def test_who_has_no_password_is_offered_no_change_of_it(
    start: Start, provider: ScriptedProvider
) -> None:
    async with start(**settings(provider.issuer)) as gateway, browser(gateway.app) as visitor:
        alice = await came(visitor, provider)
        bob = await gateway.signed_in("bob")
        offered = [
            'action="/account/password' in (await each("GET", "/account")).text
            for each in (alice, bob)
        ]

    assert offered == [False, True]


async def test_who_has_one_and_signs_in_elsewhere_is_told_that_nothing_asks_for_it(
    start: Start, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start() as before:
        alice = await before.signed_in("alice")
        await set_up(alice, Clock.standing(monkeypatch))
        until_then = await section(alice)
    async with start(**settings(provider.issuer, password_sign_in="none")) as gateway:
        from_then = await section(Client(gateway.http, alice.token))

    assert "to sign in takes your password and a code" in until_then
    assert "to sign in takes" not in from_then
    assert ELSEWHERE in from_then
    assert "Remove the second factor" in from_then


async def test_who_has_used_up_their_recovery_codes_is_told_what_that_means(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await gateway.signed_in("alice")
    telephone = await set_up(alice, Clock.standing(monkeypatch))
    *others, last = telephone.recovery_codes
    account = {"username": "alice", "password": PASSWORD}
    for code in others:
        await gateway.http.post("/v1/auth/token", data=account | {"code": code})
    with_one = await section(alice)
    await gateway.http.post("/v1/auth/token", data=account | {"code": last})

    assert "1 recovery code is left" in with_one
    assert "No recovery code is left" in await section(alice)
