"""Every page, tried by strangers: who is nobody sees none of them, and others see nothing there."""

import re

import pytest

from services.gateway.records import Role
from tests.gateway.cast import SECRET, Apart, Cast, apart, cast
from tests.gateway.conftest import Gateway
from tests.gateway.test_audit_operations import pages

__all__ = ["apart", "cast"]

OPEN = {
    "page_asset",
    "page_begin_session",
    "page_begin_set_up",
    "page_confirm_set_up",
    "page_end_session",
    "page_landing",
    "page_offline",
    "page_password_reset",
    "page_register",
    "page_reset_password",
    "page_sign_in",
    "page_sign_in_code",
    "page_sign_up",
    "page_vouched",
}
"""Pages that ask for nobody. Whatever comes new and is not named here must ask."""

OF_ADMINISTRATORS = {"page_api_keys", "page_audit"}
"""Pages that show the administrators of an organisation what all its users do, shared or not."""

SHOWN = [(name, path) for name, method, path in pages() if method == "GET"]


@pytest.mark.parametrize(("name", "method", "path"), pages())
async def test_all_but_the_public_pages_ask_who_is_calling(
    gateway: Gateway, name: str, method: str, path: str
) -> None:
    where = re.sub(r"{\w+(:\w+)?}", "0" * 32, path)
    answer = await gateway.http.request(method, where)
    # The form that takes no password is no refusal to show it.
    refused = answer.status_code == 401 and "text/html" not in answer.headers["content-type"]
    assert refused == (name not in OPEN), answer.text


async def test_pages_show_nothing_of_others(cast: Cast) -> None:
    for name, path in SHOWN:
        if name in OPEN:
            continue
        there = path.format(**cast.ids)
        for other in (cast.stranger, cast.alone):
            answer = await other("GET", there, params=needed(name, cast.ids))
            assert SECRET not in answer.text, name
            of_a_record = "{" in path or name == "page_comparison"
            assert answer.status_code == (404 if of_a_record else 200), (name, answer.text)


async def test_where_nobody_shares_pages_show_nothing_that_a_colleague_made(apart: Apart) -> None:
    for name, path in SHOWN:
        if name in OPEN | OF_ADMINISTRATORS:
            continue
        there = path.format(**apart.ids)
        answer = await apart.colleague("GET", there, params=needed(name, apart.ids))
        assert SECRET not in answer.text, name
        of_a_record = "{" in path or name == "page_comparison"
        assert answer.status_code == (404 if of_a_record else 200), (name, answer.text)


async def test_every_form_says_whose_page_it_is_on(cast: Cast) -> None:
    forms = 0
    for name, path in SHOWN:
        if name in OPEN:
            continue
        there = path.format(**cast.ids)
        page = await cast.ours[Role.ADMIN]("GET", there, params=needed(name, cast.ids))
        for action in re.findall(r'<form[^>]*method="post"[^>]*action="([^"]*)"', page.text):
            # Whoever it is may be signed out.
            if action != "/sign-out":
                assert re.search(r"\?page_of=[0-9a-f]{32}$", action), (name, action)
                forms += 1
    assert forms


def needed(name: str, ids: dict[str, str]) -> dict[str, str]:
    """Return what a page has to be told besides its path."""
    if name == "page_comparison":
        return {"first": ids["analysis_id"], "second": ids["analysis_id"]}
    return {}
