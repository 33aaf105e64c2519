"""Signing in at an identity provider, with one that others wrote, over real sockets."""

import html
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.gateway.conftest import PASSWORD, Client, Gateway, Start
from tests.gateway.identity_providers import (
    Browser,
    browser,
    mock_provider,
    settings,
    signed_in_there,
)


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with mock_provider() as running:
        yield running


async def back(
    visitor: Browser, sub: str, begun: dict[str, str] | None = None, **claims: Any
) -> Any:
    """Sign in there and come back; return the gateway's answer."""
    address = await visitor.begin(**(begun or {}))
    return await visitor.http.get(await signed_in_there(address, sub, **claims))


async def test_somebody_signs_in_there_and_is_somebody_here(
    start: Start, database_url: str, issuer: str
) -> None:
    roles = {"oidc_role_claim": "groups", "oidc_roles": {"derm": "clinician"}}
    changes = settings(issuer, **roles, oidc_default_role="", database_url=database_url)
    async with start(**changes) as gateway, browser(gateway.app) as visitor:
        answer = await back(
            visitor, "alice", preferred_username="Alice.A", groups=["others", "derm"]
        )
        tokens = await visitor.tokens()
        again = await visitor.tokens()
        alice = Client(gateway.http, tokens.json()["access_token"])
        me, analyzed = (await alice("GET", "/v1/me")).json(), await alice.analyze()
        (session,) = (await alice("GET", "/v1/me/sessions")).json()["items"]
        refreshed = await gateway.anonymous(
            "POST", "/v1/auth/refresh", json={"refresh_token": tokens.json()["refresh_token"]}
        )

    assert (answer.status_code, answer.json()) == (200, {"next": "POST /v1/auth/oidc/token"})
    assert (me["username"], me["role"]) == ("alice.a", "clinician")
    assert (tokens.status_code, analyzed.status_code, refreshed.status_code) == (200, 201, 200)
    assert session["method"] == "oidc"
    assert again.status_code == 401
    assert again.json()["type"] == "/docs/problems#sign-in-failed"


async def test_a_browser_goes_on_to_a_page_of_ours_with_nothing_in_its_address(
    start: Start, issuer: str
) -> None:
    async with start(**settings(issuer)) as gateway, browser(gateway.app) as visitor:
        answer = await back(visitor, "alice", {"return_to": "/pages/work?list=1"})
        tokens = await visitor.tokens()

    assert (answer.status_code, answer.headers["Location"]) == (303, "/pages/work?list=1")
    assert tokens.status_code == 200


async def test_pages_lead_there_and_back_into_a_session(start: Start, issuer: str) -> None:
    async with start(**settings(issuer)) as gateway, browser(gateway.app) as visitor:
        form = await visitor.http.get("/sign-in", params={"next": "/account?changed=password"})
        (way,) = re.findall(r'href="(/v1/auth/oidc[^"]*)"', form.text)
        begun = await visitor.http.get(html.unescape(way))
        there = begun.headers["Location"]
        named = await signed_in_there(there, "alice", preferred_username="alice")
        back = await visitor.http.get(named)
        known = await visitor.http.get(back.headers["Location"])
        again = await visitor.http.get(back.headers["Location"])
        account = await visitor.http.get(known.headers["Location"])

    assert (known.status_code, known.headers["Location"]) == (303, "/account?changed=password")
    assert (account.status_code, "alice" in account.text) == (200, True)
    assert (again.status_code, 'role="alert"' in again.text) == (401, True)


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        (f"/analyses?body_site={'x' * 600}", "/analyses"),
        (f"/{'x' * 600}", "/sign-in"),
        (f"/analyses?body_site={'%20' * 100}", "/analyses"),
    ],
)
async def test_however_long_the_page_is_that_one_wanted_the_way_to_the_provider_is_open(
    start: Start, issuer: str, wanted: str, reached: str
) -> None:
    async with start(**settings(issuer)) as gateway, browser(gateway.app) as visitor:
        form = await visitor.http.get("/sign-in", params={"next": wanted})
        (way,) = re.findall(r'href="(/v1/auth/oidc[^"]*)"', form.text)
        begun = await visitor.http.get(html.unescape(way))
        back = await visitor.http.get(await signed_in_there(begun.headers["Location"], "alice"))
        known = await visitor.http.get(back.headers["Location"])

    assert (known.status_code, known.headers["Location"]) == (303, reached)


async def test_nobody_is_sent_to_another_host(start: Start, issuer: str) -> None:
    elsewhere = (
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "evil",
        "/a\nb",
        "/\t/e",
    )
    async with start(**settings(issuer)) as gateway, browser(gateway.app) as visitor:
        for path in elsewhere:
            answer = await visitor.http.get("/v1/auth/oidc", params={"return_to": path})
            assert answer.status_code == 422, path


async def test_cookies_are_for_this_host_alone_and_out_of_reach_of_scripts(
    start: Start, issuer: str
) -> None:
    async with start(**settings(issuer)) as gateway, browser(gateway.app) as visitor:
        begun = await visitor.http.get("/v1/auth/oidc")
        ended = await visitor.http.get(await signed_in_there(begun.headers["Location"], "alice"))

    for cookie in (*begun.headers.get_list("set-cookie"), *ended.headers.get_list("set-cookie")):
        name, *words = cookie.split("; ")
        assert name.startswith("__Host-dermserve-")
        assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(words)
    assert "code_verifier" not in begun.headers["Location"]


async def test_an_account_that_is_there_already_is_not_taken_over_by_its_name(
    start: Start, database_url: str, issuer: str
) -> None:
    """Neither its username nor anything else that the provider says leads to it."""
    changes = settings(issuer, database_url=database_url)
    async with start(**changes) as gateway, browser(gateway.app) as visitor:
        alice = await gateway.signed_in()
        await alice.analyze()
        ours = (await alice("GET", "/v1/me")).json()
        await back(visitor, ours["id"], preferred_username="ALICE", email="alice@example.org")
        token = (await visitor.tokens()).json()["access_token"]
        other = Client(gateway.http, token)
        theirs = (await other("GET", "/v1/me")).json()
        seen = (await other("GET", "/v1/analyses")).json()["items"]
        own = await gateway.anonymous(
            "POST", "/v1/auth/token", data={"username": "alice", "password": PASSWORD}
        )

    assert theirs["id"] != ours["id"]
    assert theirs["username"].startswith("oidc-")
    assert seen == []
    assert own.status_code == 200


async def test_who_says_no_there_is_told_so_here(start: Start, issuer: str) -> None:
    async with start(**settings(issuer)) as gateway, browser(gateway.app) as visitor:
        state = urlsplit(await visitor.begin()).query.partition("state=")[2].partition("&")[0]
        query = {"error": "access_denied", "error_description": "<planted>", "state": state}
        denied = await visitor.http.get("/v1/auth/oidc/callback", params=query)
        odd = await visitor.http.get(
            "/v1/auth/oidc/callback", params=query | {"error": "<planted>"}
        )

    assert (denied.status_code, odd.status_code) == (403, 403)
    assert denied.json()["type"] == "/docs/problems#provider-refused"
    assert denied.json()["detail"] == "The identity provider refused (access_denied)."
    assert "planted" not in denied.text + odd.text


async def test_without_a_provider_there_is_nothing_of_it(gateway: Gateway) -> None:
    for method, path in (("GET", ""), ("GET", "/callback"), ("POST", "/token")):
        answer = await gateway.anonymous(method, f"/v1/auth/oidc{path}")
        assert answer.status_code == 404
        assert answer.json()["detail"].startswith("There is no identity provider here.")
