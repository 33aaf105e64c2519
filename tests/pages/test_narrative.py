"""Findings in plain language, on the page of a result."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.pages import language_model
from tests.pages.conftest import Person
from tests.pages.results import analyzed, unassessable

People = Callable[..., Person]
Axe = Callable[[Page], None]


@pytest.mark.parametrize("picture", [None, unassessable()], ids=["assessed", "cannot assess"])
def test_a_text_of_a_machine_is_shown_as_one_beside_the_findings(
    person: People, axe: Axe, picture: bytes | None
) -> None:
    somebody = person()
    somebody.goto(f"/analyses/{analyzed(somebody, picture)['id']}")

    told = somebody.page.get_by_role("region", name="In plain words")

    expect(told).to_contain_text(language_model.BEGINS)
    expect(told).to_contain_text(f"Written by a machine ({language_model.MODEL})")
    axe(somebody.page)


def test_without_scripts_the_template_tells_the_findings_and_says_so(person: People) -> None:
    somebody = person(java_script_enabled=False)
    made = analyzed(somebody)
    somebody.goto(f"/analyses/{made['id']}")

    told = somebody.page.get_by_role("region", name="In plain words")

    expect(told).to_contain_text(f"({made['classification']['label']})")
    expect(told).to_contain_text("Filled in by a template")
