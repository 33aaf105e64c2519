"""The page of events says what the code says."""

from deploy import events_page
from services.gateway.records import EVENT_MEANING, EventKind


def test_the_page_is_current() -> None:
    assert events_page.PAGE.read_text(encoding="utf-8") == events_page.page(), (
        "run python -m deploy.events_page"
    )


def test_every_kind_of_event_is_explained() -> None:
    assert list(EVENT_MEANING) == list(EventKind)
