"""The page of the models: what is loaded, and how well it did, with scripts and without."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.pages.conftest import MEASURED, Person

People = Callable[..., Person]

TITLES = {"label": "Probability of the label given", "malignant": "Malignant probability"}


def classifier(somebody: Person) -> Locator:
    somebody.goto("/admin/models")
    return somebody.page.get_by_role("region", name="Classifier 1", exact=True)


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("kind", list(TITLES))
def test_calibration_is_drawn_and_told_in_figures(
    admin: People, kind: str, *, scripts: bool
) -> None:
    shown = classifier(admin(java_script_enabled=scripts))
    figure = shown.get_by_role("figure", name=TITLES[kind])
    bins = MEASURED["reliability"][kind]
    expect(figure.locator("svg circle")).to_have_count(len(bins))
    figure.get_by_text("The numbers").click()
    rows = figure.locator("tbody tr")
    expect(rows).to_have_count(len(bins))
    for row, each in zip(rows.all(), bins, strict=True):
        expect(row.get_by_role("cell").first).to_have_text(str(each["pictures"]))
        expect(row).to_contain_text(f"{100 * each['sure']:.1f} %")
        expect(row).to_contain_text(f"{100 * each['right']['value']:.1f} %")


@pytest.mark.parametrize(
    ("kind", "error"),
    [("label", "expected_calibration_error"), ("malignant", "malignant_calibration_error")],
)
def test_the_calibration_error_stands_beside_its_interval(
    admin: People, kind: str, error: str
) -> None:
    figure = classifier(admin()).get_by_role("figure", name=TITLES[kind])
    found = MEASURED[error]
    expect(figure).to_contain_text(
        f"Expected calibration error {found['value']:.3f} "
        f"95 % interval {found['low']:.3f} to {found['high']:.3f}"
    )


def test_a_better_calibrated_bin_lies_nearer_to_the_line(admin: People) -> None:
    figure = classifier(admin()).get_by_role("figure", name=TITLES["malignant"])
    off = figure.locator("svg circle").evaluate_all(
        "dots => dots.map(dot => dot.cx.baseVal.value + dot.cy.baseVal.value - 240)"
    )
    bins = MEASURED["reliability"]["malignant"]
    assert off == pytest.approx(
        [240 * (each["sure"] - each["right"]["value"]) for each in bins], abs=0.2
    )


def test_what_became_of_each_label_is_counted(admin: People) -> None:
    shown = classifier(admin())
    rows = shown.get_by_role("region", name="Confusion matrix").locator("tbody tr")
    for row, counts in zip(rows.all(), MEASURED["confusion"], strict=True):
        expect(row.get_by_role("cell")).to_have_text([str(count) for count in counts])
    melanoma = shown.get_by_role("region", name="Labels of").get_by_role("row", name="Melanoma")
    found = MEASURED["labels"]["mel"]
    expect(melanoma).to_contain_text(str(found["pictures"]))
    for figure in (found["sensitivity"], found["specificity"], found["auc"]):
        said = f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"
        expect(melanoma).to_contain_text(said)


def test_a_version_says_what_it_is_for_and_what_runs_it(admin: People) -> None:
    somebody = admin()
    shown = classifier(somebody)
    (model,) = (
        each
        for each in somebody.api("GET", "/v1/models").json()["items"]
        if each["name"] == "classifier"
    )
    for said in ("stable", "serving", "100 % of pictures", model["execution_provider"]):
        expect(shown).to_contain_text(said)
    expect(shown).to_contain_text(model["sha256"])


def test_the_overview_leads_to_the_models(admin: People) -> None:
    somebody = admin()
    somebody.goto("/admin")
    somebody.page.get_by_role("link", name="All versions").click()
    expect(somebody.page.get_by_role("heading", name="Models", level=1)).to_be_visible()


def test_nobody_is_kept_out_of_the_models(admin: People, axe: Callable[[Page], None]) -> None:
    somebody = admin()
    for summary in classifier(somebody).locator("summary").all():
        summary.click()
    axe(somebody.page)
