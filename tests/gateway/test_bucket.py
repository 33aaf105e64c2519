"""Pictures in an S3 bucket: what a server that is down, slow or strange does to them."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from services.gateway import errors
from services.gateway.boot import BootError
from services.gateway.records import DEFAULT_ORGANISATION
from services.gateway.store import Address, Bucket, digest
from tests.gateway import buckets
from tests.gateway.clocks import quickest
from tests.gateway.conftest import Gateway, Start
from tests.gateway.test_store import OURS, keep, s3

__all__ = ["s3"]

ONE = digest(b"one")


def settings_of(address: Address) -> dict[str, Any]:
    """The gateway's settings for a bucket."""
    return {
        "s3_bucket": address.bucket,
        "s3_prefix": "/dermserve/",
        "s3_endpoint": address.endpoint,
        "s3_allow_http": True,
        "s3_access_key_id": address.access_key_id,
        "s3_secret_access_key": address.secret_access_key,
        "s3_timeout_s": 20,
    }


@pytest.fixture
def bucket(s3: buckets.Server) -> Address:
    return s3.bucket(f"b{uuid.uuid4().hex}")


@contextlib.asynccontextmanager
async def answering(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any],
) -> AsyncIterator[str]:
    """A server that does what a test wants with each connection."""
    answers: list[asyncio.Task[None]] = []

    async def each(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers.extend(filter(None, [asyncio.current_task()]))
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await answer(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(each, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"
        server.close()
        await asyncio.wait_for(asyncio.gather(*answers), 60)


async def test_a_gateway_keeps_pictures_in_a_bucket_and_nowhere_else(
    start: Start, s3: buckets.Server, bucket: Address
) -> None:
    async with start(**settings_of(bucket)) as gateway:
        alice = await gateway.signed_in()
        where = (await alice.analyze()).headers["Location"]

        names = s3.names(bucket.bucket)
        assert len(names) == 3
        assert {name.rpartition("/")[0] for name in names} == {f"dermserve/{DEFAULT_ORGANISATION}"}
        assert gateway.kept_files() == []
        for name in ("image", "mask.png", "overlay.png", "explanation.png", "report.pdf"):
            assert (await alice("GET", f"{where}/{name}")).status_code == 200
        assert (await gateway.http.get("/readyz")).json()["status"] == "ready"


async def test_gateways_that_share_a_bucket_show_each_others_pictures_and_lose_none(
    start: Start, bucket: Address, s3: buckets.Server, postgres_url: str
) -> None:
    shared = settings_of(bucket) | {"database_url": postgres_url}
    async with start(**shared) as one, start(**shared) as other:
        alice = await one.signed_in()
        first = (await alice.analyze()).headers["Location"]
        beside = type(alice)(other.http, alice.token)
        assert (await beside("GET", f"{first}/image")).status_code == 200

        await alice("DELETE", first)
        purging, again = await asyncio.gather(purge(other), alice.analyze())

        assert again.status_code == 201, again.text
        assert purging == 1
        shown = await beside("GET", f"{again.headers['Location']}/image")
        assert shown.status_code == 200, shown.text
        await alice("DELETE", again.headers["Location"])
        await purge(one)
        assert s3.names(bucket.bucket) == []


async def purge(gateway: Gateway) -> int:
    """Purge what was removed, as if no picture were new."""
    return await gateway.purge_settled(settled_after_s=-1)


async def test_a_bucket_that_is_down_costs_a_bounded_wait_and_only_what_needs_it(
    start: Start,
) -> None:
    with buckets.serving() as server:
        settings = settings_of(server.bucket("soon-gone"))
        async with start(**settings) as gateway:
            alice = await gateway.signed_in()
            where = (await alice.analyze()).headers["Location"]
            server.stop()

            begun = time.monotonic()
            refused = await alice.analyze()
            unseen = await alice("GET", f"{where}/image")
            took = time.monotonic() - begun

            for answer in (refused, unseen):
                assert answer.status_code == 503, answer.text
                assert answer.json()["detail"].startswith("Pictures cannot be kept or shown now.")
                assert int(answer.headers["Retry-After"]) >= 1
                assert "soon-gone" not in answer.text
            assert took < 2 * settings["s3_timeout_s"]
            listed = (await alice("GET", "/v1/analyses")).json()["items"]
            assert [f"/v1/analyses/{each['id']}" for each in listed] == [where]
            assert (await alice("DELETE", where)).status_code == 204
            ready = await gateway.http.get("/readyz")
            assert (ready.status_code, ready.json()["checks"]["pictures"]) == (503, "unavailable")


async def test_a_server_that_never_answers_is_given_up_in_time() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del writer
        await reader.read()

    async with answering(silent) as url:
        address = Address(
            "x", endpoint=url, allow_http=True, access_key_id="a", secret_access_key="b"
        )
        store = Bucket(address, timeout_s=0.3)

        asked: list[Callable[[], Awaitable[object]]] = [
            lambda: keep(store, b"one"),
            lambda: store.get(OURS, ONE),
            lambda: store.remove(OURS, [ONE]),
        ]
        for each in asked:

            async def refused(ask: Callable[[], Awaitable[object]] = each) -> None:
                with pytest.raises(errors.UnavailableError):
                    await ask()

            assert await quickest(refused, 2) < 2
        assert await store.trouble() == "unavailable"


async def test_a_server_that_leaves_in_the_midst_of_an_object_shows_no_half_of_it() -> None:
    async def halfway(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nETag: x\r\n")
        writer.write(b"Last-Modified: Sun, 01 Mar 2026 08:00:00 GMT\r\n\r\n" + bytes(500))
        await writer.drain()

    async with answering(halfway) as url:
        address = Address(
            "x", endpoint=url, allow_http=True, access_key_id="a", secret_access_key="b"
        )
        store = Bucket(address, timeout_s=60)

        with pytest.raises(errors.UnavailableError):
            await store.get(OURS, ONE)


async def asked_of(url_to_store: Callable[[str], Bucket]) -> bytes:
    """What a store sends to keep an object, up to the object."""
    heads: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with answering(refuse) as url:
        with pytest.raises(errors.UnavailableError):
            await keep(url_to_store(url), b"one")
    return heads[0]


async def test_a_key_of_the_settings_signs_and_else_one_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def named(url: str) -> Bucket:
        address = Address(
            "x", endpoint=url, allow_http=True, access_key_id="OURS", secret_access_key="y"
        )
        return Bucket(address, 60)

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "FROM-THE-ENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")

    assert b"Credential=OURS/" in await asked_of(named)
    environment = await asked_of(
        lambda url: Bucket(Address("x", endpoint=url, allow_http=True), 60)
    )
    assert b"Credential=FROM-THE-ENVIRONMENT/" in environment
    assert b"hush" not in environment
    assert environment.startswith(b"PUT /x/")


@pytest.mark.parametrize(("encryption", "key"), [("AES256", ""), ("aws:kms", "a-key-of-ours")])
async def test_encryption_is_asked_for_where_it_is_set(
    s3: buckets.Server, encryption: str, key: str
) -> None:
    name = f"b{uuid.uuid4().hex}"
    address = s3.bucket(name, encryption=encryption, encryption_key_id=key)

    await keep(Bucket(address, 60), b"one")

    said = s3.head(name, f"{OURS}/{ONE}")
    assert said["ServerSideEncryption"] == encryption
    assert key in said.get("SSEKMSKeyId", "")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"s3_allow_http": False}, "without TLS"),
        ({"s3_ca_file": "/nowhere/ca.pem"}, "/nowhere/ca.pem"),
    ],
)
async def test_a_bucket_that_cannot_be_used_is_told_at_boot(
    start: Start, bucket: Address, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(BootError, match=told):
        async with start(**(settings_of(bucket) | changes)):
            pass
