"""Pages that show an analysis which is on its way, or which failed, say so in words for people."""

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests import specimens
from tests.gateway.conftest import Gateway
from tests.gateway.test_forms_in_work import boss
from tests.gateway.test_jobs import LATER

OF_THE_API = re.compile(
    r"Retry-After|queued|running|status|answer|cannot_tell|problem\.", re.IGNORECASE
)


def said(page: str) -> str:
    """Return what somebody reads in the main part of a page."""
    main = page.partition("<main")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


@pytest.fixture
def held(gateway: Gateway) -> Iterator[None]:
    """Nothing is analyzed before the test lets it."""
    gateway.inference.may_answer.clear()
    yield
    gateway.inference.may_answer.set()


async def sent(gateway: Gateway, **options: Any) -> str:
    """Send a picture that is analyzed in its turn."""
    files = {"image": ("a.jpg", specimens.lesion_jpeg())}
    admin = await gateway.admin()
    answer = await admin("POST", "/v1/analyses", files=files, headers=LATER, **options)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


@pytest.mark.usefixtures("held")
async def test_what_is_on_its_way_is_compared_later_and_the_page_says_so(gateway: Gateway) -> None:
    browser = await boss(gateway)
    first, second = [await sent(gateway) for _ in range(2)]

    answer = await gateway.http.get(f"/comparison?first={first}&second={second}", headers=browser)

    assert answer.status_code == 409
    assert int(answer.headers["Retry-After"]) >= 1
    assert f'href="/analyses/{second}"' in answer.text
    assert f'href="/comparison?first={first}&amp;second={second}"' in answer.text
    assert re.search("still in line|being analyzed", said(answer.text))
    assert not OF_THE_API.search(said(answer.text))


@pytest.mark.usefixtures("held")
async def test_a_lesion_shows_the_picture_that_is_on_its_way(gateway: Gateway) -> None:
    browser = await boss(gateway)
    admin = await gateway.admin()
    patient = (await admin("POST", "/v1/patients", json={"identifier": "made up 6"})).json()["id"]
    lesion = (await admin("POST", "/v1/lesions", json={"patient": patient})).json()["id"]
    sent_first = await sent(gateway, data={"lesion": lesion})

    answer = await gateway.http.get(f"/lesions/{lesion}", headers=browser)

    assert answer.status_code == 200
    assert f'href="/analyses/{sent_first}"' in answer.text
    assert re.search("in line|being analyzed", said(answer.text))
    assert not OF_THE_API.search(said(answer.text))


@pytest.mark.usefixtures("held")
async def test_what_needs_an_analysis_that_is_on_its_way_says_to_come_back(
    gateway: Gateway,
) -> None:
    browser = await boss(gateway)
    waiting = await sent(gateway)

    answer = await gateway.http.get(f"/v1/analyses/{waiting}/overlay.png", headers=browser)

    assert answer.status_code == 409
    assert "Come back in a moment" in said(answer.text)
    assert not OF_THE_API.search(said(answer.text))
