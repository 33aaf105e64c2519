"""Pages of other origins: which may read answers, and that none acts with a cookie of ours."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services import environment
from services.gateway.dependencies import DEVICE_COOKIE
from services.gateway.settings import Settings
from tests.gateway.conftest import Gateway, Start
from tests.gateway.installation import ADMIN_PASSWORD
from tests.gateway.processes import running

VIEWER = "https://viewer.example.org"
OTHER = "https://evil.example.org"
COOKIE = {"Cookie": f"theme=dark; {DEVICE_COOKIE}=token"}
ASKED_FIRST = {
    "Access-Control-Request-Method": "PATCH",
    "Access-Control-Request-Headers": "authorization,if-match",
}


def allowed(answer: httpx.Response) -> dict[str, str]:
    return {k: v for k, v in answer.headers.items() if k.startswith("access-control-")}


async def test_no_page_of_another_origin_reads_anything_unless_it_is_listed(
    gateway: Gateway,
) -> None:
    for origin in (VIEWER, OTHER, "null", "http://gateway"):
        answer = await gateway.http.get("/livez", headers={"Origin": origin})
        asked = await gateway.http.options(
            "/v1/me", headers={"Origin": origin, "Access-Control-Request-Method": "GET"}
        )
        assert not allowed(answer), origin
        assert not allowed(asked), origin


async def test_a_page_of_a_listed_origin_reads_answers_and_errors(start: Start) -> None:
    async with start(cors_origins=f"{VIEWER}, https://two.example.org:8443") as gateway:
        asked: list[tuple[str, str, dict[str, Any]]] = [
            ("GET", "/livez", {}),
            ("GET", "/nowhere", {}),
            ("GET", "/v1/me", {}),
            ("POST", "/v1/auth/refresh", {"content": b"x" * 70_000}),
        ]
        for method, path, options in asked:
            listed = await gateway.http.request(method, path, headers={"Origin": VIEWER}, **options)
            other = await gateway.http.request(method, path, headers={"Origin": OTHER}, **options)
            none = await gateway.http.request(method, path, **options)

            assert listed.headers["Access-Control-Allow-Origin"] == VIEWER
            exposed = listed.headers["Access-Control-Expose-Headers"].split(", ")
            assert {"ETag", "Location", "RateLimit", "Retry-After", "X-Request-Id"} <= set(exposed)
            assert "access-control-allow-credentials" not in listed.headers
            for answer in (listed, other, none):
                assert answer.headers["Vary"] == "Origin"
            assert not allowed(other)
            assert not allowed(none)


async def test_a_browser_that_asks_first_is_told_what_a_listed_page_may_send(start: Start) -> None:
    async with start(cors_origins=VIEWER) as gateway:
        listed = await gateway.http.options(
            "/v1/patients/x", headers=ASKED_FIRST | {"Origin": VIEWER}
        )
        other = await gateway.http.options(
            "/v1/patients/x", headers=ASKED_FIRST | {"Origin": OTHER}
        )

        assert listed.status_code == 204
        assert listed.headers["Access-Control-Allow-Origin"] == VIEWER
        assert "PATCH" in listed.headers["Access-Control-Allow-Methods"].split(", ")
        named = set(listed.headers["Access-Control-Allow-Headers"].split(", "))
        assert {"Authorization", "Idempotency-Key", "If-Match", "Prefer"} <= named
        assert "*" not in str(allowed(listed))
        assert listed.headers["Vary"] == "Origin"
        assert not allowed(other)


def described(document: object) -> Iterator[tuple[str, str]]:
    """Give the name of each header that a document tells of, behind whether it is sent or got."""
    if isinstance(document, dict):
        if document.get("in") == "header" and isinstance(document.get("name"), str):
            yield "sent", document["name"].lower()
        for key, value in document.items():
            if key == "headers" and isinstance(value, dict):
                yield from (("got", name.lower()) for name in value)
            yield from described(value)
    elif isinstance(document, list):
        for each in document:
            yield from described(each)


async def test_a_listed_page_may_send_and_read_every_header_that_the_document_tells_of(
    start: Start,
) -> None:
    async with start(cors_origins=VIEWER) as gateway:
        asked = await gateway.http.options("/v1/me", headers=ASKED_FIRST | {"Origin": VIEWER})
        answer = await gateway.http.get("/livez", headers={"Origin": VIEWER})
        document = gateway.app.openapi()
        told = set(described([document["paths"], document["components"]["responses"]]))

    may_send = asked.headers["Access-Control-Allow-Headers"].lower().split(", ")
    may_read = answer.headers["Access-Control-Expose-Headers"].lower().split(", ")
    sent = {name for way, name in told if way == "sent"}
    got = {name for way, name in told if way == "got"}
    assert len(sent) > 5
    assert len(got) > 8
    # Browsers need not be asked for these.
    assert sent - {"accept", "accept-language"} <= set(may_send)
    # This one is for caches alone.
    assert got - {"vary"} <= set(may_read)


@pytest.mark.parametrize(
    "origins", ["*", "https://*.example.org", "viewer.example.org", "https://a.org/", "null"]
)
def test_what_is_no_origin_is_refused_at_boot(
    monkeypatch: pytest.MonkeyPatch, origins: str
) -> None:
    monkeypatch.setenv("DERMSERVE_GATEWAY_CORS_ORIGINS", origins)

    with pytest.raises(environment.SettingsError, match="DERMSERVE_GATEWAY_CORS_ORIGINS"):
        environment.read(Settings)


async def test_no_page_of_another_origin_changes_anything_with_our_cookie(tmp_path: Path) -> None:
    form = {"username": "admin", "password": ADMIN_PASSWORD}
    password = {"DERMSERVE_GATEWAY_ADMIN_PASSWORD": ADMIN_PASSWORD}
    async with (
        running(tmp_path, **password) as served,
        httpx.AsyncClient(timeout=60) as http,
    ):

        async def status(**browser: str) -> int:
            headers = {name.replace("_", "-"): value for name, value in browser.items()}
            answer = await http.post(f"{served.url}/v1/auth/token", data=form, headers=headers)
            if answer.status_code != 200:
                assert answer.json()["type"] == "/docs/problems#cross-origin"
                assert "set-cookie" not in answer.headers
            http.cookies.clear()
            return answer.status_code

        assert await status(**COOKIE, Sec_Fetch_Site="cross-site", Origin=OTHER) == 403
        assert await status(**COOKIE, Sec_Fetch_Site="cross-site") == 403
        assert await status(**COOKIE, Sec_Fetch_Site="same-site", Origin=served.url) == 403
        assert await status(**COOKIE, Origin=OTHER) == 403
        assert await status(**COOKIE, Origin="null") == 403
        assert await status(**COOKIE, Origin="http://127.0.0.1") == 403
        assert await status(**COOKIE, Sec_Fetch_Site="same-origin", Origin=OTHER) == 200
        assert await status(**COOKIE, Sec_Fetch_Site="none") == 200
        assert await status(**COOKIE, Origin=served.url) == 200
        assert await status(**COOKIE) == 200
        assert await status(Sec_Fetch_Site="cross-site", Origin=OTHER) == 200
        assert await status(Cookie="theme=dark", Origin=OTHER) == 200
        read = await http.get(
            f"{served.url}/livez", headers={**COOKIE, "Sec-Fetch-Site": "cross-site"}
        )
        assert read.status_code == 200


async def test_the_check_covers_every_operation_that_changes_something(gateway: Gateway) -> None:
    changes = 0
    for path, methods in gateway.app.openapi()["paths"].items():
        for method in set(methods) - {"get"}:
            changes += 1
            answer = await gateway.http.request(
                method, path, headers={**COOKIE, "Sec-Fetch-Site": "cross-site"}
            )
            assert answer.status_code == 403, (method, path)
            assert answer.json()["type"] == "/docs/problems#cross-origin"
    assert changes > 10
