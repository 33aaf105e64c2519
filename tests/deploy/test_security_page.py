"""docs/SECURITY.md names tests: they exist."""

import re
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
_NAMED = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def test_every_test_that_the_security_page_names_exists() -> None:
    named = _NAMED.findall((CHECKOUT / "docs" / "SECURITY.md").read_text(encoding="utf-8"))
    assert named

    for file, test in named:
        written = (CHECKOUT / "tests" / "gateway" / file).read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def {test}\(", written, re.MULTILINE), (file, test)
