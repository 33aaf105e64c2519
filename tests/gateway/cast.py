"""Who tries what: users who share, users who do not, and what some of them made."""

import secrets
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from services.gateway.boot import open_records
from services.gateway.database import Database
from services.gateway.identity import Accounts, Attempts, Organisations, Passwords
from services.gateway.records import Role
from tests import specimens
from tests.gateway.conftest import Client, Gateway
from tests.gateway.walking import SEARCHED

PASSWORD = "seven green bicycles"
SECRET = SEARCHED


@dataclass
class Cast:
    """Users of two organisations that share, and one who is alone in one that does not."""

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
        await populate(self.ids, self.ours[Role.CLINICIAN], self.ours[Role.ADMIN])
        return self.ids


@dataclass
class Apart:
    """Two administrators of an organisation whose users see nothing of each other's records."""

    gateway: Gateway
    maker: Client
    colleague: Client
    ids: dict[str, str]
    """Of things that the one has made."""

    @property
    def secrets(self) -> set[str]:
        """What the other may not read anywhere."""
        of_both = {"user_id", "service_id", "key_id"}
        return {SECRET, *(each for name, each in self.ids.items() if name not in of_both)}


@pytest.fixture
async def cast(either: Gateway) -> Cast:
    async with open_records(either.settings) as records:
        ours = await Organisations(records).create("ours", shared=True)
        theirs = await Organisations(records).create("theirs", shared=True)
        people = {role: await joined(either, records, role, ours.id) for role in Role}
        stranger = await joined(either, records, Role.ADMIN, theirs.id)
    alone = await either.admin()  # of the default organisation, which is private
    ids = await ids_of(people[Role.VIEWER]) | {"service_id": await id_of(people[Role.SERVICE])}
    cast = Cast(either, people, stranger, alone, ids)
    await cast.with_new_records()
    return cast


@pytest.fixture
async def apart(either: Gateway) -> Apart:
    async with open_records(either.settings) as records:
        private = await Organisations(records).create("private", shared=False)
        maker, colleague, service = [
            await joined(either, records, role, private.id)
            for role in (Role.ADMIN, Role.ADMIN, Role.SERVICE)
        ]
    ids = await ids_of(maker) | {"service_id": await id_of(service)}
    await populate(ids, maker, maker)
    return Apart(either, maker, colleague, ids)


async def joined(gateway: Gateway, records: Database, role: Role, organisation_id: str) -> Client:
    """Somebody with a fresh account in an organisation."""
    name = f"{role}.{secrets.token_hex(4)}"
    accounts = Accounts(records, Passwords(records, Attempts(records)))
    await accounts.create(name, PASSWORD, role, organisation_id)
    form = {"username": name, "password": PASSWORD}
    answer = await gateway.anonymous("POST", "/v1/auth/token", data=form)
    assert answer.status_code == 200, answer.text
    return Client(gateway.http, answer.json()["access_token"])


async def populate(ids: dict[str, str], doctor: Client, admin: Client) -> None:
    """Have two users of an organisation make what can be removed; write its ids down."""
    number = {"identifier": f"{SECRET} {secrets.token_hex(4)}", "name": SECRET}
    ids["patient_id"] = made(await doctor("POST", "/v1/patients", json=number))
    lesion = {"patient": ids["patient_id"], "note": SECRET}
    ids["lesion_id"] = made(await doctor("POST", "/v1/lesions", json=lesion))
    analysis = await doctor.analyze(lesion=ids["lesion_id"], note=SECRET)
    ids["analysis_id"] = ids["other_id"] = made(analysis)
    verdict = {"verdict": "mel", "reason": SECRET}
    where = f"{analysis.headers['Location']}/assessment"
    await doctor("PUT", where, json=verdict, headers={"If-None-Match": "*"})
    picture = {"images": specimens.lesion_jpeg((64, 48))}
    batch = await doctor("POST", "/v1/batches", files=picture, data={"note": SECRET})
    assert batch.status_code == 202, batch.text
    ids["batch_id"] = str(batch.json()["id"])
    key = {"user_id": ids["service_id"], "name": SECRET, "permissions": ["records:read"]}
    ids["key_id"] = made(await admin("POST", "/v1/api-keys", json=key))
    # Nobody listens there, and only webhooks of tests may go there.
    hook = {"url": f"http://127.0.0.1:9/{SECRET}", "description": SECRET}
    path = "/v1/webhooks"
    if "webhook_id" in ids:  # there may be so many and no more
        await admin("DELETE", f"{path}/{ids['webhook_id']}", headers={"If-Match": "*"})
    ids["webhook_id"] = made(await admin("POST", path, json=hook))
    tried = await admin("POST", f"{path}/{ids['webhook_id']}/test")
    ids["delivery_id"] = tried.json()["id"]


def made(answer: httpx.Response) -> str:
    """The id of what was made."""
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def said(answer: httpx.Response) -> dict[str, Any]:
    """A problem without what differs between any two requests."""
    problem: dict[str, Any] = answer.json()
    return {k: v for k, v in problem.items() if k not in {"instance", "request_id"}}


def nowhere(ids: dict[str, str]) -> dict[str, str]:
    """Ids of nothing in place of these."""
    return dict.fromkeys(ids, "0" * 32)


async def id_of(client: Client) -> str:
    """Somebody's id."""
    return str((await client("GET", "/v1/me")).json()["id"])


async def ids_of(client: Client) -> dict[str, str]:
    """Of somebody, and of their sign-in."""
    (session,) = (await client("GET", "/v1/me/sessions")).json()["items"]
    return {"user_id": await id_of(client), "session_id": session["id"]}
