"""Webhooks, at the pages for administrators: made, tried out, paused, removed, sent again."""

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, expect
from standardwebhooks import Webhook as Verifier

from tests.pages.conftest import Person
from tests.pages.looking import followed, seen

People = Callable[..., Person]
OURS = {"Sec-Fetch-Site": "same-origin"}
HOSTILE = "<script>alert(1)</script> \u202eegdirb {{ 7 * 7 }}"
_WITHIN_S = 60


@dataclass
class Receiver:
    """Somebody who is told: the messages that came, and the statuses that are answered."""

    url: str
    statuses: list[int]
    came: queue.Queue[tuple[dict[str, str], bytes]] = field(default_factory=queue.Queue)


@contextlib.contextmanager
def receiving(*statuses: int) -> Iterator[Receiver]:
    """Listen on a real socket; the last status is answered from then on."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(
                receiver.statuses.pop(0) if len(receiver.statuses) > 1 else receiver.statuses[0]
            )
            self.send_header("Content-Length", "0")
            self.end_headers()
            receiver.came.put(({k.lower(): v for k, v in self.headers.items()}, body))

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(f"http://127.0.0.1:{server.server_port}/hook", list(statuses))
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            serving.join()


@pytest.fixture
def boss(admin: People) -> Iterator[Callable[..., Person]]:
    """The administrator, whose webhooks are removed at the end: there may be so many."""
    come: list[Person] = []

    def comes(**options: object) -> Person:
        come.append(admin(**options))
        return come[-1]

    known = set(_ids(comes()))
    yield comes
    for each in set(_ids(come[0])) - known:
        come[0].api("DELETE", f"/v1/webhooks/{each}", headers=OURS | {"If-Match": "*"})


def _ids(somebody: Person) -> list[str]:
    return [each["id"] for each in somebody.api("GET", "/v1/webhooks").json()["items"]]


def make(somebody: Person, url: str, description: str = "", *kinds: str) -> None:
    somebody.goto("/admin/webhooks")
    page = somebody.page
    page.get_by_label("Address").fill(url)
    page.get_by_label("What it is (optional)").fill(description)
    for kind in kinds:
        page.get_by_label(kind).check()
    page.get_by_role("button", name="Make the webhook").click()


def tried_out(page: Page) -> str:
    """Go on to the webhook that was just made; return its path."""
    return followed(page, "Try it out", "/admin/webhooks/[0-9a-f]{32}")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_webhook_is_made_tried_out_and_its_messages_are_sent_again(
    boss: People, axe: Callable[[Page], None], *, scripts: bool
) -> None:
    somebody = boss(java_script_enabled=scripts)
    page = somebody.page
    with receiving(500, 204) as receiver:
        make(somebody, receiver.url, HOSTILE, "patient.created")
        secret = page.locator("#secret").inner_text()
        if scripts:
            axe(page)
        tried_out(page)
        expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
        assert secret not in page.content()

        page.get_by_role("button", name="Send a test message").click()
        expect(page.get_by_role("status")).to_contain_text("on its way")
        first, body = receiver.came.get(timeout=_WITHIN_S)
        Verifier(secret).verify(body, first)
        row = page.get_by_role("listitem").filter(has_text="webhook.test")
        seen(page, row.get_by_text("answered with"))
        row.get_by_role("button", name="Send again").click()
        expect(page.get_by_role("status")).to_contain_text("sent again")
        again, _ = receiver.came.get(timeout=_WITHIN_S)
        assert again["webhook-id"] == first["webhook-id"]
        seen(page, row.locator(".tag.good"))
        expect(row).to_contain_text("answered with 204")

    page.get_by_role("link", name="Failed").click()
    expect(page.get_by_text("Nothing is failed.")).to_be_visible()


def test_a_receiver_is_told_what_it_asked_for_and_nothing_while_it_is_paused(boss: People) -> None:
    somebody = boss()
    page = somebody.page

    def patient(number: str) -> str:
        new = {"identifier": number}
        made: str = somebody.api("POST", "/v1/patients", json=new, headers=OURS).json()["id"]
        return made

    with receiving(204) as receiver:
        make(somebody, receiver.url, "", "patient.created")
        tried_out(page)
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("status")).to_contain_text("paused")
        expect(page.get_by_role("button", name="Send a test message")).to_have_count(0)
        unheard = patient("paused 1")
        page.get_by_role("button", name="Enable").click()
        expect(page.get_by_role("status")).to_contain_text("told again")
        heard = patient("paused 2")

        _, body = receiver.came.get(timeout=_WITHIN_S)

    assert heard.encode() in body
    seen(page, page.get_by_text(heard))
    expect(page.get_by_text(unheard)).to_have_count(0)


def test_a_webhook_that_was_removed_is_gone_and_an_old_page_of_it_says_so(boss: People) -> None:
    somebody = boss()
    page = somebody.page
    make(somebody, "http://127.0.0.1:9/hook", "for a while")
    tried_out(page)
    stale = {button: somebody.context.new_page() for button in ("Pause", "Send a test message")}
    for each in stale.values():
        each.goto(page.url)

    page.get_by_role("link", name="Remove …").click()
    page.get_by_role("button", name="Remove it").click()

    expect(page.get_by_role("status")).to_contain_text("removed")
    expect(page.get_by_text("for a while")).to_have_count(0)
    for button, each in stale.items():
        each.get_by_role("button", name=button).click()
        expect(each.get_by_role("main")).to_contain_text("There is no webhook of this id")


def test_what_somebody_else_changed_meanwhile_is_shown(boss: People) -> None:
    somebody = boss()
    page = somebody.page
    make(somebody, "http://127.0.0.1:9/hook", "of before")
    path = tried_out(page).removeprefix("/admin")
    change = {"description": "of by now"}
    somebody.api("PATCH", f"/v1{path}", json=change, headers=OURS | {"If-Match": "*"})

    page.get_by_role("button", name="Pause").click()

    expect(page.get_by_role("alert")).to_contain_text("changed since you saw it")
    expect(page.get_by_role("heading", level=1)).to_have_text("of by now")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status")).to_contain_text("paused")


def test_pause_on_an_old_page_of_one_given_up_since_is_not_said_to_be_done(boss: People) -> None:
    page = (somebody := boss()).page
    with receiving(410) as receiver:
        make(somebody, receiver.url, "gone")
        tried_out(page)
        stale = somebody.context.new_page()
        stale.goto(page.url)
        page.get_by_role("button", name="Send a test message").click()
        seen(page, page.get_by_text("given up: the receiver"))
    stale.get_by_role("button", name="Pause").click()
    expect(stale.get_by_role("alert")).to_contain_text("changed since you saw it")


def test_the_same_form_sent_twice_makes_one_webhook_and_says_so(boss: People) -> None:
    somebody = boss()
    page = somebody.page
    make(somebody, "http://127.0.0.1:9/twice", "only one")
    expect(page.locator("#secret")).to_be_visible()

    page.reload()

    expect(page.get_by_role("status")).to_contain_text("has made the webhook already")
    expect(page.locator("#secret")).to_have_count(0)
    expect(page.get_by_role("link", name="only one")).to_have_count(1)


def test_pause_pressed_twice_and_a_test_sent_twice_do_it_once(boss: People) -> None:
    somebody = boss()
    page = somebody.page
    make(somebody, "http://127.0.0.1:9/hook", "pressed twice")
    path = tried_out(page)
    whose = page.locator("form[action*='/test']").get_attribute("action") or ""
    form = page.locator("form[action*='/test'] [name=form]").input_value()
    revision = page.locator("form:has-text('Pause') [name=revision]").input_value()

    for _ in range(2):
        sent = somebody.api("POST", whose, data={"form": form}, headers=OURS)
        assert sent.status_code == 303, sent.text
    deliveries = somebody.api("GET", f"/v1{path.removeprefix('/admin')}/deliveries").json()
    pause = {"disabled": "yes", "revision": revision}
    for _ in range(2):
        done = somebody.api("POST", path, data=pause, headers=OURS)
        assert done.status_code == 303, done.text
    test_of_a_paused_one = somebody.api("POST", whose, data={"form": "0" * 32}, headers=OURS)

    assert len(deliveries["items"]) == 1
    assert test_of_a_paused_one.status_code == 409
    assert "Enable it first" in test_of_a_paused_one.text


BAD = {
    "not-an-address": "Url",
    "https://10.0.0.1/hook": "does not lead to an address that webhooks may go to",
    "https://[::1]/hook": "does not lead to an address that webhooks may go to",
    "https://169.254.169.254/latest/meta-data": "does not lead to an address",
    "https://user:secret@127.0.0.1/": "must not hold a username or password",
    "ftp://127.0.0.1/": "this is no address of the web",
    "javascript:alert(1)": "this is no address of the web",
    "": "Url",
    f"https://127.0.0.1/{'a' * 2000}": "Url",
    "https://127.0.0.1/\0": "Url",
    '"><script>alert(1)</script>': "this is no address of the web",
}


def test_what_is_no_good_is_refused_with_the_reason_and_shown_again(boss: People) -> None:
    somebody = boss()
    page = somebody.page
    before = _ids(somebody)

    make(somebody, "https://10.0.0.1/hook", HOSTILE, "analysis.failed")
    expect(page.get_by_role("alert")).to_contain_text("address that webhooks may go to")
    expect(page.get_by_label("Address")).to_have_value("https://10.0.0.1/hook")
    expect(page.get_by_label("What it is (optional)")).to_have_value(HOSTILE)
    expect(page.get_by_label("analysis.failed")).to_be_checked()

    for url, why in BAD.items():
        answer = somebody.api("POST", "/admin/webhooks", data={"url": url}, headers=OURS)
        assert answer.status_code == 422, (url, answer.text)
        assert why.lower() in answer.text.lower(), url
        assert "<script>alert" not in answer.text
    unknown = {"url": "http://127.0.0.1:9/", "kinds": "<b>"}
    assert somebody.api("POST", "/admin/webhooks", data=unknown, headers=OURS).status_code == 422
    huge = {"url": "https://127.0.0.1/", "description": "x" * 10_000_000}
    assert somebody.api("POST", "/admin/webhooks", data=huge, headers=OURS).status_code == 413
    assert _ids(somebody) == before


def test_nobody_but_administrators_gets_in(person: People, boss: People) -> None:
    somebody, boss_there = person(), boss()
    make(boss_there, "http://127.0.0.1:9/hook")
    path = tried_out(boss_there.page)

    for method, where in (
        ("GET", "/admin/webhooks"),
        ("POST", "/admin/webhooks"),
        ("GET", path),
        ("POST", path),
        ("POST", f"{path}/test"),
        ("GET", f"{path}/remove"),
        ("POST", f"{path}/remove"),
        ("POST", f"{path}/deliveries/{'0' * 32}/replay"),
    ):
        data = {"disabled": "yes"} if method == "POST" else None
        answer = somebody.api(method, where, data=data, headers=OURS)
        assert answer.status_code == 403, (method, where, answer.text)
