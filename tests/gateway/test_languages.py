"""Which language somebody gets who says what they can read."""

import pytest

from services.gateway.languages import LANGUAGES, preferred


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de", "de"),
        ("de-AT, en;q=0.8", "de"),
        ("DE-at", "de"),
        ("en;q=0.2, de;q=0.3", "de"),
        ("de;q=0.3, en", "en"),
        ("fr, de;q=0.1", "de"),
        ("de-AT;q=0.1, en;q=0.5, de;q=0.9", "de"),
    ],
)
def test_what_is_preferred_most_and_there_is_gets_chosen(accepted: str, language: str) -> None:
    assert preferred(accepted, "en") == language


@pytest.mark.parametrize("default", LANGUAGES)
@pytest.mark.parametrize(
    "accepted",
    ["", "fr, ja;q=0.4", "*", "en, de", "en;q=0, de;q=0", "de;q=nan", ";;,,=", "\u0661"],
)
def test_whoever_has_no_preference_among_ours_gets_the_default(accepted: str, default: str) -> None:
    assert preferred(accepted, default) == default  # type: ignore[arg-type]
