"""Requests with an Idempotency-Key are carried out once, however often they come."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from sqlalchemy import select

from services.gateway import once
from services.gateway import records as tables
from services.gateway.records import KeyedRequest
from tests import specimens
from tests.gateway.conftest import PASSWORD, Client, Gateway, Start
from tests.gateway.test_patients import ANN, listed

KEY = {"Idempotency-Key": "8e03978e-40d5-43e8-bc93-6894a57f9324"}
OTHER = ANN | {"name": "Another"}
PICTURE = specimens.lesion_jpeg()


async def patient(client: Client, key: dict[str, str] = KEY, **body: Any) -> httpx.Response:
    return await client("POST", "/v1/patients", json=ANN | body, headers=key)


async def analysis(client: Client, picture: bytes = PICTURE, **fields: str) -> httpx.Response:
    """Send a form, whose boundary is a new one each time."""
    files = {"image": ("picture", picture)}
    return await client("POST", "/v1/analyses", files=files, data=fields, headers=KEY)


async def kept(gateway: Gateway) -> KeyedRequest:
    """Return the one request that is remembered."""
    records = gateway.parts.once._database
    return await records.read(lambda session: session.scalars(select(KeyedRequest)).one())


def later(monkeypatch: pytest.MonkeyPatch, **time: float) -> None:
    """From now on it is later for keys."""
    moment = tables.now() + timedelta(**time)
    monkeypatch.setattr(once, "now", lambda: moment)


async def test_the_same_request_again_gets_the_same_answer_and_makes_nothing(
    either: Gateway,
) -> None:
    admin = await either.admin()
    lesion = {"patient": (await patient(admin)).json()["id"], "note": "a note"}
    user = {"username": "the.nurse", "password": PASSWORD, "role": "viewer"}

    for path, body in (("/v1/patients", ANN), ("/v1/lesions", lesion), ("/v1/users", user)):
        answers = [await admin("POST", path, json=body, headers=KEY) for _ in range(3)]

        assert {answer.status_code for answer in answers} == {201}, path
        assert len({answer.text for answer in answers}) == 1
        assert len({answer.headers.get("Location") for answer in answers}) == 1
        assert len(await listed(admin, path)) == (2 if path == "/v1/users" else 1)


async def test_the_same_picture_again_is_analyzed_once(either: Gateway) -> None:
    alice = await either.signed_in()

    answers = [await analysis(alice, note="a note") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.text for answer in answers}) == 1
    assert len(either.inference.requests) == 1
    assert len(await listed(alice, "/v1/analyses")) == 1


async def test_another_request_with_the_same_key_is_refused(either: Gateway) -> None:
    alice = await either.signed_in()
    await patient(alice)
    await analysis(alice)

    refused = [
        await patient(alice, name="Another"),
        await analysis(alice, specimens.lesion_jpeg(seed=2)),
        await analysis(alice, note="another"),
    ]

    assert [answer.status_code for answer in refused] == [422] * 3
    assert "Idempotency-Key" in refused[0].json()["detail"]
    assert len(await listed(alice, "/v1/patients")) == 1


async def test_of_many_at_once_one_makes_it_and_the_others_are_told_or_wait(
    either: Gateway,
) -> None:
    alice = await either.signed_in()

    answers = await asyncio.gather(*(patient(alice) for _ in range(8)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    (made,) = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert await listed(alice, "/v1/patients") == [made]
    assert (await patient(alice)).json()["id"] == made


async def test_replicas_carry_a_request_out_once_together(
    start: Start, database_url: str, tmp_path: Path
) -> None:
    async with (
        start(database_url=database_url) as one,
        start(database_url=database_url, DERMSERVE_DATA_DIR=tmp_path / "other") as two,
    ):
        alice = await one.signed_in()
        form = {"username": "alice", "password": PASSWORD}
        token = (await two.anonymous("POST", "/v1/auth/token", data=form)).json()["access_token"]
        elsewhere = Client(two.http, token)
        one.inference.may_answer.clear()

        first = asyncio.create_task(analysis(alice))
        await one.inference.arrived()
        meanwhile = await analysis(elsewhere)
        one.inference.may_answer.set()
        made = await first

        assert (made.status_code, meanwhile.status_code) == (201, 409)
        assert meanwhile.json()["type"] == "/docs/problems#in-progress"
        assert meanwhile.headers["Retry-After"] == "1"
        assert (await analysis(elsewhere)).json() == made.json()
        assert two.inference.requests == []


async def test_keys_of_others_and_for_other_things_are_other_keys(either: Gateway) -> None:
    alice, bob = await either.signed_in(), await either.signed_in("bob")

    made = [await patient(alice), await patient(bob, name="Another"), await analysis(alice)]

    assert [answer.status_code for answer in made] == [201] * 3
    assert len({answer.json()["id"] for answer in made}) == 3


async def test_what_was_refused_may_be_tried_again_with_the_same_key(either: Gateway) -> None:
    alice = await either.signed_in()
    either.inference.failure = (grpc.StatusCode.UNAVAILABLE, "down")
    refused = await analysis(alice)
    either.inference.failure = None

    assert (refused.status_code, (await analysis(alice)).status_code) == (503, 201)
    assert len(await listed(alice, "/v1/analyses")) == 1


async def test_what_was_removed_since_is_not_made_again(either: Gateway) -> None:
    alice = await either.signed_in()
    path = (await patient(alice)).headers["Location"]
    await alice("DELETE", path, headers={"If-Match": "*"})

    assert (await patient(alice)).status_code == 409
    assert await listed(alice, "/v1/patients") == []


async def test_an_api_key_is_made_once_and_not_shown_again(either: Gateway) -> None:
    admin = await either.admin()
    new = {"username": "bridge", "password": PASSWORD, "role": "service"}
    service = (await admin("POST", "/v1/users", json=new)).json()["id"]
    body = {"user_id": service, "name": "bridge", "permissions": ["records:read"]}

    answers = [await admin("POST", "/v1/api-keys", json=body, headers=KEY) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [201, 409, 409]
    assert await listed(admin, "/v1/api-keys") == [answers[0].json()["id"]]


async def test_a_key_is_forgotten_after_its_time(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await either.signed_in()
    first = await patient(alice)

    later(monkeypatch, seconds=either.settings.idempotency_key_s + 1)
    second = await patient(alice, identifier="4712")

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]


async def test_forgotten_keys_are_removed_by_the_first_request_of_a_process(
    start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start(database_url=database_url) as gateway:
        await patient(await gateway.signed_in())
        first = await kept(gateway)
    later(monkeypatch, seconds=gateway.settings.idempotency_key_s + 1)
    async with start(database_url=database_url) as gateway:
        bob = await gateway.signed_in("bob")
        await patient(bob)

        assert (await kept(gateway)).digest != first.digest


async def test_keys_that_are_none_are_refused(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    for key in ("", '""', "x" * 256, "a\tb", '"a', 'a"b'):
        assert (await patient(alice, {"Idempotency-Key": key})).status_code == 422, key


async def test_quotes_around_a_key_make_no_difference(either: Gateway) -> None:
    alice = await either.signed_in()

    made = [await patient(alice, {"Idempotency-Key": key}) for key in ("a-key", '"a-key"')]

    assert made[0].json() == made[1].json()


async def test_text_that_is_none_is_refused_as_without_a_key(either: Gateway) -> None:
    alice = await either.signed_in()
    part = b'--x\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
    content = (
        part % (b"note", b"", rb"\ud800")
        + part % (b"image", b'; filename="a"', PICTURE)
        + b"--x--\r\n"
    )
    form = {"Content-Type": "multipart/form-data; boundary=x; charset=raw_unicode_escape"}

    answers = [
        await alice("POST", "/v1/analyses", content=content, headers=form | key)
        for key in ({}, KEY)
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
