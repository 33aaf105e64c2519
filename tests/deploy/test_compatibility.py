"""Changes of the API that clients would stumble over are seen, others are let pass."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from deploy import compatibility

Document = dict[str, Any]

RELEASED: Document = {
    "paths": {
        "/v1/things": {
            "get": {
                "operationId": "things",
                "security": [{"OAuth2PasswordBearer": ["things:read"]}],
                "parameters": [
                    {"in": "query", "name": "kind", "schema": {"enum": ["old", "new"]}},
                    {"in": "query", "name": "limit", "schema": {"type": "integer", "maximum": 100}},
                ],
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}
                        }
                    },
                    "404": {"$ref": "#/components/responses/Problem404"},
                },
            },
            "post": {
                "operationId": "create_thing",
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/NewThing"}}
                    }
                },
                "responses": {"201": {}},
            },
        }
    },
    "components": {
        "responses": {"Problem404": {"content": {"application/problem+json": {"schema": {}}}}},
        "schemas": {
            "Thing": {
                "type": "object",
                "required": ["id", "state"],
                "properties": {
                    "id": {"type": "string"},
                    "state": {"enum": ["begun", "done"]},
                    "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
                },
            },
            "NewThing": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "maxLength": 100},
                    "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                },
            },
        },
    },
}


def get(document: Document) -> Document:
    found: Document = document["paths"]["/v1/things"]["get"]
    return found


def shape(document: Document, name: str) -> Document:
    found: Document = document["components"]["schemas"][name]
    return found


BREAKING: dict[str, Callable[[Document], object]] = {
    "GET /v1/things: is gone": lambda d: d["paths"]["/v1/things"].pop("get"),
    "GET /v1/things: has another operationId, all": lambda d: get(d).update(operationId="all"),
    "GET /v1/things: asks for the scope admin": lambda d: get(d).update(
        security=[{"OAuth2PasswordBearer": ["admin"]}]
    ),
    "POST /v1/things: asks who is calling": lambda d: d["paths"]["/v1/things"]["post"].update(
        security=[{"OAuth2PasswordBearer": []}]
    ),
    "GET /v1/things: takes query limit no more": lambda d: get(d)["parameters"].pop(),
    "GET /v1/things: needs query kind": lambda d: get(d)["parameters"][0].update(required=True),
    "GET /v1/things: query kind: 'old' no more": lambda d: get(d)["parameters"][0].update(
        schema={"enum": ["new"]}
    ),
    "GET /v1/things: query limit: maximum was 100, is 50": lambda d: get(d)["parameters"][1][
        "schema"
    ].update(maximum=50),
    "GET /v1/things: query limit: integer no more": lambda d: get(d)["parameters"][1][
        "schema"
    ].update(type="boolean"),
    "GET /v1/things: never answers 404 any more": lambda d: get(d)["responses"].pop("404"),
    "GET /v1/things: answer 200: no application/json any more": lambda d: get(d)["responses"][
        "200"
    ].update(content={"text/plain": {}}),
    "GET /v1/things: answer 200.note: is gone": lambda d: shape(d, "Thing")["properties"].pop(
        "note"
    ),
    "GET /v1/things: answer 200.state: may be left out": lambda d: shape(d, "Thing")[
        "required"
    ].remove("state"),
    "GET /v1/things: answer 200.state: 'lost' now": lambda d: shape(d, "Thing")["properties"][
        "state"
    ].update(enum=["begun", "done", "lost"]),
    "GET /v1/things: answer 200.id: null now": lambda d: shape(d, "Thing")["properties"].update(
        id={"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
    "POST /v1/things: needs a body": lambda d: d["paths"]["/v1/things"]["post"][
        "requestBody"
    ].update(required=True),
    "POST /v1/things: body.note: is needed": lambda d: shape(d, "NewThing")["required"].append(
        "note"
    ),
    "POST /v1/things: body.note: null no more": lambda d: shape(d, "NewThing")["properties"].update(
        note={"type": "string"}
    ),
    "POST /v1/things: body.note: is gone": lambda d: shape(d, "NewThing")["properties"].pop("note"),
    "POST /v1/things: body: further fields no more": lambda d: shape(d, "NewThing").update(
        additionalProperties=False
    ),
    "POST /v1/things: body.name: maxLength was 100, is 64": lambda d: shape(d, "NewThing")[
        "properties"
    ]["name"].update(maxLength=64),
    "POST /v1/things: body.name: pattern was None, is '^a'": lambda d: shape(d, "NewThing")[
        "properties"
    ]["name"].update(pattern="^a"),
}

HARMLESS: dict[str, Callable[[Document], object]] = {
    "a new path": lambda d: d["paths"].update({"/v1/others": {}}),
    "a parameter that nobody needs": lambda d: get(d)["parameters"].append(
        {"in": "query", "name": "after", "schema": {"type": "string"}}
    ),
    "another way to fail": lambda d: get(d)["responses"].update({"429": {}}),
    "more in an answer": lambda d: shape(d, "Thing")["properties"].update(size={"type": "integer"}),
    "fewer values in an answer": lambda d: shape(d, "Thing")["properties"]["state"].update(
        enum=["done"]
    ),
    "more that may be sent": lambda d: shape(d, "NewThing")["properties"].update(
        color={"type": "string"}
    ),
    "longer texts that may be sent": lambda d: shape(d, "NewThing")["properties"]["name"].update(
        maxLength=200
    ),
    "less that is needed": lambda d: shape(d, "NewThing").update(required=[]),
    "a number where an integer was asked for": lambda d: get(d)["parameters"][1]["schema"].update(
        type=["integer", "string"]
    ),
    "fewer scopes": lambda d: get(d).update(security=[{"OAuth2PasswordBearer": []}]),
    "other words": lambda d: shape(d, "Thing").update(description="Something."),
}


def after(change: Callable[[Document], object]) -> list[str]:
    changed = copy.deepcopy(RELEASED)
    change(changed)
    return compatibility.breaking(RELEASED, changed)


@pytest.mark.parametrize("sentence", BREAKING)
def test_what_breaks_clients_is_told(sentence: str) -> None:
    assert sentence in after(BREAKING[sentence])


@pytest.mark.parametrize("change", HARMLESS)
def test_what_breaks_nobody_is_let_pass(change: str) -> None:
    assert after(HARMLESS[change]) == []


def test_a_change_since_the_release_that_nobody_gave_a_reason_for_fails() -> None:
    assert compatibility.unmentioned() == set(), (
        "run python -m deploy.compatibility; say in docs/openapi-changes.json why it is meant"
    )
    assert all(len(reason) > 20 for reason in compatibility.meant().values())


def test_a_reason_counts_for_its_change_only(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = copy.deepcopy(RELEASED)
    del changed["paths"]["/v1/things"]["get"]
    reasons = {"GET /v1/things: is gone": "Nobody used it.", "GET /v1/other: is gone": "Over."}
    for name, content in (("RELEASED", RELEASED), ("CURRENT", changed), ("MEANT", reasons)):
        (tmp_path / name).write_text(json.dumps(content))
        monkeypatch.setattr(compatibility, name, tmp_path / name)

    assert compatibility.unmentioned() == {"GET /v1/other: is gone"}
