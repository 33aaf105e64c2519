"""Every operation of the OpenAPI document, tried by all: what each may, and what none sees."""

import itertools
import json
import re
from collections.abc import Set as AbstractSet

import httpx

from services.gateway.boot import open_records
from services.gateway.identity import Organisations
from services.gateway.identity.permissions import ALLOWED
from services.gateway.records import Role
from tests.gateway.cast import PASSWORD, Apart, Cast, apart, cast, nowhere, populate, said
from tests.gateway.conftest import Client, Gateway
from tests.gateway.walking import Operation, Reference, operations, references

__all__ = ["apart", "cast"]

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
NOTHING_OF_OURS = {"models", "second_factor", "statistics", "statistics_table", "system", "usage"}
"""Lists and figures in which not even we see a word of what we made."""
OF_ADMINISTRATORS = {"api_keys", "audit_rows", "users"}
"""Lists that show the administrators of an organisation what all its users do, shared or not."""
MOVING = {"audit_rows", "me", "sessions", "system"}
"""What changes by being asked for, or with the time."""
NOTHING = "0" * 32
MEANS = {
    "Last-Event-ID": "event_id",
    "batch": "batch_id",
    "lesion": "lesion_id",
    "patient": "patient_id",
    "subject": "analysis_id",
    "user": "user_id",
    "user_id": "service_id",
}
"""Of what thing the id is meant that stands in a field or a filter."""
WORDS_OF_OTHERS = {"client_id", "lesion_id", "patient_id"}
"""Fields for names that other systems give; nothing of ours is found by them."""


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
            missing = await operation.tried(cast.ours[role], nowhere(cast.ids))
            assert answer.status_code == 403, (operation, role)
            assert said(answer) == said(missing)


async def test_what_is_of_others_looks_as_if_it_were_not_there(cast: Cast) -> None:
    for operation in operations(cast.gateway):
        if operation.secured and operation.of_a_record:
            for other in (cast.stranger, cast.alone):
                await _is_not_there(operation, other, cast.ids)
    await _is_still_there(cast.gateway, cast.ours[Role.ADMIN], cast.ids)


async def test_where_nobody_shares_what_a_colleague_made_looks_as_if_it_were_not_there(
    apart: Apart,
) -> None:
    for operation in operations(apart.gateway):
        # Users and keys are what administrators have between them.
        private = operation.of_a_record and not operation.parameters & {"user_id", "key_id"}
        if operation.secured and private:
            await _is_not_there(operation, apart.colleague, apart.ids)
    await _is_still_there(apart.gateway, apart.maker, apart.ids)


async def test_no_answer_to_others_has_a_word_of_ours(cast: Cast) -> None:
    others = (cast.stranger, cast.alone, cast.gateway.anonymous)
    for operation, other in itertools.product(operations(cast.gateway), others):
        if operation.lists:
            assert await _words(operation, other, cast.secrets) == [], operation
    hidden = await _without_a_word(cast.gateway, cast.ours[Role.ADMIN], cast.secrets)
    assert hidden == NOTHING_OF_OURS | {"me", "sessions"}


async def test_where_nobody_shares_no_answer_to_a_colleague_has_a_word_of_what_one_made(
    apart: Apart,
) -> None:
    for operation in operations(apart.gateway):
        if operation.lists and operation.name not in OF_ADMINISTRATORS:
            assert await _words(operation, apart.colleague, apart.secrets) == [], operation
    hidden = await _without_a_word(apart.gateway, apart.maker, apart.secrets)
    assert hidden == NOTHING_OF_OURS | {"me", "organisation", "users"}


async def test_no_figure_or_list_of_others_moves_by_what_we_make(cast: Cast, apart: Apart) -> None:
    others, makers = (cast.stranger, cast.alone), (cast.ours[Role.VIEWER], apart.maker)
    before = [await _figures(cast.gateway, other) for other in others]
    of_colleague = await _figures(cast.gateway, apart.colleague, OF_ADMINISTRATORS)
    of_makers = [await _figures(cast.gateway, maker) for maker in makers]

    await cast.with_new_records()
    await populate(apart.ids, apart.maker, apart.maker)

    assert [await _figures(cast.gateway, other) for other in others] == before
    assert await _figures(cast.gateway, apart.colleague, OF_ADMINISTRATORS) == of_colleague
    for maker, had in zip(makers, of_makers, strict=True):
        has = await _figures(cast.gateway, maker)
        moved = {name for name in had if has[name] != had[name]}
        assert moved >= {"analyses", "events", "lesions", "patients", "statistics", "usage"}


async def test_ids_of_others_in_fields_and_filters_find_what_ids_of_nothing_find(
    cast: Cast, apart: Apart
) -> None:
    of_all = {*MEANS} - {"user", "user_id", "subject"}
    cast.ids["event_id"] = await _last_event(cast.ours[Role.ADMIN])
    apart.ids["event_id"] = await _last_event(apart.maker)
    tried = set()
    for reference in references(cast.gateway):
        if reference.name in WORDS_OF_OTHERS:
            continue
        tried.add(reference.name)
        for other in (cast.stranger, cast.alone):
            await _finds_nothing(reference, other, cast.ids[MEANS[reference.name]])
        if reference.name in of_all:
            await _finds_nothing(reference, apart.colleague, apart.ids[MEANS[reference.name]])
        found = await reference.asked(cast.ours[Role.ADMIN], cast.ids[MEANS[reference.name]])
        nothing = await reference.asked(cast.ours[Role.ADMIN], NOTHING)
        assert found.status_code < 300, (reference, found.text)
        assert _told(found) != _told(nothing), reference
    assert tried == MEANS.keys()


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


async def test_the_same_number_with_the_same_key_is_a_patient_of_each_organisation(
    cast: Cast,
) -> None:
    same = {"headers": {"Idempotency-Key": "1"}, "json": {"identifier": "1", "issuer": "all"}}
    doctors = (cast.ours[Role.CLINICIAN], cast.stranger, cast.alone)

    made = [await doctor("POST", "/v1/patients", **same) for doctor in doctors]
    again = [await doctor("POST", "/v1/patients", **same) for doctor in doctors]
    colleague = await cast.ours[Role.ADMIN]("POST", "/v1/patients", **same)

    assert [answer.status_code for answer in (*made, *again)] == [201] * 6
    assert [answer.json()["id"] for answer in made] == [answer.json()["id"] for answer in again]
    assert len({answer.json()["id"] for answer in made}) == 3
    assert colleague.status_code == 409
    for doctor, answer in zip(doctors, made, strict=True):
        found = await doctor("GET", "/v1/patients", params={"identifier": "1", "issuer": "all"})
        assert [each["id"] for each in found.json()["items"]] == [answer.json()["id"]]


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


async def _is_not_there(operation: Operation, other: Client, ids: dict[str, str]) -> None:
    theirs = await operation.tried(other, ids)
    missing = await operation.tried(other, nowhere(ids))
    assert theirs.status_code == missing.status_code == 404, operation
    assert said(theirs) == said(missing)
    own = {"x-request-id": "", "ratelimit": ""}  # what each request of theirs counts down
    assert {**theirs.headers, **own} == {**missing.headers, **own}


async def _is_still_there(gateway: Gateway, owner: Client, ids: dict[str, str]) -> None:
    for operation in operations(gateway):
        if operation.of_a_record and operation.method == "GET" and operation.permissions:
            still = await operation.tried(owner, ids)
            assert still.status_code == 200, operation


async def _words(operation: Operation, by: Client, words: set[str]) -> list[str]:
    """Those of some words that an answer has."""
    answer = await operation.tried(by, {})
    told = answer.text + json.dumps(dict(answer.headers))
    return [word for word in words if word in told]


async def _without_a_word(gateway: Gateway, by: Client, words: set[str]) -> set[str]:
    """The names of lists in which somebody sees none of some words."""
    return {
        operation.name
        for operation in operations(gateway)
        if operation.lists and operation.secured and not await _words(operation, by, words)
    }


async def _figures(
    gateway: Gateway, by: Client, but: AbstractSet[str] = frozenset()
) -> dict[str, str]:
    """What somebody is told by all that should not move by what others do."""
    return {
        operation.name: (await operation.tried(by, {})).text
        for operation in operations(gateway)
        if operation.lists and operation.secured and operation.name not in MOVING | but
    }


async def _finds_nothing(reference: Reference, other: Client, meant: str) -> None:
    theirs, missing = [await reference.asked(other, each) for each in (meant, NOTHING)]
    assert theirs.status_code == missing.status_code in {200, 422}, (reference, theirs.text)
    assert _told(theirs) == _told(missing), reference


def _told(answer: httpx.Response) -> object:
    return said(answer) if answer.status_code == 422 else answer.text


async def _last_event(by: Client) -> str:
    answer = await by("GET", "/v1/events", headers={"Last-Event-ID": "0"})
    return str(re.findall(r"^id: (\w+)$", answer.text, re.MULTILINE)[-1])
