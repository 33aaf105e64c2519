"""People at the pages: all three services as processes, and a real Chromium.

The services run tiny models; what they predict is worth nothing, but all else is real.
"""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests import chromium, stack, tiny_models, watched
from tests.pages import language_model
from tests.stack import Stack

PASSWORD = "plain yellow teapots"
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}

EVALUATION = {
    "split": "nothing: made for tests",
    "suspicious_sensitivity": 0.912,
    "suspicious_specificity": 0.634,
}
"""What the classifier says of itself."""

_SHIPPED = Path(__file__).parents[2] / "weights" / "models" / "classifier" / "3" / "evaluation.json"

MEASURED: dict[str, Any] = {
    **json.loads(_SHIPPED.read_text(encoding="utf-8"))["results"]["report_fold"],
    "suspicious": {
        "sensitivity": {"value": 0.912, "low": 0.881, "high": 0.94},
        "specificity": {"value": 0.634, "low": 0.602, "high": 0.661},
    },
}
"""What its evaluation says beside it: that of a shipped one, with an operating point of its own."""

_names = itertools.count()

PATIENCE_MS = 60_000
"""How long tests wait for what must come: it costs nothing where it comes at once."""

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="package")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The three services; an administrator is called ``admin``."""
    models = tiny_models.write_models(tmp_path_factory.mktemp("models"))
    evaluated = tiny_models.classifier(metrics=json.dumps(EVALUATION))
    folder = tiny_models.publish(evaluated, models / "classifier" / "1")
    tiny_models.publish_evaluation(folder, EVALUATION, MEASURED)
    with (
        language_model.writing() as model,
        watched.running(
            **(stack.UNHURRIED | model),
            DERMSERVE_INFERENCE_MODEL_DIR=str(models),
            DERMSERVE_GATEWAY_ADMIN_PASSWORD=PASSWORD,
            DERMSERVE_GATEWAY_ADDRESS_QUOTA="0",
            DERMSERVE_GATEWAY_CALLER_QUOTA="0",
            DERMSERVE_GATEWAY_WEBHOOK_NETWORKS="127.0.0.1",
            DERMSERVE_GATEWAY_WEBHOOK_PORTS="1-65535",
            DERMSERVE_GATEWAY_WEBHOOK_PLAIN_HTTP="true",
        ) as running,
    ):
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if chromium.found() is None:
        pytest.skip(f"no Chromium: name one by {chromium.NAMED_BY}")
    with chromium.launched() as running:
        yield running


@dataclass
class Person:
    """Somebody at a browser of their own; what goes wrong in their console fails the test."""

    services: Stack
    context: BrowserContext
    page: Page
    username: str

    def goto(self, path: str) -> None:
        """Go to an address of ours."""
        self.page.goto(f"{self.services.rest}{path}")

    def api(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask the API in the same session, as a page of ours would."""
        jar = {each["name"]: each["value"] for each in self.context.cookies()}
        with httpx.Client(base_url=self.services.rest, cookies=jar, timeout=120) as client:
            return client.request(method, path, **options)


@pytest.fixture
def visitor(services: Stack, browser: Browser) -> Iterator[Callable[..., Person]]:
    """Somebody new, not signed in; takes the options of a browser context."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def come(**options: Any) -> Person:
        # What goes through a service worker is out of reach of tests that hold requests back.
        usual = {"viewport": DESKTOP, "reduced_motion": "reduce", "service_workers": "block"}
        context = browser.new_context(**{**usual, **options})
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        context.on("weberror", lambda error: faults.append(str(error.error)))
        context.on(
            "console",
            lambda said: (
                faults.append(said.text) if "Content Security Policy" in said.text else None
            ),
        )
        page = context.new_page()
        # Whoever listens as late as when the chooser is asked for may be too late.
        page.on("filechooser", lambda _: None)
        return Person(services, context, page, "")

    yield come
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def person(visitor: Callable[..., Person]) -> Callable[..., Person]:
    """Somebody with a new account of their own, signed in; takes the options of a context."""

    def come(**options: Any) -> Person:
        somebody = visitor(**options)
        somebody.username = f"person.{next(_names)}"
        answer = somebody.context.request.post(
            f"{somebody.services.rest}/sign-up",
            form={"username": somebody.username, "password": PASSWORD},
            max_redirects=0,
        )
        assert answer.status == 303, answer.text()
        return somebody

    return come


@pytest.fixture
def admin(visitor: Callable[..., Person]) -> Callable[..., Person]:
    """The administrator, signed in; takes the options of a context."""

    def come(**options: Any) -> Person:
        somebody = visitor(**options)
        somebody.username = "admin"
        answer = somebody.context.request.post(
            f"{somebody.services.rest}/sign-in",
            form={"username": "admin", "password": PASSWORD},
            max_redirects=0,
        )
        assert answer.status == 303, answer.text()
        return somebody

    return come


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """Look for what keeps people out, in light and dark, on a desktop and on a phone."""

    def look(page: Page) -> None:
        for size, scheme in itertools.product((DESKTOP, PHONE), ("light", "dark")):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            found = Axe().run(page)
            assert found.violations_count == 0, f"{size} {scheme}\n{found.generate_report()}"
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= size["width"], f"scrolls sideways at {size['width']}: {wide}"

    return look
