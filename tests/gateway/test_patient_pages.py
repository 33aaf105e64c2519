"""The pages of patients: whom they find, and what their addresses say."""

import re

import httpx

from services.gateway.records import new_id
from tests.gateway.conftest import Gateway
from tests.gateway.test_page_sessions import entered
from tests.gateway.test_pages_on_their_way import said
from tests.gateway.test_patients import made

SEARCH = "/patient-search"
A_PAGE = 50


def next_page(page: httpx.Response) -> dict[str, str]:
    """Return the form that asks for the next page; nothing where there is none."""
    _, _, form = page.text.partition('class="actions">')
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


def listed(page: httpx.Response) -> list[str]:
    return re.findall(r"Number <bdi>([^<]*)</bdi>", page.text)


async def test_a_number_that_is_looked_for_stands_in_no_address(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    for _ in range(A_PAGE + 1):
        await made(alice, identifier="made up 4711", issuer=new_id())
    await made(alice, identifier="another")
    browser = await entered(gateway)

    asked = {"identifier": " made up 4711 "}
    first = await gateway.http.post(SEARCH, data=asked, headers=browser)
    more = next_page(first)
    second = await gateway.http.post(SEARCH, data=more, headers=browser)

    assert listed(first) + listed(second) == ["made up 4711"] * (A_PAGE + 1)
    assert more.keys() == {"identifier", "cursor"}
    assert next_page(second) == {}
    for page in (first, second):
        assert not re.search(r'(href|action)="[^"]*4711', page.text)
        assert 'method="post" action="/patient-search' in page.text


async def test_a_number_that_nobody_has_is_said_to_be_nobodys(gateway: Gateway) -> None:
    await gateway.signed_in()
    browser = await entered(gateway)

    page = await gateway.http.post(SEARCH, data={"identifier": "4711"}, headers=browser)

    assert (page.status_code, listed(page)) == (200, [])
    assert "No patient has this number." in said(page.text)


async def test_all_patients_are_listed_page_by_page(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    numbers = [f"made up {number}" for number in range(A_PAGE + 1)]
    for number in numbers:
        await made(alice, identifier=number)
    browser = await entered(gateway)

    first = await gateway.http.get("/patients", headers=browser)
    (more,) = re.findall(r'rel="next" href="([^"]+)"', first.text)
    second = await gateway.http.get(more, headers=browser)

    assert listed(first) + listed(second) == numbers[::-1]


async def test_what_was_chosen_for_a_lesion_stays_when_its_change_is_refused(
    gateway: Gateway,
) -> None:
    alice = await gateway.signed_in()
    patient = (await made(alice, identifier="1"))["id"]
    lesion = await made(alice, "/v1/lesions", patient=patient, body_site="anterior torso")
    browser = await entered(gateway)

    chosen = {"body_site": "palms/soles", "note": "of another", "revision": "0"}
    path = f"/lesions/{lesion['id']}/change"
    refused = await gateway.http.post(path, data=chosen, headers=browser)

    assert refused.status_code == 412
    assert re.findall(r"<option selected>([^<]*)<", refused.text) == ["palms/soles"]
    assert ">of another</textarea>" in refused.text
