"""The committed OpenAPI document: current, valid, and complete about every operation."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from deploy import openapi
from services.gateway.openapi.examples import UNKNOWN

DOCUMENT: dict[str, Any] = json.loads(openapi.PAGE.read_text(encoding="utf-8"))
OPERATIONS = [
    pytest.param(path, operation, id=operation["operationId"])
    for path, methods in DOCUMENT["paths"].items()
    for operation in methods.values()
]
each_operation = pytest.mark.parametrize(("path", "operation"), OPERATIONS)
BINARY = {"application/pdf", "application/zip", "image/jpeg", "image/png", "multipart/form-data"}


def test_the_committed_document_is_current() -> None:
    assert openapi.PAGE.read_text(encoding="utf-8") == openapi.page(), (
        "run: python -m deploy.openapi"
    )


def test_it_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    validate(DOCUMENT)


def test_every_operation_has_a_name_of_its_own_and_a_tag_that_is_described() -> None:
    names = [parameters.id for parameters in OPERATIONS]
    assert len(set(names)) == len(names)
    described = {tag["name"] for tag in DOCUMENT["tags"]}
    used = {tag for each in OPERATIONS for tag in each.values[1]["tags"]}  # type: ignore[index]
    assert used == described


@each_operation
def test_it_says_what_it_does_and_with_what(path: str, operation: dict[str, Any]) -> None:
    assert operation["summary"] != operation["operationId"].replace("_", " ").title()
    assert operation["description"].rstrip().endswith(".")
    for parameter in operation.get("parameters", ()):
        known = parameter.keys() | parameter["schema"].keys()
        assert known & {"description", "enum", "example", "examples"}, (path, parameter["name"])


@each_operation
def test_if_match_is_called_required_unless_another_header_can_stand_for_it(
    path: str, operation: dict[str, Any]
) -> None:
    required = {each["name"]: each["required"] for each in operation.get("parameters", ())}
    conditions = {"if-match", "if-none-match"} & required.keys()
    assert required.get("if-match", False) is (conditions == {"if-match"}), path


@each_operation
def test_it_names_every_way_in_which_it_can_fail(path: str, operation: dict[str, Any]) -> None:
    expected = {"414", "422", "500"}
    names = {parameter["name"] for parameter in operation.get("parameters", ())}
    if "security" in operation:
        expected |= {"401", "503"}
    if any(scopes for way in operation.get("security", ()) for scopes in way.values()):
        expected |= {"403"}
    if "{" in path:
        expected |= {"404"}
    if "if-match" in names:
        expected |= {"412", "428"}
    if "Idempotency-Key" in names:
        expected |= {"409"}
    if "requestBody" in operation:
        expected |= {"408", "413", "415"}
    assert expected <= operation["responses"].keys()
    for status, answer in operation["responses"].items():
        assert answer == {"$ref": f"#/components/responses/Problem{status}"} or status < "400"


@each_operation
def test_it_has_examples_that_keep_their_own_rules(path: str, operation: dict[str, Any]) -> None:
    for part in (operation.get("requestBody", {}), *operation["responses"].values()):
        for kind, content in part.get("content", {}).items():
            if kind in BINARY:
                continue
            assert UNKNOWN not in texts(content["example"]), f"{path}: give each text an example"
            check(content["example"], content.get("schema", {}))
    for parameter in operation.get("parameters", ()):
        for example in parameter["schema"].get("examples", ()):
            check(example, parameter["schema"])


def test_problems_are_shown_by_examples_that_keep_their_own_rules() -> None:
    for answer in DOCUMENT["components"]["responses"].values():
        content = answer["content"]["application/problem+json"]
        assert content["examples"]
        for example in content["examples"].values():
            check(example["value"], content["schema"])


def test_whoever_made_a_record_is_led_to_what_can_be_done_with_it() -> None:
    made = DOCUMENT["paths"]["/v1/patients"]["post"]["responses"]["201"]
    assert made["links"].keys() == {"patient", "change_patient", "delete_patient", "create_lesion"}
    assert made["links"]["create_lesion"]["requestBody"] == {"patient": "$response.body#/id"}
    assert made["links"]["change_patient"]["parameters"] == {
        "path.patient_id": "$response.body#/id",
        "header.if-match": "$response.header.ETag",
    }


def test_no_shape_is_named_after_a_module_because_another_one_has_its_name() -> None:
    assert [name for name in DOCUMENT["components"]["schemas"] if "__" in name] == []


def check(example: object, schema: dict[str, Any]) -> None:
    whole = {**schema, "components": DOCUMENT["components"]}
    faults = [fault.message for fault in OAS31Validator(whole).iter_errors(example)]
    assert faults == []


def texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
