"""People from an identity provider: who they are here, what they may do, and for how long."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.gateway.boot import open_records
from services.gateway.errors import ConflictError, NotFoundError
from services.gateway.identity import Links, Organisations
from tests.gateway.conftest import PASSWORD, Client, Gateway, Start
from tests.gateway.identity_providers import (
    Browser,
    Claims,
    ScriptedProvider,
    browser,
    settings,
)
from tests.gateway.installation import ADMIN_PASSWORD

ROLES: dict[str, Any] = {
    "oidc_role_claim": "realm_access.roles",
    "oidc_roles": {"bosses": "admin", "derm": "clinician"},
    "oidc_default_role": "",
}


def held(*roles: str) -> Claims:
    return {"realm_access": {"roles": [*roles]}}


async def came(visitor: Browser, provider: ScriptedProvider, **claims: Any) -> Client:
    """Somebody who came from the provider."""
    provider.claims = claims
    answer = await provider.sign_in(visitor)
    assert answer.status_code == 200, answer.text
    return Client(visitor.http, (await visitor.tokens()).json()["access_token"])


async def kept_out(visitor: Browser, provider: ScriptedProvider, **claims: Any) -> bool:
    provider.claims = claims
    answer = await provider.sign_in(visitor)
    assert answer.json()["type"] == "/docs/problems#no-account", answer.text
    return answer.status_code == 403 and (await visitor.tokens()).status_code == 401


async def me(client: Client) -> Any:
    return (await client("GET", "/v1/me")).json()


async def linked(gateway: Gateway, provider: ScriptedProvider, name: str, subject: str) -> None:
    async with open_records(gateway.settings) as records:
        await Links(records, provider.issuer).link(name, subject)


async def test_roles_follow_the_provider_each_time_somebody_comes(
    start: Start, database_url: str, provider: ScriptedProvider
) -> None:
    changes = settings(provider.issuer, **ROLES, database_url=database_url)
    async with start(**changes) as gateway, browser(gateway.app) as visitor:
        first = await came(visitor, provider, **held("derm"))
        as_clinician = await me(first)
        as_admin = await me(await came(visitor, provider, **held("derm", "bosses")))
        still = await me(first)
        out = await kept_out(visitor, provider, **held("others"))

        assert (as_clinician["role"], as_admin["role"]) == ("clinician", "admin")
        assert as_clinician["id"] == as_admin["id"] == still["id"]
        assert still["role"] == "admin"
        assert out
        # Whom the provider does not send any more is out with what they began before.
        assert (await first("GET", "/v1/me")).status_code == 401


async def test_only_another_role_of_the_provider_is_a_change_of_a_user(
    start: Start, database_url: str, provider: ScriptedProvider
) -> None:
    changes = settings(provider.issuer, **ROLES, database_url=database_url)
    async with start(**changes) as gateway, browser(gateway.app) as visitor:
        admin, tags = await gateway.admin(), []
        for role in ("derm", "derm", "bosses"):
            user_id = (await me(await came(visitor, provider, **held(role))))["id"]
            tags.append((await admin("GET", f"/v1/users/{user_id}")).headers["ETag"])

    assert tags[0] == tags[1] != tags[2]


async def test_who_has_no_role_has_no_account(start: Start, provider: ScriptedProvider) -> None:
    others: tuple[Claims, ...] = ({}, {"realm_access": "derm"}, {"realm_access": {"roles": 7}})
    async with start(**settings(provider.issuer, **ROLES)) as gateway:
        async with browser(gateway.app) as visitor:
            for claims in (*others, held(), held("Derm")):
                assert await kept_out(visitor, provider, **claims), claims
        users = (await (await gateway.admin())("GET", "/v1/users")).json()["items"]

    assert [user["username"] for user in users] == ["admin"]


async def test_who_is_not_known_is_not_let_in_where_no_accounts_are_made(
    start: Start, database_url: str, provider: ScriptedProvider
) -> None:
    changes = settings(provider.issuer, oidc_create_users=False, database_url=database_url)
    async with start(**changes) as gateway, browser(gateway.app) as visitor:
        alice = await me(await gateway.signed_in())
        assert await kept_out(visitor, provider, preferred_username="alice", sub="of alice")

        await linked(gateway, provider, "alice", "of alice")

        assert await me(await came(visitor, provider)) == alice
        assert await kept_out(visitor, provider, sub="of bob", preferred_username="alice")


async def test_a_subject_is_linked_to_one_user_until_it_is_unlinked(
    start: Start, database_url: str, provider: ScriptedProvider
) -> None:
    changes = settings(provider.issuer, oidc_create_users=False, database_url=database_url)
    async with start(**changes) as gateway, browser(gateway.app) as visitor:
        await gateway.signed_in()
        await gateway.signed_in("bob")
        await linked(gateway, provider, "alice", "of alice")
        with pytest.raises(ConflictError):
            await linked(gateway, provider, "bob", "of alice")
        with pytest.raises(NotFoundError):
            await linked(gateway, provider, "carol", "of carol")
        alice = await came(visitor, provider)

        async with open_records(gateway.settings) as records:
            await Links(records, provider.issuer).unlink("alice")

        assert (await alice("GET", "/v1/me")).status_code == 401
        assert await kept_out(visitor, provider)


async def test_the_same_subject_of_another_provider_is_somebody_else(
    start: Start, database_url: str, provider: ScriptedProvider
) -> None:
    changes = settings(provider.issuer, oidc_create_users=False)
    async with (
        start(database_url=database_url, **changes) as gateway,
        browser(gateway.app) as visitor,
    ):
        await gateway.signed_in()
        async with open_records(gateway.settings) as records:
            await Links(records, "https://another.example").link("alice", "of alice")

        assert await kept_out(visitor, provider)


async def test_a_disabled_user_is_out_and_does_not_come_in_again(
    start: Start, database_url: str, provider: ScriptedProvider
) -> None:
    changes = settings(provider.issuer, database_url=database_url)
    async with start(**changes) as gateway, browser(gateway.app) as visitor:
        alice = await came(visitor, provider)
        path = f"/v1/users/{(await me(alice))['id']}"
        assert (await provider.sign_in(visitor)).status_code == 200
        admin = await gateway.admin()
        assert (
            await admin("PATCH", path, json={"disabled": True}, headers={"If-Match": "*"})
        ).status_code == 200

        # They were let in before, and have not fetched their tokens.
        assert (await visitor.tokens()).status_code == 401
        assert (await alice("GET", "/v1/me")).status_code == 401
        assert await kept_out(visitor, provider)


async def test_people_join_the_organisation_that_the_provider_says_and_stay_in_it(
    start: Start, database_url: str, provider: ScriptedProvider
) -> None:
    organisations = {
        "oidc_organisation_claim": "clinic",
        "oidc_organisations": {"a": "Clinic A", "b": "Clinic B", "c": "of nobody"},
    }
    changes = settings(provider.issuer, **organisations, database_url=database_url)
    async with start(**changes) as gateway, browser(gateway.app) as visitor:
        async with open_records(gateway.settings) as records:
            for name in ("Clinic A", "Clinic B"):
                await Organisations(records).create(name, shared=True)

        alice = await came(visitor, provider, clinic="a")
        bob = await came(visitor, provider, clinic=["b"], sub="of bob")

        assert (await alice("GET", "/v1/organisation")).json()["name"] == "Clinic A"
        assert (await bob("GET", "/v1/organisation")).json()["name"] == "Clinic B"
        for clinic in ("b", "c", "d", ["a", "b"], None):
            assert await kept_out(visitor, provider, clinic=clinic), clinic


@pytest.mark.parametrize(
    ("whose", "expected"), [("all", (200, 200)), ("unlinked", (401, 200)), ("none", (403, 403))]
)
async def test_passwords_are_good_for_those_whom_the_operator_says(
    start: Start,
    database_url: str,
    provider: ScriptedProvider,
    whose: str,
    expected: tuple[int, int],
) -> None:
    async with start(database_url=database_url) as gateway:
        await gateway.signed_in()
    async with start(
        database_url=database_url, **settings(provider.issuer, password_sign_in=whose)
    ) as gateway:
        await linked(gateway, provider, "alice", "of alice")
        found = []
        for form in (("alice", PASSWORD), ("admin", ADMIN_PASSWORD)):
            data = dict(zip(("username", "password"), form, strict=True))
            answer = await gateway.anonymous("POST", "/v1/auth/token", data=data)
            found.append(answer.status_code)
        new = {"username": "carol", "password": PASSWORD}
        registered = await gateway.anonymous("POST", "/v1/auth/register", json=new)

    assert tuple(found) == expected
    assert registered.status_code == (403 if whose == "none" else 201)


@pytest.mark.parametrize("password", ["", "x", "!"])
async def test_who_has_no_password_does_not_sign_in_with_one(
    start: Start, provider: ScriptedProvider, password: str
) -> None:
    everybody = settings(provider.issuer, password_sign_in="all")
    async with start(**everybody) as gateway, browser(gateway.app) as visitor:
        await came(visitor, provider, preferred_username="alice")
        form = {"username": "alice", "password": password}
        answer = await gateway.anonymous("POST", "/v1/auth/token", data=form)

    assert answer.status_code in {401, 422}


async def test_who_has_no_password_is_told_so_where_they_would_change_it(
    start: Start, provider: ScriptedProvider
) -> None:
    async with start(**settings(provider.issuer)) as gateway, browser(gateway.app) as visitor:
        alice = await came(visitor, provider, preferred_username="alice")
        body = {"current_password": PASSWORD, "new_password": "quite another one"}
        answer = await alice("PUT", "/v1/me/password", json=body)

    assert answer.status_code == 403
    assert answer.json()["detail"].startswith("You have no password here")


async def test_a_sign_in_lasts_until_the_provider_is_to_be_asked_again(
    start: Start, database_url: str, provider: ScriptedProvider
) -> None:
    changes = settings(provider.issuer, oidc_sign_in_s=60)
    async with (
        start(database_url=database_url, **changes) as gateway,
        browser(gateway.app) as visitor,
    ):
        alice = await came(visitor, provider)
        (session,) = (await alice("GET", "/v1/me/sessions")).json()["items"]

    began, ends = (datetime.fromisoformat(session[key]) for key in ("created_at", "expires_at"))
    assert abs(ends - began - timedelta(seconds=60)) < timedelta(seconds=5)
