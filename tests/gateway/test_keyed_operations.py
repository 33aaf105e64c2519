"""Every operation that makes something is safe to send again, as the document says of it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests import specimens
from tests.gateway.conftest import PASSWORD, Client, Gateway, Start
from tests.gateway.test_patients import ANN
from tests.gateway.test_webhooks import URL, made

KEY = {"Idempotency-Key": "5b1f7a52-6d0e-4b67-9a55-0d3b4d8f4f0a"}

WITHOUT_A_KEY = {
    # Its caller is nobody yet; a name is taken once.
    "/v1/auth/register",
    # It makes nothing: the message keeps its id, by which its receiver knows it again.
    "/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
}
SHOWN_ONCE = {"/v1/api-keys", "/v1/webhooks", "/v1/webhooks/{webhook_id}/secrets"}
"""What is made there holds a secret that nobody has any more: who asks again is told so (409)."""

PICTURES = [specimens.lesion_jpeg((64, 48), seed=seed) for seed in (1, 2)]
NURSE = {"username": "the.nurse", "password": PASSWORD, "role": "viewer"}
HOOK = {"url": URL}

Document = dict[str, dict[str, Any]]


@pytest.fixture
async def idle(start: Start, database_url: str) -> AsyncIterator[Gateway]:
    """A gateway on each kind of database where what waits goes on waiting."""
    async with start(database_url=database_url, job_workers=0) as running:
        yield running


def posts(gateway: Gateway) -> Document:
    """The operations of the document that make something, or have it done later."""
    paths = gateway.app.openapi()["paths"]
    found = {path: methods["post"] for path, methods in paths.items() if "post" in methods}
    return {path: each for path, each in found.items() if {"201", "202"} & each["responses"].keys()}


def keyed(making: Document) -> set[str]:
    """Where an Idempotency-Key is taken."""
    parameters = {path: each.get("parameters", []) for path, each in making.items()}
    return {
        path
        for path, known in parameters.items()
        if any(each["name"] == "Idempotency-Key" for each in known)
    }


async def requests(admin: Client) -> dict[str, list[dict[str, Any]]]:
    """Two requests for each operation that takes a key, which ask for different things."""
    service = {"username": "bridge", "password": PASSWORD, "role": "service"}
    user = (await admin("POST", "/v1/users", json=service)).json()["id"]
    patient = (await admin("POST", "/v1/patients", json=ANN)).json()["id"]
    api_key = {"user_id": user, "name": "bridge", "permissions": ["records:read"]}
    new = ANN | {"identifier": "4712"}
    return {
        "/v1/users": [{"json": NURSE}, {"json": NURSE | {"role": "clinician"}}],
        "/v1/api-keys": [{"json": api_key}, {"json": api_key | {"name": "another"}}],
        "/v1/patients": [{"json": new}, {"json": new | {"name": "Another"}}],
        "/v1/lesions": [{"json": {"patient": patient, "note": note}} for note in ("one", "two")],
        "/v1/analyses": [{"files": {"image": ("1.jpg", each)}} for each in PICTURES],
        "/v1/batches": [{"files": {"images": ("1.jpg", each)}} for each in PICTURES],
        "/v1/webhooks": [{"json": HOOK}, {"json": HOOK | {"description": "another"}}],
        "/v1/webhooks/{webhook_id}/secrets": [{"json": {}}, {"json": {"overlap_hours": 1}}],
        "/v1/webhooks/{webhook_id}/test": [{}, {"content": b"another"}],
    }


async def test_every_operation_that_makes_something_for_a_caller_takes_a_key(
    gateway: Gateway,
) -> None:
    making = posts(gateway)

    assert making.keys() - keyed(making) == WITHOUT_A_KEY
    assert {
        path for path in keyed(making) if "the answer is 409" in making[path]["description"]
    } == SHOWN_ONCE


async def test_every_operation_that_takes_a_key_is_carried_out_once_and_for_one_body(
    idle: Gateway,
) -> None:
    admin = await idle.admin()
    asked = await requests(admin)
    hook = (await made(admin))["id"]
    assert asked.keys() == keyed(posts(idle))

    for path, (one, another) in asked.items():
        where = path.format(webhook_id=hook)
        first, again, other = [
            await admin("POST", where, headers=KEY, **each) for each in (one, one, another)
        ]

        assert first.status_code in {201, 202}, (path, first.text)
        if path in SHOWN_ONCE:
            assert (again.status_code, again.json()["type"]) == (409, "/docs/problems#conflict")
        else:
            assert again.status_code == first.status_code, (path, again.text)
            assert again.json()["id"] == first.json()["id"], path
            assert again.headers.get("Location") == first.headers.get("Location"), path
        assert other.status_code == 422, (path, other.text)
        assert other.json()["detail"].startswith("Idempotency-Key: "), path
