"""The pages as an installed app: what it is made of, and that nothing of a patient is kept."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests import specimens
from tests.pages.conftest import Person

People = Callable[..., Person]
PLANTED = "Planted Person"

KEPT = """async () => {
  const found = [];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      const answer = await cache.match(request);
      found.push([new URL(request.url).pathname, await answer.text()]);
    }
  }
  return found;
}"""


def with_app(come: People) -> Person:
    """Somebody whose browser has the worker at work."""
    somebody = come(service_workers="allow")
    somebody.goto("/account")
    somebody.page.evaluate(
        """() => navigator.serviceWorker.controller || new Promise((taken) =>
             navigator.serviceWorker.addEventListener("controllerchange", taken, {once: true}))"""
    )
    return somebody


def analyzed(somebody: Person) -> str:
    answer = somebody.api(
        "POST",
        "/v1/analyses",
        files={"image": ("picture.jpg", specimens.lesion_jpeg())},
        data={"patient_name": PLANTED},
    )
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found


def manifest_of(page: Page) -> tuple[httpx.URL, dict[str, Any]]:
    address = httpx.URL(page.url).join(
        page.locator("link[rel=manifest]").get_attribute("href") or ""
    )
    return address, httpx.get(address, timeout=60).json()


def test_browsers_can_install_the_pages_as_an_app(person: People) -> None:
    somebody = with_app(person)
    devtools = somebody.context.new_cdp_session(somebody.page)

    found = devtools.send("Page.getAppManifest")
    wanting = devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]

    assert found["errors"] == []
    # A context of a test is one that keeps nothing, which alone is in the way.
    assert [each["errorId"] for each in wanting] in ([], ["in-incognito"])
    address, manifest = manifest_of(somebody.page)
    for icon in manifest["icons"]:
        answer = httpx.get(address.join(icon["src"]), timeout=60)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == icon["type"]


def test_after_use_the_app_keeps_assets_and_the_page_for_no_connection_alone(
    person: People,
) -> None:
    somebody = with_app(person)
    found = analyzed(somebody)
    for path in ("/analyses", f"/analyses/{found}", "/account", "/analyze"):
        somebody.goto(path)
    for name in ("image", "overlay.png", "report.pdf"):
        asked = f"/v1/analyses/{found}/{name}"
        fetched = "async (path) => (await (await fetch(path)).arrayBuffer()).byteLength"
        assert somebody.page.evaluate(fetched, asked) > 0

    kept = somebody.page.evaluate(KEPT)

    paths = {path for path, _ in kept}
    assert "/offline" in paths
    assert {path for path in paths if not path.startswith("/assets/")} == {"/offline"}
    whole = "".join(content for _, content in kept)
    for secret in (PLANTED, somebody.username, found):
        assert secret not in whole


def test_what_a_gateway_of_another_version_gave_for_an_asset_is_not_kept(person: People) -> None:
    somebody = with_app(person)
    newer = f"/assets/{'0' * 16}"
    # As the first page of a newer version has it, while all that answers is not upgraded yet.
    fetched = somebody.page.evaluate(
        """async (newer) => {
          const workers = navigator.serviceWorker;
          const taken = new Promise((done) => workers.addEventListener("controllerchange", () =>
            workers.controller.scriptURL.includes(newer) && done()));
          await workers.register(`${newer}/service-worker.js`, {scope: "/"});
          await taken;
          return (await fetch(`${newer}/history.css`)).status;
        }""",
        newer,
    )

    assert fetched == 200
    kept = [path for path, _ in somebody.page.evaluate(KEPT)]
    assert "/offline" in kept
    assert [path for path in kept if path.startswith(newer)] == []


def test_without_a_connection_the_app_says_so_and_comes_back_with_it(person: People) -> None:
    somebody = with_app(person)
    somebody.context.set_offline(offline=True)

    somebody.goto("/account")
    expect(somebody.page.get_by_role("heading", level=1)).to_have_text("There is no connection")
    expect(somebody.page.locator("body")).not_to_contain_text(somebody.username)

    somebody.context.set_offline(offline=False)
    somebody.goto("/account")
    expect(somebody.page.locator("body")).to_contain_text(somebody.username)


def test_nor_does_the_app_show_anything_to_who_goes_back_after_signing_out(
    person: People,
) -> None:
    somebody = with_app(person)
    expect(somebody.page.locator("main")).to_contain_text("password")
    somebody.page.get_by_role("button", name="Sign out").click()
    expect(somebody.page).to_have_url(f"{somebody.services.rest}/")

    somebody.page.go_back()

    expect(somebody.page).to_have_url(f"{somebody.services.rest}/sign-in?next=%2Faccount")
    expect(somebody.page.locator("body")).not_to_contain_text(somebody.username)


def test_signing_out_tells_the_browser_to_forget_what_it_keeps(person: People) -> None:
    somebody = person()

    answer = somebody.context.request.post(f"{somebody.services.rest}/sign-out", max_redirects=0)

    assert answer.headers["clear-site-data"] == '"cache", "storage"'


@pytest.mark.parametrize("path", ["/account", "/sign-in", "/", "/offline"])
def test_no_page_is_kept_by_anybody_on_the_way(person: People, path: str) -> None:
    somebody = person()

    answer = somebody.context.request.get(f"{somebody.services.rest}{path}")

    assert answer.headers["cache-control"] == "no-store"
