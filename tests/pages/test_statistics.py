"""What analyses come to, in charts and tables."""

import itertools
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from tests import specimens
from tests.pages.conftest import Person
from tests.pages.sending import analyses

People = Callable[..., Person]

# What a chart holds, as Chart.js has it.
_HELD = """() => Object.fromEntries([...document.querySelectorAll("canvas")].map((canvas) => {
    const { labels, datasets } = Chart.getChart(canvas).data;
    return [canvas.dataset.series, { labels, data: datasets.map((each) => each.data) }];
}))"""


@pytest.fixture
def somebody(person: People) -> Person:
    """Somebody with two analyses."""
    somebody = person()
    for _ in range(2):
        files = {"image": ("lesion.jpg", specimens.lesion_jpeg())}
        answer = somebody.api("POST", "/v1/analyses", files=files, headers=_OURS)
        assert answer.status_code == 201, answer.text
    return somebody


_OURS = {"Sec-Fetch-Site": "same-origin"}


def around_today() -> list[str]:
    """Yesterday, today, and two days more: one of them begins while a test runs, now and then."""
    today = datetime.now(UTC).date()
    return [(today + timedelta(days=each)).isoformat() for each in (-1, 0, 1, 2)]


def drawn(somebody: Person, query: str = "") -> None:
    somebody.goto(f"/statistics{query}")
    expect(somebody.page.locator("[data-drawn=yes]")).to_be_attached()


def test_charts_hold_the_numbers_that_the_api_gives(somebody: Person) -> None:
    since, *_, until = around_today()
    asked = f"?interval=day&since={since}&until={until}"
    drawn(somebody, asked)
    held = somebody.page.evaluate(_HELD)
    told = somebody.api("GET", f"/v1/statistics{asked}").json()

    periods, whole = told["periods"], told["whole"]
    assert whole["analyses"] == 2
    assert held["status"]["labels"] == [each["since"] for each in periods]
    assert held["status"]["data"] == [
        [each["status"]["succeeded"] for each in periods],
        [each["status"]["failed"] for each in periods],
        [each["status"]["queued"] + each["status"]["running"] for each in periods],
    ]
    assert held["labels"]["data"] == [list(whole["labels"].values())]
    assert held["latency"]["data"] == [
        [each[time][figure] for each in periods]
        for time, figure in (
            ("latency", "median_ms"),
            ("latency", "p95_ms"),
            ("queue_time", "p95_ms"),
            ("run_time", "p95_ms"),
        )
    ]
    assert whole["run_time"]["count"] == whole["latency"]["count"] == 2
    rates = [each["suspicious"]["rate"] for each in periods]
    assert held["suspicious"]["data"][0] == [None if x is None else 100 * x for x in rates]


def test_charts_are_drawn_from_what_a_replica_of_before_answers(somebody: Person) -> None:
    def as_before(route: Route) -> None:
        told = route.fetch().json()
        for figures in (told["whole"], *told["periods"]):
            del figures["queue_time"], figures["run_time"]
        route.fulfill(json=told)

    somebody.page.route("**/v1/statistics?*", as_before)
    drawn(somebody)
    _, within, waiting, running = somebody.page.evaluate(_HELD)["latency"]["data"]
    assert any(within)
    assert waiting == running == [None] * len(within)


def test_the_numbers_stand_in_tables_and_files_too(somebody: Person) -> None:
    days = around_today()
    made = Counter(each["created_at"][:10] for each in analyses(somebody))
    assert made.total() == 2
    drawn(somebody, f"?interval=day&since={days[0]}&until={days[-1]}")
    card = somebody.page.get_by_role("region", name="Analyses over time").first
    card.get_by_text("The numbers").click()
    rows = card.locator("tbody tr")
    expect(rows.locator("td:nth-of-type(2)")).to_have_text([str(made[day]) for day in days[:-1]])

    with somebody.page.expect_download() as loading:
        card.get_by_role("link", name="Download as CSV").click()
    head, *lines = loading.value.path().read_text(encoding="utf-8").splitlines()
    assert head == "since,until,analyses,queued,running,succeeded,failed"
    assert lines == [
        f"{day},{after},{made[day]},0,0,{made[day]},0" for day, after in itertools.pairwise(days)
    ]


def test_without_scripts_the_numbers_are_there(person: People) -> None:
    somebody = person(java_script_enabled=False)
    somebody.goto("/statistics?interval=month")
    expect(somebody.page.locator("canvas").first).to_be_hidden()
    somebody.page.get_by_text("The numbers").first.click()
    expect(somebody.page.locator("tbody tr").first).to_be_visible()


def test_other_days_are_chosen_in_the_form(somebody: Person) -> None:
    drawn(somebody)
    somebody.page.get_by_label("From").fill("2025-01-01")
    somebody.page.get_by_label("Before").fill("2025-03-01")
    somebody.page.get_by_label("A point for each").select_option("month")
    somebody.page.get_by_role("button", name="Show").click()
    expect(somebody.page.locator("[data-drawn=yes]")).to_be_attached()
    assert somebody.page.evaluate(_HELD)["status"]["labels"] == ["2025-01-01", "2025-02-01"]


@pytest.mark.parametrize(
    "query",
    [
        "since=2026-03-01&until=2026-02-01",
        "since=%3Cscript%3Ealert(1)%3C/script%3E",
        "since=0001-01-01",
        "interval=hour",
    ],
)
def test_days_that_cannot_be_counted_are_refused_beside_the_form(
    person: People, query: str
) -> None:
    somebody = person()
    drawn(somebody, f"?{query}")
    expect(somebody.page.get_by_role("alert")).to_contain_text("That did not work.")


def test_a_chart_is_read_out_by_arrow_keys(somebody: Person) -> None:
    drawn(somebody)
    somebody.page.locator("canvas[data-series=labels]").focus()
    somebody.page.keyboard.press("ArrowRight")
    reading = somebody.page.locator("[data-reading=labels]")
    expect(reading).to_contain_text(
        "Actinic keratosis / intraepithelial carcinoma (akiec): Analyses"
    )
    somebody.page.keyboard.press("ArrowRight")
    expect(reading).to_contain_text("Basal cell carcinoma (bcc): Analyses")


def test_nobody_is_kept_out_of_statistics(somebody: Person, axe: Callable[[Page], None]) -> None:
    # A few days: every row more of the tables is looked at eight times.
    since, *_, until = around_today()
    drawn(somebody, f"?interval=day&since={since}&until={until}")
    for numbers in somebody.page.get_by_text("The numbers").all():
        numbers.click()
    axe(somebody.page)
