"""How heavy pages are, and how soon they can be used: ``python -m benchmarks.pages``.

Each page is opened in a real Chromium that has nothing of it yet, and once more as by whoever was
there before. The gateway is on the same machine, with the published models.
"""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import httpx
from playwright.sync_api import Browser, CDPSession, Page

from benchmarks import machine
from tests import chromium, specimens, stack

ROUNDS = 15
FIRST_PAGE_MOST_BYTES = 100_000
RESULT_MOST_MS = 1000

_MOMENT_MS = 10
_PHONE = {"width": 390, "height": 844}
_ACCOUNT: dict[str, str | float | bool] = {"username": "bench", "password": "measure, then claim"}
_TIMES = """() => {
  const [at] = performance.getEntriesByType("navigation");
  return at.loadEventEnd > 0 && [at.domContentLoadedEventEnd, at.loadEventEnd];
}"""


@dataclass(frozen=True, slots=True)
class Look:
    """A page, opened once.

    Attributes:
        transferred: bytes over the wire, heads included.
        requests: how many were made.
        interactive_ms: until its scripts had run, since it was asked for.
        loaded_ms: until its pictures were there as well.

    """

    transferred: int
    requests: int
    interactive_ms: float
    loaded_ms: float

    @classmethod
    def at(cls, page: Page, address: str) -> Self:
        """Open a page and look."""
        devtools = page.context.new_cdp_session(page)
        answers = _Answers(devtools)
        page.goto(address, wait_until="load")
        interactive, loaded = page.wait_for_function(_TIMES).json_value()
        # A page can be there before anybody is told that the last of its answers came.
        while answers.awaited:
            page.wait_for_timeout(_MOMENT_MS)
        devtools.detach()
        return cls(int(sum(answers.sizes)), len(answers.sizes), interactive, loaded)


class _Answers:
    """What comes over the wire while a page is opened.

    Attributes:
        awaited: the ids of requests that nothing has become of yet.
        sizes: of the answers that came, in bytes.

    """

    def __init__(self, devtools: CDPSession) -> None:
        """Begin to count."""
        self.awaited: set[str] = set()
        self.sizes: list[float] = []
        devtools.on("Network.requestWillBeSent", self._asked)
        devtools.on("Network.loadingFinished", self._came)
        devtools.on("Network.loadingFailed", self._ended)
        devtools.send("Network.enable")

    def _asked(self, event: dict[str, Any]) -> None:
        if event.get("type") != "EventSource":
            self.awaited.add(event["requestId"])

    def _came(self, event: dict[str, Any]) -> None:
        self.sizes.append(event["encodedDataLength"])
        self._ended(event)

    def _ended(self, event: dict[str, Any]) -> None:
        self.awaited.discard(event["requestId"])


def main() -> None:
    """Measure, and write the result."""
    with stack.running() as services, chromium.launched() as browser:
        cookies, pages = _prepared(browser, services.rest)
        measured = {
            name: _measured(browser, cookies, f"{services.rest}{path}")
            for name, path in pages.items()
        }
        machine.write(
            "pages",
            {"browser": browser.version, "rounds": ROUNDS, "screen": _PHONE, "pages": measured},
            models=machine.served(),
        )


def _prepared(browser: Browser, rest: str) -> tuple[Any, Mapping[str, str]]:
    """Sign up and have a picture analyzed; return cookies and where pages are."""
    with browser.new_context() as context:
        context.request.post(f"{rest}/sign-up", form=_ACCOUNT, max_redirects=0)
        cookies = context.cookies()
    jar = {each["name"]: each["value"] for each in cookies}
    file = {"image": ("lesion.jpg", specimens.lesion_jpeg())}
    # By hand, because a jar sends no cookie without TLS that is for TLS only.
    said = {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())}
    answer = httpx.post(f"{rest}/v1/analyses", files=file, headers=said, timeout=60)
    found = answer.raise_for_status().json()["id"]
    return cookies, {
        "first page": "/",
        "sign in": "/sign-in",
        "analyze": "/analyze",
        "result": f"/analyses/{found}",
        "history": "/analyses",
    }


def _measured(browser: Browser, cookies: Any, address: str) -> dict[str, Any]:
    looks: dict[str, list[Look]] = {"first": [], "again": []}
    for _ in range(ROUNDS):
        with browser.new_context(viewport=_PHONE) as context:  # type: ignore[arg-type]
            context.add_cookies(cookies)
            for seen in looks.values():
                seen.append(Look.at(context.new_page(), address))
    return {when: _figures(seen) for when, seen in looks.items()}


def _figures(looks: list[Look]) -> dict[str, Any]:
    return {
        "transferred": max(look.transferred for look in looks),
        "requests": max(look.requests for look in looks),
        "interactive_ms": _spread([look.interactive_ms for look in looks]),
        "loaded_ms": _spread([look.loaded_ms for look in looks]),
    }


def _spread(times: list[float]) -> dict[str, float]:
    return {"median": round(statistics.median(times), 1), "worst": round(max(times), 1)}


if __name__ == "__main__":
    main()
