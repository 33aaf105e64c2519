"""Receivers that hang, redirect, babble, are slow or are somebody else."""

import asyncio
import itertools
import socket
import ssl
from datetime import timedelta
from typing import Any

import pytest
import trustme

from services.gateway.webhooks import dispatcher, schedule, sending
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.hooks import hooked, seen, sent, settled, went
from tests.gateway.receivers import Receiver, answer, receiving
from tests.gateway.timers import Timers


async def garbage(writer: Any) -> None:
    writer.write(b"\x00 this is not HTTP\r\n\r\n")


async def endless(writer: Any) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-Filler: " + b"x" * 4096 + b"\r\n")
        await writer.drain()


async def leave(writer: Any) -> None:
    writer.transport.abort()


@pytest.fixture(autouse=True)
def once_for_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not taken is not tried again before the test has looked at it."""
    monkeypatch.setattr(schedule, "DELAYS", (timedelta(days=1),) * len(schedule.DELAYS))


async def tried(gateway: Gateway, admin: Client, path: str) -> dict[str, Any]:
    """How a message went that is not taken, after its first attempt."""
    async with asyncio.timeout(60):
        while (delivery := await seen(admin, path))["error"] is None:
            await settled(gateway)
    return delivery


DONE: dict[str, tuple[Any, int | None, str]] = {
    "bad request": (answer(400), 400, "status"),
    "garbage": (garbage, None, "protocol"),
    "endless": (endless, None, "protocol"),
    "leaves": (leave, None, "protocol"),
}


async def test_whatever_a_receiver_does_ends_the_attempt_and_is_told(
    start: Start, database_url: str
) -> None:
    async with start(database_url=database_url, webhook_timeout_s=60) as gateway:
        admin = await gateway.admin()
        for what, (said, status, error) in DONE.items():
            async with receiving(said) as receiver:
                delivery = await went(gateway, admin, receiver)

            assert (delivery["status_code"], delivery["error"]) == (status, error), what
            assert (delivery["state"], delivery["attempts"]) == ("waiting", 1), what
            assert len(receiver.received) == 1, what


async def test_where_a_receiver_sends_a_message_nobody_goes(either: Gateway) -> None:
    async with receiving() as inside:
        async with receiving(answer(307, f"Location: {inside.url}")) as receiver:
            delivery = await went(either, await either.admin(), receiver)

        assert (delivery["status_code"], delivery["error"]) == (307, "status")
        assert (delivery["state"], delivery["attempts"]) == ("waiting", 1)
        assert inside.conversations == []


async def test_hints_without_end_make_an_attempt_no_longer(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = Timers(monkeypatch, sending)

    async def forever_soon(writer: Any) -> None:
        for said in itertools.count():
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0)
            if said == 100:
                attempts.end()

    async with start(webhook_timeout_s=7) as gateway, receiving(forever_soon) as receiver:
        delivery = await went(gateway, await gateway.admin(), receiver)

    assert (delivery["status_code"], delivery["error"]) == (None, "timeout")
    assert (delivery["state"], delivery["attempts"]) == ("waiting", 1)
    assert len(receiver.received) == 1
    assert attempts.asked == [7]


async def test_an_answer_is_not_waited_for_longer_than_set(start: Start) -> None:
    async with start(webhook_timeout_s=0.2) as gateway, receiving() as receiver:
        admin = await gateway.admin()
        receiver.may_answer.clear()
        (path,) = await sent(admin, await hooked(admin, receiver))
        delivery = await tried(gateway, admin, path)

    assert delivery["error"] == "timeout"


async def test_a_body_without_end_is_not_read(gateway: Gateway) -> None:
    async def chatter(writer: Any) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
            await writer.drain()

    async with receiving(chatter) as receiver:
        delivery = await went(gateway, await gateway.admin(), receiver)

    assert (delivery["state"], delivery["status_code"]) == ("delivered", 200)


async def test_nobody_listens_is_a_failure_of_the_connection(gateway: Gateway) -> None:
    admin = await gateway.admin()
    with socket.socket() as nobody:
        # Taken, so that nobody else listens there meanwhile.
        nobody.bind(("127.0.0.1", 0))
        (path,) = await sent(admin, await hooked(admin, Receiver(port=nobody.getsockname()[1])))
        delivery = await tried(gateway, admin, path)

    assert (delivery["error"], delivery["state"]) == ("connection", "waiting")


async def test_a_slow_receiver_does_not_keep_others_waiting(
    start: Start, database_url: str
) -> None:
    async with (
        start(database_url=database_url, webhook_timeout_s=60) as gateway,
        receiving() as slow,
        receiving() as quick,
    ):
        admin = await gateway.admin()
        slow.may_answer.clear()
        stuck, well = await hooked(admin, slow), await hooked(admin, quick)
        await sent(admin, stuck, dispatcher.AT_ONCE_EACH + 3)
        await slow.arrived(dispatcher.AT_ONCE_EACH)

        paths = await sent(admin, well, 5)
        await quick.arrived(5)

        assert slow.most == len(slow.received) == dispatcher.AT_ONCE_EACH
        slow.may_answer.set()
        await slow.arrived(dispatcher.AT_ONCE_EACH + 3)
        await settled(gateway)
        assert quick.most <= dispatcher.AT_ONCE_EACH
        assert {(await seen(admin, path))["state"] for path in paths} == {"delivered"}


async def test_certificates_are_checked_against_the_name_of_the_receiver(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    tls: dict[str, ssl.SSLContext] = {}
    for name in ("127.0.0.1", "other.example"):
        tls[name] = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(name).configure_cert(tls[name])
    with authority.cert_pem.tempfile() as believed:
        async with start() as stranger:
            admin = await stranger.admin()
            async with receiving(tls=tls["127.0.0.1"]) as receiver:
                (path,) = await sent(admin, await hooked(admin, receiver))
                unknown = await tried(stranger, admin, path)
        monkeypatch.setenv("SSL_CERT_FILE", believed)
        async with start() as gateway:
            admin = await gateway.admin()
            async with receiving(tls=tls["127.0.0.1"]) as receiver:
                good = await went(gateway, admin, receiver)
            async with receiving(tls=tls["other.example"]) as receiver:
                (path,) = await sent(admin, await hooked(admin, receiver))
                wrong = await tried(gateway, admin, path)

    assert (unknown["error"], good["state"], wrong["error"]) == ("tls", "delivered", "tls")


async def test_where_a_webhook_may_go_is_looked_at_again_at_every_attempt(
    start: Start, database_url: str
) -> None:
    async with receiving() as receiver:
        async with start(database_url=database_url) as lenient:
            hook = await hooked(await lenient.admin(), receiver)
        async with start(database_url=database_url, webhook_networks="") as strict:
            admin = await strict.admin()
            (path,) = await sent(admin, hook)
            delivery = await tried(strict, admin, path)

    assert delivery["error"] == "forbidden"
    assert receiver.received == []
