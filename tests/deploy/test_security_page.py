"""docs/SECURITY.md has a row for every requirement, and names tests that exist."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = (CHECKOUT / "docs" / "SECURITY.md").read_text(encoding="utf-8")

LEVELS_1_AND_2 = """
1.1.1-2 1.2.1-9 1.3.1-11 1.4.1-3 1.5.1-2 2.1.1-3 2.2.1-3 2.3.1-4 2.4.1-1 3.2.1-2 3.3.1-4 3.4.1-6
3.5.1-5 3.7.1-2 4.1.1-3 4.2.1-1 4.3.1-2 4.4.1-4 5.1.1-1 5.2.1-3 5.3.1-2 5.4.1-3 6.1.1-3 6.2.1-12
6.3.1-4 6.4.1-4 6.5.1-5 6.6.1-3 6.8.1-4 7.1.1-3 7.2.1-4 7.3.1-2 7.4.1-5 7.5.1-2 7.6.1-2 8.1.1-2
8.2.1-3 8.3.1-1 8.4.1-1 9.1.1-3 9.2.1-4 10.1.1-2 10.2.1-2 10.3.1-4 10.4.1-11 10.5.1-5 10.6.1-2
10.7.1-3 11.1.1-2 11.2.1-3 11.3.1-3 11.4.1-4 11.5.1-1 11.6.1-1 12.1.1-3 12.2.1-2 12.3.1-4 13.1.1-1
13.2.1-5 13.3.1-2 13.4.1-5 14.1.1-2 14.2.1-4 14.3.1-3 15.1.1-3 15.2.1-3 15.3.1-7 16.1.1-1 16.2.1-5
16.3.1-4 16.4.1-3 16.5.1-3 17.1.1-1 17.2.1-4 17.3.1-2
"""
"""The requirements of OWASP ASVS 5.0.0, by the column of levels of its published table."""

_NAMED = re.compile(r"`((?:\.\./)?(?:\w+/)?test_\w+\.py)::(test_\w+)`")
_FIRST_CELL = re.compile(r"^\| ([^|]*\d[^|]*) \|", re.MULTILINE)
_LEVEL_3 = re.compile(r"\(level 3\)")
_INDEX = "https://files.pythonhosted.org/"


def test_every_test_that_the_security_page_names_exists() -> None:
    named = _NAMED.findall(PAGE)
    assert named

    for file, test in named:
        written = (CHECKOUT / "tests" / "gateway" / file).read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def {test}\(", written, re.MULTILINE), (file, test)


def test_every_requirement_of_levels_1_and_2_has_a_row() -> None:
    rows = {
        number
        for cell in _FIRST_CELL.findall(PAGE)
        for number in re.findall(r"\d+(?:\.\d+)*", _LEVEL_3.sub("", cell))
    }

    # A row may speak of a whole chapter or section.
    missing = [each for each in requirements() if not rows & {each, *above(each)}]

    assert missing == []


def test_each_reservation_that_the_introduction_explains_stands_in_a_row() -> None:
    introduction = " ".join(PAGE.partition("\n## ")[0].split())
    rows = [line for line in PAGE.splitlines() if line.startswith("|")]
    explained = re.findall(r'"([^"]+)"', introduction)
    assert explained

    for each in explained:
        assert any(re.search(rf"[|;] {each}\b", row) for row in rows), each


def test_every_library_is_locked_by_its_hash_and_comes_from_one_index() -> None:
    lock = tomllib.loads((CHECKOUT / "uv.lock").read_text(encoding="utf-8"))
    found = 0
    for package in lock["package"]:
        for file in [*package.get("wheels", ()), package.get("sdist", {})]:
            if file:
                found += 1
                assert file["url"].startswith(_INDEX), file
                assert file["hash"].startswith("sha256:"), file
    assert found > 100


def requirements() -> Iterator[str]:
    for first, last in re.findall(r"(\S+)-(\d+)", LEVELS_1_AND_2):
        section, _, begin = first.rpartition(".")
        yield from (f"{section}.{number}" for number in range(int(begin), int(last) + 1))


def above(requirement: str) -> Iterator[str]:
    chapter, section, _ = requirement.split(".")
    yield from (chapter, f"{chapter}.{section}")
