"""Percentages on pages: a number and its sign stay on one line."""

import html
import re
from pathlib import Path

import pytest

from services.gateway import web
from tests.gateway.conftest import Gateway
from tests.gateway.test_forms_in_work import boss

TEMPLATES = sorted((Path(web.__file__).parent / "templates").glob("*.html"))
SCRIPTS = sorted((Path(web.__file__).parent / "static").glob("*.js"))
BROKEN = re.compile(r".{0,20}\d %")


@pytest.mark.parametrize("path", ["/analyses/{}", "/comparison?first={}&second={}", "/statistics"])
async def test_no_page_breaks_a_line_between_a_number_and_its_sign(
    gateway: Gateway, path: str
) -> None:
    browser = await boss(gateway)
    made = (await (await gateway.admin()).analyze()).json()["id"]

    page = await gateway.http.get(path.format(made, made), headers=browser)

    shown = html.unescape(re.sub(r"<[^>]+>", "", page.text))
    assert page.status_code == 200
    assert re.search(r"\d\u00a0%", shown)
    assert BROKEN.findall(shown) == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_no_script_does(script: Path) -> None:
    assert re.findall(r".{0,20}[\d}] %", script.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_no_template_does(template: Path) -> None:
    # What ends with a brace as well is a tag of the template's.
    broken = re.compile(r".{0,20}[\d}>][ \n]%(?!})")
    assert broken.findall(template.read_text(encoding="utf-8")) == []
