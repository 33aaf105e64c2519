"""What people write: kept as it is, or refused in plain words, by every operation."""

import re
from typing import Any

import pytest
from pydantic import ConfigDict, TypeAdapter, ValidationError

from services.gateway.text import FilledText, Text
from tests.gateway.conftest import Client, Gateway
from tests.gateway.test_bad_input import bodies, problem
from tests.gateway.test_patients import listed

NAMES = [
    "עדה לאבלייס",
    "فاطمة بنت محمد \u200f(أ)",
    "👩🏽‍⚕️ Zoë Müller-O'Brien 🧿",
    "नेहा शर्मा",
    "Robert'); DROP TABLE patients;--",
    '" OR 1=1 --',
    "{{7*7}} ${7*7} <%= 7*7 %> #{7*7}",
    "<script>alert(1)</script>&amp;",
    "%s %n %(name)s {0.__class__}",
    "../../etc/passwd\\..\\",
    "null",
    "e\u0301 and é",
]


@pytest.mark.parametrize("kind", [Text, FilledText])
def test_the_document_says_of_texts_what_is_refused(kind: Any) -> None:
    text: TypeAdapter[str] = TypeAdapter(kind, config=ConfigDict(str_strip_whitespace=True))
    pattern = text.json_schema()["pattern"]

    for character in map(chr, range(0xA1)):
        for sent in (character, f"a{character}b"):
            try:
                text.validate_python(sent)
            except ValidationError:
                taken = False
            else:
                taken = True
            assert taken == bool(re.search(pattern, sent)), ascii(sent)


async def test_no_text_anywhere_has_control_characters(gateway: Gateway) -> None:
    admin = await gateway.admin()
    analysis_id = (await admin.analyze()).json()["id"]
    for character in ("\x00", "\x01", "\x08", "\x1b", "\x7f", "\x9b"):
        for method, path, fields in bodies(gateway, "application/json", analysis_id):
            sent = dict.fromkeys(fields, f"a{character}b")
            answer = await admin(method, path, json=sent, headers={"If-Match": "*"})
            # A token may be anything; there is none such, and to end its sign-in is no fault.
            expected = {204, 401} if "refresh_token" in sent else {422}
            assert answer.status_code in expected, (path, character, answer.text)
        for field in ("identifier", "issuer", "name"):
            sent = {"identifier": "1", field: f"a{character}b"}
            problem(await admin("POST", "/v1/patients", json=sent), 422)
        form = await admin.analyze(note=f"a{character}b")
        problem(form, 422)
        for path, methods in gateway.app.openapi()["paths"].items():
            await _in_path_and_query(admin, path, methods.get("get", {}), character)
    assert await listed(admin, "/v1/patients") == []
    assert await listed(admin, "/v1/analyses") == [analysis_id]


async def _in_path_and_query(
    admin: Client, path: str, operation: dict[str, Any], character: str
) -> None:
    escaped = f"%{ord(character):02x}" if character.isascii() else "%c2%9b"
    if "{" in path:
        answer = await admin("GET", re.sub(r"{\w+}", f"a{escaped}b", path))
        assert answer.status_code in {404, 405, 422}, path
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query":
            where = re.sub(r"{\w+}", "0" * 32, path)
            answer = await admin("GET", f"{where}?{parameter['name']}=a{escaped}b")
            # What is switched off here is not there, whatever it is asked with.
            assert answer.status_code in {404, 422}, where


async def test_who_sends_text_that_cannot_be_kept_is_told_why_in_plain_words(
    gateway: Gateway,
) -> None:
    alice = await gateway.signed_in()
    ann = {"identifier": "1", "issuer": "ward"}

    long = problem(await alice("POST", "/v1/patients", json={**ann, "name": "x" * 201}), 422)
    empty = problem(await alice("POST", "/v1/patients", json={**ann, "identifier": " "}), 422)
    garbled = problem(await alice("POST", "/v1/patients", json={**ann, "name": "\x07"}), 422)
    note = problem(await alice.analyze(note="x" * 2001), 422)
    unknown = problem(
        await alice("POST", "/v1/batches", files={"images": b""}, data={"x": "1"}), 422
    )

    assert long["detail"] == "body.name: String should have at most 200 characters."
    assert empty["detail"] == "body.identifier: String should have at least 1 character."
    assert garbled["detail"] == "body.name: Has control characters."
    assert note["detail"] == "note: String should have at most 2000 characters."
    assert "'x'" in unknown["detail"]
    assert "image" not in unknown["detail"]


async def test_names_of_people_come_back_as_they_were_sent(either: Gateway) -> None:
    admin = await either.admin()
    for name in NAMES:
        sent = {"identifier": name[:64], "issuer": name, "name": name}

        made = await admin("POST", "/v1/patients", json=sent)
        assert made.status_code == 201, made.text
        shown = (await admin("GET", f"/v1/patients/{made.json()['id']}")).json()
        found = await admin("GET", "/v1/patients", params={"issuer": name})
        missed = await admin("GET", "/v1/patients", params={"issuer": f"{name} "})

        assert {key: shown[key] for key in sent} == sent
        assert [each["id"] for each in found.json()["items"]] == [shown["id"]]
        assert missed.status_code == 200
