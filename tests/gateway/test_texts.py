"""What people write: kept as it is, or refused in plain words, by every operation."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ConfigDict, TypeAdapter, ValidationError

from services.gateway.analyses import Subject
from services.gateway.text import FilledText, Text
from tests import specimens
from tests.gateway.conftest import Client, Gateway
from tests.gateway.test_bad_input import problem
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


CONTROLS = ("\x00", "\x01", "\x08", "\x1b", "\x7f", "\x9b")

HASHED = frozenset({"password", "current_password", "new_password", "refresh_token"})
"""What is kept as a hash if at all, and shown to nobody: it may have any characters."""


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


async def test_no_text_of_a_body_has_control_characters(gateway: Gateway) -> None:
    admin = await gateway.admin()
    analysis_id = (await admin.analyze()).json()["id"]
    tried = set()
    for character in CONTROLS:
        for method, path, example in examples(gateway, analysis_id):
            for field, sent in spoilt(example, character, hashed(path)):
                # All else of it keeps the rules: no other field can stand in for this one.
                answer = await admin(method, path, json=sent, headers={"If-Match": "*"})
                assert at_fault(problem(answer, 422)) == [f"body.{field}"], (path, character)
                tried.add(field)
    assert tried >= {"identifier", "issuer", "name", "note", "reason", "url", "description"}
    assert await listed(admin, "/v1/patients") == []
    assert await listed(admin, "/v1/analyses") == [analysis_id]


async def test_no_text_of_a_form_has_control_characters(gateway: Gateway) -> None:
    admin = await gateway.admin()
    picture = specimens.lesion_jpeg((64, 48))
    for path, files in (("/v1/analyses", "image"), ("/v1/batches", "images")):
        for field in Subject.model_fields:
            for character in CONTROLS:
                sent = {field: f"a{character}b"}
                answer = await admin("POST", path, files={files: picture}, data=sent)
                assert problem(answer, 422)["detail"] == f"{field}: Has control characters."
    assert await listed(admin, "/v1/analyses") == []


async def test_no_text_of_an_address_has_control_characters(gateway: Gateway) -> None:
    admin = await gateway.admin()
    for character in CONTROLS:
        for path, methods in gateway.app.openapi()["paths"].items():
            await _in_path_and_query(admin, path, methods.get("get", {}), character)


def examples(gateway: Gateway, analysis_id: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Find each operation that takes JSON: method, path, and the document's own example of it.

    What is assessed is looked for before the body is read; ``analysis_id`` is there.
    """
    for path, methods in gateway.app.openapi()["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                there = path.replace("{analysis_id}", analysis_id)
                yield (
                    method,
                    re.sub(r"{\w+}", "0" * 32, there),
                    content["application/json"]["example"],
                )


def at_fault(told: dict[str, Any]) -> list[str]:
    """Return the fields that a problem is about."""
    # Usernames have a rule of their own, on the command line too, and its sentence.
    if told["detail"].startswith("A username has"):
        return ["body.username"]
    return [each["field"] for each in told.get("errors", ())]


def hashed(path: str) -> frozenset[str]:
    """Return the fields of a body that may have any characters."""
    return HASHED | {"code"} if path == "/v1/auth/password-reset" else HASHED


def spoilt(
    body: dict[str, Any], character: str, whole: frozenset[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give a body with a character in one of its texts, and where it stands; each in turn."""
    for name, value in body.items():
        if isinstance(value, str) and name not in whole:
            yield name, {**body, name: f"{value}{character}b"}
        elif isinstance(value, list):
            for at, each in enumerate(value):
                some = [*value[:at], f"{each}{character}b", *value[at + 1 :]]
                yield f"{name}.{at}", {**body, name: some}


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
