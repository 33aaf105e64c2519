"""What nobody should send: refused alike by every operation, and nothing is made."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.gateway.conftest import Client, Gateway
from tests.gateway.test_patients import listed

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
DEEP = 10_000
PROBED = ("/livez", "/readyz", "/metrics", "/.well-known/jwks.json")
TOLERANT = {"/v1/auth/oidc/callback", "/v1/auth/oidc/logout", *PROBED}
"""Identity providers may add parameters of their own there (RFC 6749, section 4.1.2) and fields
there (OpenID Connect Back-Channel Logout 1.0, section 2.5); machines are set up to ask the others
with what their makers thought of."""

TWICE_READ = {
    "a name twice": b'{"identifier":"1","identifier":"2"}',
    "a name twice, once escaped": b'{"identifier":"1","\\u0069dentifier":"2"}',
    "a name twice further inside": b'{"identifier":"1","name":{"a":1,"a":2}}',
    "no number": b'{"identifier":NaN}',
    "no end": b'{"identifier":"1","name":Infinity}',
    "nested deep": b"[" * DEEP + b"]" * DEEP,
    "nested deep in a field": b'{"identifier":"1","name":'
    + b'{"a":' * DEEP
    + b"1"
    + b"}" * DEEP
    + b"}",
    "digits without end": b'{"identifier":' + b"9" * 50_000 + b"}",
    "UTF-16": '{"identifier":"1"}'.encode("utf-16"),
    "UTF-32": '{"identifier":"1"}'.encode("utf-32"),
    **{
        f"{encoding}, and nothing that says so": '{"identifier":"1"}'.encode(encoding)
        for encoding in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
    },
    "Latin-1": b'{"identifier":"\xe9"}',
    "half a character": b'{"identifier":"\\ud800"}',
    "overlong UTF-8": b'{"identifier":"\xc0\x80"}',
    "two values": b'{"identifier":"1"}{}',
    "a comment": b'{"identifier":"1"/**/}',
    "a comma too many": b'{"identifier":"1",}',
    "single quotes": b"{'identifier':'1'}",
    "a list": b'[{"identifier":"1"}]',
    "a text": b'"identifier"',
    "null": b"null",
}


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["type"].startswith("/docs/problems#")
    return told


def bodies(
    gateway: Gateway, kind: str, analysis_id: str = "0" * 32
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Find each operation with a body of a kind: method, path, and the names of its fields.

    What is assessed is looked for before the body is read; ``analysis_id`` is there.
    """
    document = gateway.app.openapi()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            if kind in content:
                named = re.findall(r"#/components/schemas/(\w+)", str(content[kind]["schema"]))
                fields = document["components"]["schemas"][named[0]]["properties"]
                there = path.replace("{analysis_id}", analysis_id)
                yield method, re.sub(r"{\w+}", "0" * 32, there), fields


async def test_json_that_others_read_differently_makes_nothing(either: Gateway) -> None:
    admin = await either.admin()

    for case, content in TWICE_READ.items():
        answer = await admin("POST", "/v1/patients", content=content, headers=JSON)
        assert answer.status_code == 422, case
        problem(answer, 422)

    assert await listed(admin, "/v1/patients") == []


async def test_every_operation_refuses_fields_that_it_does_not_have(either: Gateway) -> None:
    admin, found = await either.admin(), 0
    analysis_id = (await admin.analyze()).json()["id"]
    for method, path, _ in bodies(either, "application/json", analysis_id):
        found += 1
        answer = await admin(method, path, json={"surprise": 1}, headers={"If-Match": "*"})

        fields = [each["field"] for each in problem(answer, 422)["errors"]]
        assert "body.surprise" in fields, (method, path)
    assert found > 5


async def test_every_operation_refuses_fields_that_are_there_twice(either: Gateway) -> None:
    admin = await either.admin()
    for method, path, fields in bodies(either, "application/json"):
        name = next(iter(fields))
        twice = f'{{"{name}":"a","{name}":"b"}}'
        answer = await admin(method, path, content=twice, headers=JSON | {"If-Match": "*"})
        assert problem(answer, 422)["errors"][0]["field"] == f"body.{name}"
    form = "username=admin&username=bob&password=x"
    answer = await admin("POST", "/v1/auth/token", content=form, headers=FORM)
    assert problem(answer, 422)["errors"][0]["field"] == "body.username"
    parts = {"image": ("picture", b"x"), "note": (None, "a")}
    answer = await admin("POST", "/v1/analyses", files=[*parts.items(), ("note", (None, "b"))])
    assert problem(answer, 422)["errors"][0]["field"] == "body.note"
    series = [("images", ("0.jpg", b"x")), ("note", (None, "a")), ("note", (None, "b"))]
    answer = await admin("POST", "/v1/batches", files=series)
    assert problem(answer, 422)["errors"][0]["field"] == "body.note"


async def test_every_operation_refuses_parameters_that_it_does_not_have_or_has_twice(
    gateway: Gateway,
) -> None:
    admin = await gateway.admin()
    for path, methods in gateway.app.openapi()["paths"].items():
        for method, operation in methods.items():
            where = re.sub(r"{\w+}", "0" * 32, path)
            if path not in TOLERANT:
                unknown = await admin(method, f"{where}?surprise=1")
                assert problem(unknown, 422)["errors"][0]["field"] == "query.surprise", path
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query" and parameter["schema"].get("type") != "array":
                    name = parameter["name"]
                    twice = await admin(method, f"{where}?{name}=1&{name}=1")
                    assert problem(twice, 422)["errors"][0]["field"] == f"query.{name}", path


async def test_who_asks_wrongly_pays_for_it_and_is_named_in_the_audit(gateway: Gateway) -> None:
    admin = await gateway.admin()

    refused = await admin("GET", "/v1/patients?surprise=1")
    found = await admin("GET", "/v1/audit")

    problem(refused, 422)
    assert "RateLimit" in refused.headers
    rows = [
        row for row in found.json()["items"] if row["request_id"] == refused.headers["x-request-id"]
    ]
    assert [row["user_id"] for row in rows] == [(await admin("GET", "/v1/me")).json()["id"]]


async def test_who_is_not_known_is_told_so_and_nothing_else(gateway: Gateway) -> None:
    for token in (None, "bad"):
        stranger = Client(gateway.http, token)
        for asked in (
            await stranger("GET", "/v1/patients?surprise=1"),
            await stranger("POST", "/v1/patients", content="{}", headers={"Content-Type": "a/b"}),
        ):
            problem(asked, 401)
            assert "RateLimit" in asked.headers


@pytest.mark.parametrize("path", PROBED)
async def test_a_probe_may_ask_with_more_than_we_know(gateway: Gateway, path: str) -> None:
    answer = await gateway.anonymous("GET", f"{path}?verbose=1&verbose=1")

    assert answer.status_code == (await gateway.anonymous("GET", path)).status_code
    assert answer.status_code != 422


async def test_an_identity_provider_may_send_more_than_we_know(gateway: Gateway) -> None:
    where = "/v1/auth/oidc/logout"
    more = await gateway.anonymous("POST", where, content="logout_token=a&x=1&x=2", headers=FORM)
    twice = await gateway.anonymous(
        "POST", where, content="logout_token=a&logout_token=b", headers=FORM
    )

    problem(more, 404)
    assert problem(twice, 422)["errors"][0]["field"] == "body.logout_token"


async def test_every_operation_refuses_bodies_of_another_kind(gateway: Gateway) -> None:
    admin = await gateway.admin()
    for method, path, _ in bodies(gateway, "application/json"):
        for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded", None):
            headers = {} if kind is None else {"Content-Type": kind}
            answer = await admin(method, path, content=b"{}", headers=headers)
            problem(answer, 415)
    for path in ("/v1/auth/token", "/v1/analyses"):
        problem(await admin("POST", path, json={}), 415)


NUMBERS = ["-1", "0", "101", "1e3", "1.5", "NaN", "inf", "0x10", "٣", "", " ", "9" * 400, "1;2"]
DAYS = ["-1", "0", "731", "1.5", '"1"', "true", "1e400", "9" * 400]


async def test_numbers_out_of_range_are_refused_wherever_one_is_asked_for(gateway: Gateway) -> None:
    admin = await gateway.admin()
    paged = [
        path
        for path, methods in gateway.app.openapi()["paths"].items()
        if "{" not in path
        and "limit" in [each["name"] for each in methods.get("get", {}).get("parameters", [])]
    ]
    assert len(paged) >= 4

    for number in NUMBERS:
        for path in paged:
            problem(await admin("GET", path, params={"limit": number}), 422)
    key = {"user_id": "0" * 32, "name": "x", "permissions": ["records:read"]}
    for days in DAYS:
        body = f'{{"days":{days},{json.dumps(key)[1:]}'
        problem(await admin("POST", "/v1/api-keys", content=body, headers=JSON), 422)
