"""Which field of a form that is refused is said to be wrong: the one that is, and no other."""

import re
from collections.abc import Mapping

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col

from services.gateway.boot import open_records
from services.gateway.records import User
from tests.gateway.conftest import PASSWORD, Gateway, Start
from tests.gateway.test_forms_in_work import boss, service
from tests.gateway.test_page_sessions import PAGE, entered
from tests.gateway.test_pages_on_their_way import said
from tests.gateway.test_password_resets import issued
from tests.gateway.test_patients import made

COMMON = "password123"
"""Among the first that others would try."""


def faults(page: httpx.Response) -> list[str]:
    """Return the names of the fields that a page says are wrong."""
    fields = re.findall(r"<(?:input|select|textarea) [^>]*>", page.text)
    wrong = [each for each in fields if "aria-invalid" in each]
    return [re.findall(r' name="(\w+)"', each)[0] for each in wrong]


def focused(page: httpx.Response) -> list[str]:
    """Return what a page would have the focus go to."""
    return re.findall(r'<\w+ [^>]*id="([\w-]+)"[^>]* autofocus', page.text)


async def forms(gateway: Gateway, new: str) -> Mapping[str, Mapping[str, str]]:
    """Return forms in which a password is chosen, or shown, and all else is right."""
    alice = await gateway.signed_in()
    code = (await issued(await gateway.admin(), alice)).json()["code"]
    return {
        "/sign-in": {"username": "alice", "password": PASSWORD},
        "/sign-up": {"username": "bob", "password": new},
        "/sign-in/reset": {"code": code, "new_password": new},
        "/account/password": {"current_password": PASSWORD, "new_password": new},
    }


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up", "/sign-in/reset", "/account/password"])
async def test_where_too_many_passwords_are_checked_no_field_is_said_to_be_wrong(
    start: Start, path: str
) -> None:
    async with start(max_password_checks=1) as gateway:
        form = (await forms(gateway, "another one of hers"))[path]
        browser = await entered(gateway)
        with gateway.parts.passwords.turn():
            answer = await gateway.http.post(path, data=form, headers=browser)

    assert answer.status_code == 503
    assert (faults(answer), focused(answer)) == ([], ["refusal"])


async def test_after_too_many_tries_no_field_is_said_to_be_wrong(gateway: Gateway) -> None:
    form = {"username": "admin", "password": "not hers"}
    tries = [await gateway.http.post("/sign-in", data=form, headers=PAGE) for _ in range(20)]

    refused = next(answer for answer in tries if answer.status_code == 429)

    assert (faults(refused), focused(refused)) == ([], ["refusal"])


@pytest.mark.parametrize("new", [COMMON, "short"])
@pytest.mark.parametrize("path", ["/sign-up", "/sign-in/reset", "/account/password"])
async def test_where_a_new_password_is_no_good_that_field_alone_is_said_to_be_wrong(
    gateway: Gateway, path: str, new: str
) -> None:
    form = (await forms(gateway, new))[path]
    browser = await entered(gateway)

    answer = await gateway.http.post(path, data=form, headers=browser)

    name = "password" if path == "/sign-up" else "new_password"
    assert answer.status_code == 422
    assert (faults(answer), focused(answer)) == ([name], [name])


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ({"username": "newcomer", "password": COMMON}, "password"),
        ({"username": "new comer", "password": PASSWORD}, "username"),
        ({"username": "admin", "password": PASSWORD}, "username"),
    ],
)
async def test_of_a_new_user_the_field_that_is_wrong_is_said_to_be(
    gateway: Gateway, form: Mapping[str, str], wrong: str
) -> None:
    browser = await boss(gateway)

    answer = await gateway.http.post(
        "/admin/users", data={**form, "role": "clinician"}, headers=browser
    )

    assert (faults(answer), focused(answer)) == ([wrong], [wrong])


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ({"identifier": ""}, "identifier"),
        ({"identifier": "taken"}, "identifier"),
        ({"identifier": "1", "issuer": "x" * 201}, "issuer"),
        ({"identifier": "1", "name": "x" * 201}, "name"),
        ({"identifier": "1", "birth_date": "1066-10-14"}, "birth_date"),
        ({"identifier": "1", "sex": "neither of these"}, "sex"),
    ],
)
async def test_of_a_patient_the_field_that_is_wrong_is_said_to_be(
    gateway: Gateway, form: Mapping[str, str], wrong: str
) -> None:
    alice = await gateway.signed_in()
    await made(alice, identifier="taken")
    there = await made(alice, identifier="another")
    browser = await entered(gateway)

    for path in ("/patients", f"/patients/{there['id']}/change"):
        answer = await gateway.http.post(path, data={**form, "revision": "1"}, headers=browser)

        assert (faults(answer), focused(answer)) == ([wrong], [wrong]), path


@pytest.mark.parametrize(
    ("form", "wrong"), [({"body_site": "the moon"}, "body_site"), ({"note": "x" * 2001}, "note")]
)
async def test_of_a_lesion_the_field_that_is_wrong_is_said_to_be(
    gateway: Gateway, form: Mapping[str, str], wrong: str
) -> None:
    alice = await gateway.signed_in()
    patient = (await made(alice, identifier="1"))["id"]
    there = await made(alice, "/v1/lesions", patient=patient)
    browser = await entered(gateway)

    new = await gateway.http.post("/lesions", data={**form, "patient": patient}, headers=browser)
    path = f"/lesions/{there['id']}/change"
    changed = await gateway.http.post(path, data={**form, "revision": "1"}, headers=browser)

    for answer in (new, changed):
        assert (faults(answer), focused(answer)) == ([wrong], [wrong])


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ({"user_id": "nobody"}, "user_id"),
        ({"name": ""}, "name"),
        ({"days": "0"}, "days"),
        ({"permissions": []}, "permissions"),
    ],
)
async def test_of_a_new_key_the_field_that_is_wrong_is_said_to_be(
    gateway: Gateway, form: Mapping[str, str], wrong: str
) -> None:
    right = {"user_id": await service(gateway), "name": "x", "permissions": ["records:read"]}
    browser = await boss(gateway)

    answer = await gateway.http.post("/admin/keys", data={**right, **form}, headers=browser)

    assert (faults(answer), focused(answer)) == ([wrong], [wrong])


async def test_whoever_has_no_password_is_told_why_it_is_not_changed(gateway: Gateway) -> None:
    await gateway.signed_in()
    browser = await entered(gateway)
    async with open_records(gateway.settings) as records:
        vouched = update(User).where(col(User.username) == "alice").values(password_hash="")
        await records.write(lambda session: session.execute(vouched))

    form = {"current_password": PASSWORD, "new_password": "another one of hers"}
    answer = await gateway.http.post("/account/password", data=form, headers=browser)

    assert answer.status_code == 403
    assert "That did not work. You have no password here" in said(answer.text)
