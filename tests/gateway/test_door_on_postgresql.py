"""The door in front of PostgreSQL: what other tests show in front of SQLite holds there too."""

import asyncio

import httpx

from tests import specimens
from tests.gateway.conftest import Client, Start
from tests.gateway.sockets import serving_http
from tests.gateway.test_cross_origin import COOKIE, OTHER, VIEWER, allowed
from tests.gateway.test_smuggling import MALFORMED


async def test_framing_hosts_origins_methods_and_uploads_are_checked_in_front_of_postgresql(
    start: Start, postgres_url: str
) -> None:
    names = {"allowed_hosts": "gateway, 127.0.0.1", "cors_origins": VIEWER}
    async with (
        start(database_url=postgres_url, **names) as gateway,
        serving_http(gateway.app, gateway.settings) as url,
        httpx.AsyncClient(base_url=url, timeout=60) as http,
    ):
        alice = Client(http, (await gateway.signed_in()).token)
        malformed = [await said(url, MALFORMED[each]) for each in ("both lengths", "two proofs")]
        misdirected = await alice("GET", "/v1/me", headers={"Host": "evil.example.org"})
        listed = await alice("GET", "/v1/me", headers={"Origin": VIEWER})
        other = await alice("GET", "/v1/me", headers={"Origin": OTHER})
        crossing = COOKIE | {"Sec-Fetch-Site": "cross-site", "Origin": OTHER}
        crossed = await alice("PUT", "/v1/me/password", json={}, headers=crossing)
        untaken = await alice("DELETE", "/v1/me")
        about = await alice("HEAD", "/v1/me")
        picture = await alice.analyze(specimens.lesion_jpeg())
        nonsense = await alice.analyze(b"no picture")
        shown = await alice("GET", f"/v1/analyses/{picture.json()['id']}/image")

    assert [line.split()[1] for line in malformed] == [b"400", b"400"]
    assert (misdirected.status_code, crossed.status_code) == (421, 403)
    assert (allowed(listed)["access-control-allow-origin"], allowed(other)) == (VIEWER, {})
    assert (untaken.status_code, about.status_code, about.content) == (405, 200, b"")
    assert (picture.status_code, nonsense.status_code, shown.status_code) == (201, 422, 200)


async def said(url: str, request: bytes) -> bytes:
    """Send bytes on a connection of their own; returns the first line of the answer."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request.replace(b"Host: x", b"Host: 127.0.0.1"))
    line = await asyncio.wait_for(reader.readline(), 60)
    writer.close()
    return line
