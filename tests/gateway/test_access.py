"""Every operation of the OpenAPI document, tried by all: what each may, and what none sees."""

import itertools
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from services.gateway.boot import open_records
from services.gateway.database import Database
from services.gateway.identity import Accounts, Attempts, Organisations, Passwords, Permission
from services.gateway.identity.permissions import ALLOWED
from services.gateway.records import Role
from tests import specimens
from tests.gateway.conftest import Client, Gateway

PASSWORD = "seven green bicycles"
SECRET = "Planted"
PUBLIC = {
    "begin_oidc",
    "finish_oidc",
    "live",
    "metrics",
    "oidc_logout",
    "oidc_tokens",
    "public_keys",
    "ready",
    "refresh",
    "register",
    "reset_password",
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
        if self.method in {"PATCH", "DELETE"}:
            options["headers"] = {"If-Match": "*"}
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
        doctor = self.ours[Role.CLINICIAN]
        number = {"identifier": f"{SECRET} {secrets.token_hex(4)}", "name": SECRET}
        self.ids["patient_id"] = made(await doctor("POST", "/v1/patients", json=number))
        lesion = {"patient": self.ids["patient_id"], "note": SECRET}
        self.ids["lesion_id"] = made(await doctor("POST", "/v1/lesions", json=lesion))
        analysis = await doctor.analyze(lesion=self.ids["lesion_id"], note=SECRET)
        self.ids["analysis_id"] = self.ids["other_id"] = made(analysis)
        said = {"verdict": "mel", "reason": SECRET}
        where = f"{analysis.headers['Location']}/assessment"
        await doctor("PUT", where, json=said, headers={"If-None-Match": "*"})
        picture = {"images": specimens.lesion_jpeg((64, 48))}
        batch = await doctor("POST", "/v1/batches", files=picture, data={"note": SECRET})
        assert batch.status_code == 202, batch.text
        self.ids["batch_id"] = str(batch.json()["id"])
        service = (await self.ours[Role.SERVICE]("GET", "/v1/me")).json()
        key = {"user_id": service["id"], "name": SECRET, "permissions": ["records:read"]}
        admin = self.ours[Role.ADMIN]
        self.ids["key_id"] = made(await admin("POST", "/v1/api-keys", json=key))
        # Nobody listens there, and only webhooks of tests may go there.
        hook = {"url": f"http://127.0.0.1:9/{SECRET}", "description": SECRET}
        path = "/v1/webhooks"
        if "webhook_id" in self.ids:  # there may be so many and no more
            earlier = f"{path}/{self.ids['webhook_id']}"
            await admin("DELETE", earlier, headers={"If-Match": "*"})
        self.ids["webhook_id"] = made(await admin("POST", path, json=hook))
        tried = await admin("POST", f"{path}/{self.ids['webhook_id']}/test")
        self.ids["delivery_id"] = tried.json()["id"]
        return self.ids


def made(answer: httpx.Response) -> str:
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


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
    (session,) = (await people[Role.VIEWER]("GET", "/v1/me/sessions")).json()["items"]
    ids = {"user_id": me["id"], "session_id": session["id"]}
    cast = Cast(either, people, stranger, alone, ids)
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
        if not operation.secured or not operation.of_a_record:
            continue
        for other in (cast.stranger, cast.alone):
            theirs = await operation.tried(other, cast.ids)
            missing = await operation.tried(other, nowhere(cast))
            assert theirs.status_code == missing.status_code == 404, operation
            assert said(theirs) == said(missing)
            own = {"x-request-id": "", "ratelimit": ""}  # what each request of theirs counts down
            assert {**theirs.headers, **own} == {**missing.headers, **own}
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
    made = {"patients": 1, "lesions": 1, "batches": 1, "analyses": 2}
    for name, count in made.items():
        path = f"/v1/{name}"
        assert len((await cast.ours[Role.VIEWER]("GET", path)).json()["items"]) == count
        assert (await cast.stranger("GET", path)).json()["items"] == []
    assert len((await cast.ours[Role.ADMIN]("GET", "/v1/users")).json()["items"]) == len(Role)
    assert len((await cast.stranger("GET", "/v1/users")).json()["items"]) == 1


async def test_an_administrator_makes_users_in_the_own_organisation_only(cast: Cast) -> None:
    new = {"username": "new.nurse", "password": PASSWORD, "role": "viewer"}

    nurse = await cast.stranger("POST", "/v1/users", json=new)
    elsewhere = await cast.stranger("POST", "/v1/users", json=new | {"organisation_id": "0" * 32})

    own = (await cast.stranger("GET", "/v1/organisation")).json()
    assert (nurse.status_code, elsewhere.status_code) == (201, 422)
    assert nurse.json()["organisation_id"] == own["id"]
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
