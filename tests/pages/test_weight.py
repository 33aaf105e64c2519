"""Pages are light and soon ready, over the wire and in a browser that has nothing of them yet."""

from collections.abc import Callable

from benchmarks.pages import FIRST_PAGE_MOST_BYTES, RESULT_MOST_MS, Look
from tests.pages.conftest import PHONE, Person
from tests.pages.results import analyzed

People = Callable[..., Person]


def test_the_first_page_comes_in_100_kb(visitor: People) -> None:
    somebody = visitor(viewport=PHONE)

    look = Look.at(somebody.page, f"{somebody.services.rest}/")

    assert look.requests > 3
    assert 2_000 < look.transferred <= FIRST_PAGE_MOST_BYTES


def test_a_result_can_be_used_within_a_second(person: People) -> None:
    looks = []
    for _ in range(3):  # one that has the machine to itself
        somebody = person(viewport=PHONE)
        found = analyzed(somebody)["id"]
        looks.append(Look.at(somebody.page, f"{somebody.services.rest}/analyses/{found}"))

    assert min(look.interactive_ms for look in looks) < RESULT_MOST_MS
