"""Where nobody comes in with a password alone: the way in sets the second factor up."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import stack, tiny_models, watched
from tests.pages.conftest import PASSWORD, Person
from tests.pages.test_second_factor import confirm, telephone_of
from tests.stack import Stack

Axe = Callable[[Page], None]


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Services of an institution that requires it."""
    models: Path = tiny_models.write_models(tmp_path_factory.mktemp("models"))
    with watched.running(
        **stack.UNHURRIED,
        DERMSERVE_INFERENCE_MODEL_DIR=str(models),
        DERMSERVE_GATEWAY_ADMIN_PASSWORD=PASSWORD,
        DERMSERVE_GATEWAY_SECOND_FACTOR="required",
    ) as running:
        yield running


def test_the_keyboard_leads_from_the_password_over_the_set_up_to_the_work(
    strict: Stack, browser: Browser, axe: Axe
) -> None:
    context = browser.new_context(service_workers="block")
    newcomer = Person(strict, context, context.new_page(), "newcomer")
    page = newcomer.page
    newcomer.goto("/sign-up")
    page.keyboard.type(newcomer.username)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up a second factor")
    axe(page)

    page.get_by_role("button", name="Set it up").press("Enter")
    telephone = telephone_of(page)
    page.get_by_label("Code", exact=True).fill("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    axe(page)
    assert len(confirm(newcomer, telephone.now())) == 10
    axe(page)
    page.get_by_role("link", name="I have them").press("Enter")

    expect(page.get_by_role("heading", level=1)).to_contain_text("Analyze")
    context.close()
