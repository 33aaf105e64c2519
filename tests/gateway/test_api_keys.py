"""API keys: made for services, seen once, good for what they name and no longer than allowed."""

import hashlib
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from services.gateway import records as tables
from services.gateway.records import ApiKey
from services.gateway.security import api_keys
from tests.gateway.conftest import PASSWORD, Client, Gateway
from tests.gateway.leaks import WATCH

READ, WRITE = "records:read", "records:write"


async def user(admin: Client, role: str = "service") -> str:
    new = {"username": f"the.{role}", "password": PASSWORD, "role": role}
    return str((await admin("POST", "/v1/users", json=new)).json()["id"])


async def asked(admin: Client, user_id: str, *permissions: str, **more: Any) -> httpx.Response:
    new = {"user_id": user_id, "name": "bridge", "permissions": permissions, **more}
    return await admin("POST", "/v1/api-keys", json=new)


async def made(admin: Client, user_id: str, *permissions: str) -> tuple[Client, dict[str, Any]]:
    """A key's holder, and what was said of the key."""
    answer = await asked(admin, user_id, *permissions)
    assert answer.status_code == 201, answer.text
    key: dict[str, Any] = answer.json()
    return Client(admin.http, key["key"]), key


async def kept(gateway: Gateway) -> list[ApiKey]:
    database = gateway.parts.access._database
    return await database.read(lambda session: list(session.scalars(select(ApiKey))))


async def test_a_key_does_what_it_names_and_nothing_else(either: Gateway) -> None:
    admin = await either.admin()
    bridge, _ = await made(admin, await user(admin), READ)

    listed = await bridge("GET", "/v1/analyses")
    refused = await bridge.analyze()

    assert (listed.status_code, refused.status_code) == (200, 403)
    assert refused.json()["detail"] == f"Your API key does not include {WRITE}."
    assert (await bridge("GET", "/v1/me")).json()["username"] == "the.service"


async def test_a_key_that_only_writes_is_shown_no_record_by_changing_or_replaying_it(
    either: Gateway,
) -> None:
    admin = await either.admin()
    service = await user(admin)
    writer, _ = await made(admin, service, WRITE)
    analysis = (await writer.analyze()).headers["Location"]
    new = {"identifier": "4711", "issuer": "clinic", "name": "Erika Mustermann"}
    patient = (await writer("POST", "/v1/patients", json=new)).headers["Location"]

    replayed = await writer("POST", f"{analysis}/replay")
    changed = await writer("PATCH", patient, json={}, headers={"If-Match": "*"})

    for refused in (replayed, changed):
        assert refused.status_code == 403
        assert refused.json()["detail"] == f"Your API key does not include {READ}."


async def test_a_picture_that_a_key_brings_belongs_to_its_service(either: Gateway) -> None:
    admin = await either.admin()
    bridge, _ = await made(admin, await user(admin), READ, WRITE)

    path = (await bridge.analyze()).headers["Location"]

    assert (await bridge("GET", path)).status_code == 200
    assert (await admin("GET", path)).status_code == 404


async def test_a_key_never_does_more_than_its_owner_may_by_then(either: Gateway) -> None:
    admin = await either.admin()
    service = await user(admin)
    bridge, _ = await made(admin, service, READ, WRITE)

    async def becomes(role: str) -> tuple[int, int, int]:
        await admin("PATCH", f"/v1/users/{service}", json={"role": role}, headers={"If-Match": "*"})
        read, write = await bridge("GET", "/v1/analyses"), await bridge.analyze()
        return read.status_code, write.status_code, (await bridge("GET", "/v1/users")).status_code

    assert await becomes("service") == (200, 201, 403)
    assert await becomes("viewer") == (200, 403, 403)
    assert await becomes("admin") == (200, 201, 403)


async def test_a_revoked_key_is_no_good_from_the_next_request_on(either: Gateway) -> None:
    admin = await either.admin()
    bridge, key = await made(admin, await user(admin), READ)
    path = f"/v1/api-keys/{key['id']}"
    assert (await bridge("GET", "/v1/analyses")).status_code == 200

    revoked = await admin("DELETE", path)

    assert revoked.status_code == 204
    assert (await bridge("GET", "/v1/analyses")).status_code == 401
    assert (await admin("DELETE", path)).status_code == 404
    assert (await admin("DELETE", "/v1/api-keys/no-id")).status_code == 404
    assert (await admin("GET", "/v1/api-keys")).json()["items"] == []


async def test_the_key_of_a_disabled_service_is_no_good_while_that_lasts(either: Gateway) -> None:
    admin = await either.admin()
    service = await user(admin)
    bridge, _ = await made(admin, service, READ)

    seen = []
    for disabled in (True, False):
        await admin(
            "PATCH", f"/v1/users/{service}", json={"disabled": disabled}, headers={"If-Match": "*"}
        )
        seen.append((await bridge("GET", "/v1/analyses")).status_code)

    assert seen == [401, 200]


async def test_an_expired_key_is_no_good(either: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = await either.admin()
    service = await user(admin)
    bridge = Client(admin.http, (await asked(admin, service, READ, days=2)).json()["key"])

    seen = []
    for days in (1.9, 2.1):
        moment = tables.now() + timedelta(days=days)
        monkeypatch.setattr("services.gateway.identity.access.now", lambda moment=moment: moment)
        seen.append((await bridge("GET", "/v1/me")).status_code)

    assert seen == [200, 401]


async def test_a_key_is_shown_once_and_kept_as_a_digest(either: Gateway) -> None:
    admin = await either.admin()
    _, key = await made(admin, await user(admin), READ)

    listed = await admin("GET", "/v1/api-keys")
    (row,) = await kept(either)

    assert listed.json()["items"] == [{k: v for k, v in key.items() if k != "key"}]
    assert key["key"].startswith(key["beginning"])
    assert row.digest == hashlib.sha256(key["key"].encode()).hexdigest()
    assert key["key"] not in str(row.model_dump())


async def test_no_log_line_has_a_key(gateway: Gateway) -> None:
    admin = await gateway.admin()
    service = await user(admin)

    with WATCH.captured() as lines:
        bridge, key = await made(admin, service, READ)
        for path in ("/v1/me", "/v1/users", "/v1/analyses?limit=0"):
            await bridge("GET", path)
        await Client(bridge.http, key["key"] + "x")("GET", "/v1/me")

    assert len(lines) >= 5
    assert key["key"] not in str(lines)


BROKEN: list[dict[str, Any]] = [
    {"permissions": []},
    {"permissions": ["records:delete"]},
    {"permissions": [READ, "users:manage"]},
    {"permissions": ["everything"]},
    {"days": 0},
    {"days": 731},
    {"days": "30"},
    {"days": True},
    {"name": ""},
    {"name": "a\0b"},
    {"user_id": "0" * 32},
    {"user_id": "x"},
    {"organisation_id": "0" * 32},
]


async def test_a_key_that_breaks_the_rules_is_not_made(gateway: Gateway) -> None:
    admin = await gateway.admin()
    new = {"user_id": await user(admin), "name": "bridge", "permissions": [READ]}
    for change in BROKEN:
        refused = await admin("POST", "/v1/api-keys", json=new | change)

        assert refused.status_code == 422, change
        assert next(iter(change)) in refused.json()["detail"], change
        assert await kept(gateway) == [], change


async def test_keys_are_for_services_alone(either: Gateway) -> None:
    admin = await either.admin()

    for role in ("admin", "clinician", "viewer"):
        refused = await asked(admin, await user(admin, role), READ)
        assert refused.status_code == 422


async def test_what_takes_a_password_is_not_for_keys(either: Gateway) -> None:
    admin = await either.admin()
    bridge, _ = await made(admin, await user(admin), READ, WRITE)
    words = {"current_password": PASSWORD, "new_password": "another password"}

    for method, path, body in (
        ("PUT", "/v1/me/password", {"json": words}),
        ("POST", "/v1/auth/logout", {}),
        ("GET", "/v1/me/sessions", {}),
        ("DELETE", f"/v1/me/sessions/{'0' * 32}", {}),
        ("GET", "/v1/api-keys", {}),
    ):
        assert (await bridge(method, path, **body)).status_code == 403, path


async def test_a_key_that_was_never_given_out_gets_the_same_answer_as_a_misspelt_one(
    either: Gateway,
) -> None:
    answers = [
        await either.anonymous("GET", "/v1/me", headers={"Authorization": f"Bearer {key}"})
        for key in (api_keys.new_key(), api_keys.new_key()[:-1], "dsk_", "dsk_ x")
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.json()["detail"] for answer in answers}) == 1


def test_keys_are_of_one_form_and_none_is_like_another() -> None:
    keys = {api_keys.new_key() for _ in range(100)}

    assert len(keys) == 100
    assert all(re.fullmatch(r"dsk_[0-9A-Za-z]{49}", key) for key in keys)
    assert all(map(api_keys.is_key, keys))


@given(place=st.integers(4, 52), letter=st.sampled_from("0123456789abcXYZ"))
def test_a_key_with_a_wrong_letter_is_none(place: int, letter: str) -> None:
    key = api_keys.new_key()
    misspelt = key[:place] + letter + key[place + 1 :]

    assert api_keys.is_key(misspelt) == (misspelt == key)
