"""Whatever asks which revision it is meant for refuses what is meant for another one."""

from services.gateway.records import Role
from tests.gateway.cast import Cast, cast
from tests.gateway.conftest import Client, Gateway
from tests.gateway.test_patients import made
from tests.gateway.walking import Operation, operations

__all__ = ["cast"]

_NEVER = '"99"'

_MEANT_FOR_A_REVISION = {
    "assess",
    "change_lesion",
    "change_patient",
    "change_user",
    "change_webhook",
    "delete_assessment",
    "delete_lesion",
    "delete_patient",
    "delete_webhook",
}
"""One that comes new is to be written down here, and one that asks no more is to be seen."""


async def test_a_change_counts_only_if_it_is_meant_for_what_is_there(cast: Cast) -> None:
    admin, tried = cast.ours[Role.ADMIN], set()
    # What is changed need not be made anew.
    for operation in sorted(operations(cast.gateway), key=lambda each: each.method == "DELETE"):
        if 412 in operation.statuses:
            tried.add(operation.name)
            if operation.method == "DELETE":
                await cast.with_new_records()
            there = operation.path.format(**cast.ids)
            seen = await tag(admin, there)

            blind = await asked(operation, admin, there)
            wrong = [await asked(operation, admin, there, of) for of in (_NEVER, f"W/{seen}")]
            untouched = await tag(admin, there)
            right = await asked(operation, admin, there, seen)
            late = await asked(operation, admin, there, seen)

            assert (blind, wrong) == (428, [412, 412]), operation
            assert untouched == seen
            assert right in {200, 204}, operation
            # What is gone is not there for anybody.
            assert late in ({404, 412} if operation.method == "DELETE" else {412}), operation
    assert tried == _MEANT_FOR_A_REVISION


_RIGHT = ('"{}"', "*", " * ", '"99","{}" , "7"', 'W/"{}", "{}"')
_WRONG = (
    *('W/"1"', '"99", "98"', '"01"', '"+1"', '"1 "', '"0"', '""', '"1', "'1'", "1", ""),
    *(b'"\xb9"', '"' + "9" * 190 + '"'),
)


async def test_a_tag_of_a_list_is_enough_and_it_must_be_the_very_tag(either: Gateway) -> None:
    alice = await either.signed_in()
    there = f"/v1/patients/{(await made(alice, identifier='1'))['id']}"

    async def change(meant: str | bytes) -> int:
        # Of bytes they may be what no text of a header is.
        headers = {"If-Match": meant}
        return (await alice("PATCH", there, headers=headers, json={"name": "Ann"})).status_code

    assert {meant: await change(meant) for meant in _WRONG} == dict.fromkeys(_WRONG, 412)
    assert await tag(alice, there) == '"1"'
    for revision, meant in enumerate(_RIGHT, start=1):
        assert await change(meant.format(revision, revision)) == 200, meant
    assert await tag(alice, there) == f'"{len(_RIGHT) + 1}"'


async def asked(operation: Operation, by: Client, there: str, of: str | None = None) -> int:
    """The status of an operation that is meant for a revision, or says of none."""
    options = {} if operation.method == "DELETE" else {"json": operation.body}
    headers = {} if of is None else {"If-Match": of}
    return (await by(operation.method, there, headers=headers, **options)).status_code


async def tag(by: Client, there: str) -> str:
    """The tag of what is there."""
    answer = await by("GET", there)
    assert answer.status_code == 200, answer.text
    return str(answer.headers["ETag"])
