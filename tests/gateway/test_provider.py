"""What comes from an identity provider is believed only if all of it is right."""

import asyncio
import gzip
import socket
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import pytest
from starlette.responses import Response, StreamingResponse

from services.gateway.provider import discovery, wire
from tests.gateway.conftest import Start
from tests.gateway.identity_providers import (
    PUBLIC_URL,
    Browser,
    ScriptedProvider,
    browser,
    new_key,
    settings,
    signed,
)
from tests.gateway.leaks import WATCH
from tests.gateway.timers import Timers


@pytest.mark.parametrize("methods", [["client_secret_basic"], ["client_secret_post"], None])
async def test_the_gateway_proves_who_it_is_as_the_provider_wants(
    start: Start, provider: ScriptedProvider, methods: list[str] | None
) -> None:
    provider.auth_methods = methods or ["none"]
    public = {} if methods else {"oidc_client_secret": None}
    async with (
        start(**settings(provider.issuer, **public)) as gateway,
        browser(gateway.app) as visitor,
    ):
        assert (await provider.sign_in(visitor)).status_code == 200
        assert (await visitor.tokens()).status_code == 200


async def test_an_answer_to_something_else_lets_nobody_in(
    either_visitor: Browser, provider: ScriptedProvider
) -> None:
    for name, values in {
        "state": ("another", "", "ü"),
        "iss": ("https://evil.example", ""),
        "code": ("invented", ""),
    }.items():
        for value in values:
            answer = await provider.sign_in(either_visitor, **{name: value})
            assert await either_visitor.kept_out(answer), (name, value)


async def test_an_answer_of_another_provider_is_known_also_where_ours_does_not_say_its_name(
    visitor: Browser, provider: ScriptedProvider
) -> None:
    provider.says_issuer = False

    assert await visitor.kept_out(await provider.sign_in(visitor, iss="https://evil.example"))
    assert (await provider.sign_in(visitor)).status_code == 200


async def test_a_missing_name_is_noticed_where_the_provider_says_that_it_gives_it(
    visitor: Browser, provider: ScriptedProvider
) -> None:
    back = provider.authorize(await visitor.begin())

    answer = await visitor.http.get(back.partition("&iss=")[0])

    assert await visitor.kept_out(answer)


async def test_an_answer_counts_once_and_in_the_browser_that_asked(
    either_visitor: Browser, provider: ScriptedProvider
) -> None:
    back = provider.authorize(await either_visitor.begin())
    cookies = dict(either_visitor.http.cookies)
    async with browser(either_visitor.app) as thief:
        stolen = await thief.http.get(back)
        await thief.begin()
        crossed = await thief.http.get(back)
        assert await thief.kept_out(stolen)
        assert await thief.kept_out(crossed)

    first = await either_visitor.http.get(back)
    either_visitor.http.cookies.update(cookies)
    again = await either_visitor.http.get(back)

    assert (first.status_code, again.status_code) == (200, 401)


async def test_a_cookie_that_was_changed_belongs_to_no_answer(
    visitor: Browser, provider: ScriptedProvider
) -> None:
    name = "__Host-dermserve-oidc"
    for part, value in enumerate(("x" * 43, str(int(time.time()) + 60), "L2VsZXdoZXJl")):
        back = provider.authorize(await visitor.begin(return_to="/there"))
        parts = visitor.http.cookies[name].strip('"').split(".")
        parts[part] = value
        visitor.http.cookies.clear()
        headers = {"Cookie": f"{name}={'.'.join(parts)}"}
        assert await visitor.kept_out(await visitor.http.get(back, headers=headers)), part


async def test_who_takes_too_long_begins_again(
    visitor: Browser, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = provider.authorize(await visitor.begin())
    later = time.time() + 601
    monkeypatch.setattr("services.gateway.provider.transaction.time.time", lambda: later)

    assert await visitor.kept_out(await visitor.http.get(back))


async def test_a_new_key_of_the_provider_is_asked_for_when_it_is_met(
    visitor: Browser, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "_KEYS_AGAIN_S", 0.0)
    assert (await provider.sign_in(visitor)).status_code == 200

    provider.keys = [new_key()]

    assert (await provider.sign_in(visitor)).status_code == 200
    assert provider.asked.count("/keys") == 2
    assert provider.asked.count("/.well-known/openid-configuration") == 1


async def test_who_invents_keys_does_not_make_the_gateway_ask_every_time(
    visitor: Browser, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "_KEYS_AGAIN_S", 600.0)
    provider.sign = lambda claims: signed(claims, new_key())

    for _ in range(3):
        assert await visitor.kept_out(await provider.sign_in(visitor))

    assert provider.asked.count("/keys") == 1


async def test_a_provider_that_is_down_is_said_to_be_and_asked_again(
    visitor: Browser, provider: ScriptedProvider
) -> None:
    provider.down = True
    before = await visitor.http.get("/v1/auth/oidc")
    provider.down = False
    back = provider.authorize(await visitor.begin())
    provider.down = True
    meanwhile = await visitor.http.get(back)
    provider.down = False

    assert (before.status_code, meanwhile.status_code) == (503, 503)
    assert before.headers["Retry-After"] == "1"
    assert before.json()["detail"] == "The identity provider does not answer. Try again later."
    assert (await provider.sign_in(visitor)).status_code == 200


async def test_a_provider_that_does_not_answer_is_given_up_in_time(
    start: Start, monkeypatch: pytest.MonkeyPatch, silent: str
) -> None:
    monkeypatch.setattr(wire, "TIMEOUT_S", 600)
    timers = Timers(monkeypatch, wire)
    async with start(**settings(silent)) as gateway, browser(gateway.app) as visitor:
        asking = asyncio.create_task(visitor.http.get("/v1/auth/oidc"))
        await timers.were_asked(1)
        timers.end()
        answer = await asyncio.wait_for(asking, 60)

    assert answer.status_code == 503
    assert timers.asked == [600]


async def forever() -> AsyncIterator[bytes]:
    yield b"{"
    while True:
        await asyncio.sleep(0)
        yield b" " * 10_000


def bomb() -> Response:
    """Half a gigabyte in a few kilobytes."""
    packing = zlib.compressobj(wbits=31)
    packed = b"".join(packing.compress(bytes(1024**2)) for _ in range(512)) + packing.flush()
    return Response(gzip.compress(packed), headers={"Content-Encoding": "gzip, gzip"})


@contextmanager
def allocations() -> Iterator[Callable[[], int]]:
    """Follow what is allocated from here on; gives the most bytes that were kept at once."""
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "said",
    [
        lambda: Response(b'{"keys": [' + b" " * 10_000_000 + b"]}"),
        lambda: StreamingResponse(forever()),
        lambda: Response(b"[" * 100_000 + b"]" * 100_000),
        bomb,
    ],
    ids=["large", "endless", "nested", "bomb"],
)
async def test_of_keys_that_are_too_many_no_more_is_read_than_may_be(
    visitor: Browser,
    provider: ScriptedProvider,
    said: Callable[[], Response],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire, "TIMEOUT_S", 60)
    answer = said()
    provider.instead_of_keys = lambda: answer
    back = provider.authorize(await visitor.begin())

    with allocations() as most:
        told = await visitor.http.get(back)
        kept = most()

    assert told.status_code == 502
    assert kept < 64 * 1024**2
    assert set(provider.encodings) == {"identity"}
    provider.instead_of_keys = None
    assert (await provider.sign_in(visitor)).status_code == 200


async def test_a_provider_under_another_name_is_none_of_ours(
    start: Start, provider: ScriptedProvider
) -> None:
    ours = provider.issuer
    provider.issuer = "http://127.0.0.1:1"
    async with start(**settings(ours)) as gateway, browser(gateway.app) as visitor:
        answer = await visitor.http.get("/v1/auth/oidc")

    assert answer.status_code == 502
    assert "127.0.0.1" not in answer.text


@pytest.mark.parametrize(
    "said",
    [
        {"jwks_uri": "https://"},
        {"jwks_uri": 0},
        {"jwks_uri": "https://there:port/keys"},
        {"token_endpoint": "https://there:port/token"},
        {"token_endpoint": "https://xn--/token"},
        {"authorization_endpoint": "https://there:port/authorize"},
        {"authorization_endpoint": "https://there/\0"},
        {"token_endpoint_auth_methods_supported": 1},
    ],
    ids=str,
)
async def test_a_provider_that_says_nonsense_of_itself_is_said_to_be_at_fault(
    visitor: Browser, provider: ScriptedProvider, said: dict[str, object]
) -> None:
    provider.metadata = said
    assert (await visitor.http.get("/v1/auth/oidc")).status_code == 502

    provider.metadata = {}
    assert (await provider.sign_in(visitor)).status_code == 200


async def test_no_log_line_has_a_token_a_code_or_a_word_about_somebody(
    visitor: Browser, provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.claims = {"sub": "planted", "preferred_username": "planted", "groups": ["planted"]}
    with caplog.at_level("INFO"), WATCH.captured() as lines:
        assert (await provider.sign_in(visitor)).status_code == 200
        await visitor.tokens()
        provider.claims["nonce"] = "planted"
        await provider.sign_in(visitor)
        await provider.sign_in(visitor, code="planted")

    # What the browser of this test writes is its own.
    of_libraries = [m for m in map(str, caplog.messages) if PUBLIC_URL not in m]
    assert of_libraries
    assert {"nonce", "code"} < {str(line.get("reason")).rpartition(" ")[2] for line in lines}
    for line in (*of_libraries, *map(str, lines)):
        assert not any(word in line for word in ("planted", "eyJ", "code="))


@pytest.fixture
def silent() -> Iterator[str]:
    """Where somebody listens and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
