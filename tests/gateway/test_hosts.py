"""By which names the gateway is called, and what is only for connections with TLS."""

from pathlib import Path

import httpx
import pytest

from services import environment
from services.gateway.settings import Settings
from tests.deploy import composition
from tests.gateway.conftest import Start
from tests.gateway.processes import running, told

NAMES = "gateway.example.org, [::1]"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("gateway.example.org", 401),
        ("Gateway.Example.ORG:8000", 401),
        ("[::1]:8000", 401),
        ("evil.example.org", 421),
        ("gateway.example.org.evil.org", 421),
        ("evil.org:8000", 421),
        ("", 421),
    ],
)
async def test_only_who_calls_us_by_our_name_is_answered(
    start: Start, host: str, status: int
) -> None:
    async with start(allowed_hosts=NAMES) as gateway:
        answer = await gateway.http.get("/v1/me", headers={"Host": host})
        probed = await gateway.http.get("/livez", headers={"Host": host})

        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert (answer.json()["type"] == "/docs/problems#misdirected") == (status == 421)
        assert probed.status_code == 200


@pytest.mark.parametrize(
    ("given", "taken", "refused"),
    [
        ("", "localhost:8000", "dermserve.example.org"),
        ("", "127.0.0.1:8000", "other.example.org"),
        ("dermserve.example.org", "dermserve.example.org", "localhost"),
    ],
)
async def test_the_gateway_of_the_composition_goes_by_names_of_its_own_only(
    start: Start, given: str, taken: str, refused: str
) -> None:
    passwords = {"POSTGRES_PASSWORD": "of-the-database", "ADMIN_PASSWORD": "of-the-admin"}
    told = composition.environment("gateway", {**passwords, "ALLOWED_HOSTS": given})
    async with start(allowed_hosts=told["DERMSERVE_GATEWAY_ALLOWED_HOSTS"]) as gateway:
        for host, status in {taken: 401, refused: 421}.items():
            answer = await gateway.http.get("/v1/me", headers={"Host": host})
            assert answer.status_code == status, host


async def test_a_target_that_names_a_host_says_it_in_place_of_the_header(tmp_path: Path) -> None:
    ours, other = b"gateway.example.org", b"evil.example.org"
    line = b"GET %s/v1/me HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"
    asked = {
        line % (b"http://" + ours, ours): b"401",
        line % (b"http://" + ours + b":80", other): b"401",
        line % (b"http://" + other, ours): b"421",
        line % (b"HTTP://me@" + ours, ours): b"400",
        line % (b"", ours): b"401",
    }
    async with running(tmp_path, DERMSERVE_GATEWAY_ALLOWED_HOSTS=NAMES) as served:
        for sent, status in asked.items():
            assert (await told(served, sent)).split()[1] == status, sent


@pytest.mark.parametrize("name", ["gateway.org:8000", "https://gateway.org", "*.org", "a@b"])
def test_what_is_no_name_is_refused_at_boot(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("DERMSERVE_GATEWAY_ALLOWED_HOSTS", name)

    with pytest.raises(environment.SettingsError, match="DERMSERVE_GATEWAY_ALLOWED_HOSTS"):
        environment.read(Settings)


async def test_browsers_are_told_to_use_tls_where_a_trusted_proxy_says_they_do(
    tmp_path: Path,
) -> None:
    tls = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
    proxy = {"DERMSERVE_GATEWAY_TRUSTED_PROXIES": "127.0.0.2"}
    from_the_proxy = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
    async with (
        running(tmp_path, **proxy) as served,
        httpx.AsyncClient(transport=from_the_proxy, timeout=60) as trusted,
        httpx.AsyncClient(timeout=60) as other,
    ):
        for path in ("/livez", "/nowhere"):
            told = await trusted.get(served.url + path, headers=tls)
            assert told.headers["Strict-Transport-Security"].startswith("max-age=63072000;")
            for plain in (await trusted.get(served.url + path), await other.get(served.url + path)):
                assert "Strict-Transport-Security" not in plain.headers
            untrusted = await other.get(served.url + path, headers=tls)
            assert "Strict-Transport-Security" not in untrusted.headers
