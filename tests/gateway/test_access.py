"""Every operation of the OpenAPI document, tried by all: what each may, and what none sees."""

import itertools
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from services.gateway.app import open_records
from services.gateway.database import Database
from services.gateway.identity import Accounts, Attempts, Organisations, Passwords, Permission
from services.gateway.identity.permissions import ALLOWED
from services.gateway.records import Role
from tests.gateway.conftest import Client, Gateway

PASSWORD = "seven green bicycles"
SECRET = "Planted"
PUBLIC = {
    "live",
    "metrics",
    "public_keys",
    "ready",
    "refresh",
    "register",
    "sign_in",
}
"""Operations that ask for nobody. Whatever comes new and is not named here must ask."""


@dataclass(frozen=True)
class Operation:
    """One of the document's."""

    name: str
    method: str
    path: str
    permissions: frozenset[Permission]
    secured: bool
    statuses: frozenset[int]

    @property
    def of_a_record(self) -> bool:
        """Whether its path names something."""
        return "{" in self.path

    async def tried(self, by: Client, ids: dict[str, str]) -> httpx.Response:
        """Ask for it, with nothing in its body that changes anything."""
        options: dict[str, Any] = {"json": {}} if self.method in {"POST", "PUT", "PATCH"} else {}
        answer = await by(self.method, self.path.format(**ids), **options)
        assert answer.status_code in self.statuses, f"{self.name} undocumented: {answer.text}"
        return answer


def operations(gateway: Gateway) -> Iterator[Operation]:
    for path, methods in gateway.app.openapi()["paths"].items():
        for method, about in methods.items():
            asked = [
                scope for way in about.get("security", []) for s in way.values() for scope in s
            ]
            yield Operation(
                about["operationId"],
                method.upper(),
                path,
                frozenset(map(Permission, asked)),
                "security" in about,
                frozenset(map(int, about["responses"])),
            )


@dataclass
class Cast:
    """Users of two organisations that share, and two who keep to themselves."""

    gateway: Gateway
    ours: dict[Role, Client]
    stranger: Client
    alone: Client
    ids: dict[str, str]
    """Of things in our organisation, by the name of the parameter that means them."""

    @property
    def secrets(self) -> set[str]:
        """What nobody else may read anywhere."""
        return {SECRET, "ours", *self.ids.values()}

    async def with_new_records(self) -> dict[str, str]:
        """Make what can be removed."""
        made = await self.ours[Role.CLINICIAN].analyze(patient_name=SECRET, note=SECRET)
        assert made.status_code == 201, made.text
        self.ids |= {"analysis_id": made.json()["id"]}
        return self.ids


async def joined(gateway: Gateway, records: Database, role: Role, organisation_id: str) -> Client:
    name = f"{role}.{secrets.token_hex(4)}"
    accounts = Accounts(records, Passwords(records, Attempts(records)))
    await accounts.create(name, PASSWORD, role, organisation_id)
    form = {"username": name, "password": PASSWORD}
    answer = await gateway.anonymous("POST", "/v1/auth/token", data=form)
    assert answer.status_code == 200, answer.text
    return Client(gateway.http, answer.json()["access_token"])


@pytest.fixture
async def cast(either: Gateway) -> Cast:
    async with open_records(either.settings) as records:
        ours = await Organisations(records).create("ours", shared=True)
        theirs = await Organisations(records).create("theirs", shared=True)
        people = {role: await joined(either, records, role, ours.id) for role in Role}
        stranger = await joined(either, records, Role.ADMIN, theirs.id)
    alone = await either.admin()  # of the default organisation, which is private
    me = (await people[Role.VIEWER]("GET", "/v1/me")).json()
    cast = Cast(either, people, stranger, alone, {"user_id": me["id"]})
    await cast.with_new_records()
    return cast


def said(answer: httpx.Response) -> dict[str, Any]:
    """A problem without what differs between any two requests."""
    problem: dict[str, Any] = answer.json()
    return {k: v for k, v in problem.items() if k not in {"instance", "request_id"}}


async def test_all_but_the_public_operations_ask_who_is_calling(cast: Cast) -> None:
    for operation in operations(cast.gateway):
        assert operation.secured == (operation.name not in PUBLIC), operation
        # Signing out is for whoever holds a token of either kind.
        if operation.secured and operation.name != "sign_out":
            answer = await operation.tried(cast.gateway.anonymous, cast.ids)
            assert answer.status_code == 401, operation


async def test_each_role_may_do_what_the_table_says_and_nothing_else(cast: Cast) -> None:
    for operation, role in itertools.product(operations(cast.gateway), Role):
        if not operation.permissions:
            continue
        if operation.method == "DELETE":
            await cast.with_new_records()
        answer = await operation.tried(cast.ours[role], cast.ids)
        if operation.permissions <= ALLOWED[role]:
            assert answer.status_code not in {401, 403, 404}, (operation, role, answer.text)
        else:
            missing = await operation.tried(cast.ours[role], nowhere(cast))
            assert answer.status_code == 403, (operation, role)
            assert said(answer) == said(missing)


async def test_what_is_of_others_looks_as_if_it_were_not_there(cast: Cast) -> None:
    for operation in operations(cast.gateway):
        if not operation.permissions or not operation.of_a_record:
            continue
        for other in (cast.stranger, cast.alone):
            theirs = await operation.tried(other, cast.ids)
            missing = await operation.tried(other, nowhere(cast))
            assert theirs.status_code == missing.status_code == 404, operation
            assert said(theirs) == said(missing)
            assert {**theirs.headers, "x-request-id": ""} == {**missing.headers, "x-request-id": ""}
    for operation in operations(cast.gateway):
        if operation.of_a_record and operation.method == "GET" and operation.permissions:
            still = await operation.tried(cast.ours[Role.ADMIN], cast.ids)
            assert still.status_code == 200, operation


async def test_no_answer_to_others_has_a_word_of_ours(cast: Cast) -> None:
    for operation, other in itertools.product(
        operations(cast.gateway), (cast.stranger, cast.alone, cast.gateway.anonymous)
    ):
        if operation.method == "GET" and not operation.of_a_record:
            answer = await operation.tried(other, {})
            told = answer.text + json.dumps(dict(answer.headers))
            assert not [secret for secret in cast.secrets if secret in told], operation


async def test_lists_of_an_organisation_that_shares_have_what_its_users_made(cast: Cast) -> None:
    lists = {Role.VIEWER: "/v1/analyses", Role.ADMIN: "/v1/users"}
    for role, path in lists.items():
        ours = (await cast.ours[role]("GET", path)).json()["items"]
        theirs = (await cast.stranger("GET", path)).json()["items"]

        assert len(ours) == (len(Role) if role == Role.ADMIN else 1)
        assert len(theirs) == (role == Role.ADMIN)


async def test_an_administrator_makes_users_in_the_own_organisation_only(cast: Cast) -> None:
    new = {"username": "new.nurse", "password": PASSWORD, "role": "viewer"}

    made = await cast.stranger("POST", "/v1/users", json=new)
    elsewhere = await cast.stranger("POST", "/v1/users", json=new | {"organisation_id": "0" * 32})

    own = (await cast.stranger("GET", "/v1/organisation")).json()
    assert (made.status_code, elsewhere.status_code) == (201, 422)
    assert made.json()["organisation_id"] == own["id"]
    assert own["name"] == "theirs"


async def test_sharing_counts_from_the_next_request_on_and_closes_registration(
    cast: Cast,
) -> None:
    gateway = cast.gateway
    alice, bob = await gateway.signed_in(), await gateway.signed_in("bob")
    path = (await alice.analyze()).headers["Location"]
    new = {"username": "carol", "password": PASSWORD}

    private = await bob("GET", path)
    async with open_records(gateway.settings) as records:
        await Organisations(records).share("default", shared=True)

    assert (private.status_code, (await bob("GET", path)).status_code) == (404, 200)
    refused = await gateway.anonymous("POST", "/v1/auth/register", json=new)
    assert refused.status_code == 403


def nowhere(cast: Cast) -> dict[str, str]:
    """Ids of nothing."""
    return dict.fromkeys(cast.ids, "0" * 32)
