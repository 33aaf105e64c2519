"""What the form that sends a picture is known by, once it was refused."""

import re

import httpx
import pytest

from tests import specimens
from tests.gateway.conftest import Gateway, Start
from tests.gateway.test_page_sessions import entered

KEY = "ab" * 16
FILE = {"image": ("a.jpg", specimens.lesion_jpeg(), "image/jpeg")}


async def sent(gateway: Gateway, browser: dict[str, str], key: str = KEY) -> httpx.Response:
    return await gateway.http.post("/analyze", data={"key": key}, files=FILE, headers=browser)


def key_of(answer: httpx.Response) -> str:
    """Return what the form that is shown is known by."""
    (key,) = re.findall(r'name="key" value="([^"]*)"', answer.text)
    return str(key)


async def test_a_form_whose_answer_took_too_long_stays_the_same(start: Start) -> None:
    async with start(analysis_timeout_s=0.5) as gateway:
        await gateway.signed_in()
        browser = await entered(gateway)
        gateway.inference.may_answer.clear()

        late = await sent(gateway, browser)
        gateway.inference.may_answer.set()

        assert late.status_code == 504
        assert key_of(late) == KEY


async def test_a_form_whose_analysis_was_removed_is_another_one(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    browser = await entered(gateway)
    made = await sent(gateway, browser)
    assert (await alice("DELETE", f"/v1{made.headers['Location']}")).status_code == 204

    spent = await sent(gateway, browser)
    again = await sent(gateway, browser, key_of(spent))

    assert spent.status_code == 409
    assert key_of(spent) != KEY
    assert (again.status_code, again.headers["Location"] != made.headers["Location"]) == (303, True)


@pytest.mark.parametrize("key", ["", "x" * 300, '"><script>'])
async def test_whatever_a_form_says_that_it_is_known_by_can_be_sent_again(
    gateway: Gateway, key: str
) -> None:
    await gateway.signed_in()
    browser = await entered(gateway)
    bad = {"image": ("a.gif", b"GIF89a", "image/gif")}

    refused = await gateway.http.post("/analyze", data={"key": key}, files=bad, headers=browser)

    assert refused.status_code == 422
    assert 0 < len(key_of(refused)) <= 64
    assert "<script>" not in key_of(refused)
