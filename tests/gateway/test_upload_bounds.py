"""Bodies without end, slow ones and too many at once: how much of a picture is taken."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.test_uploads import JPEG, MIB, alice

__all__ = ["alice"]


class Endless:
    """A body without a length, larger than anything that is allowed."""

    def __init__(self, head: bytes = b"") -> None:
        self.head = head
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.head
        while self.sent < 64 * MIB:
            self.sent += MIB
            yield bytes(MIB)


@pytest.mark.parametrize(
    ("kind", "head"),
    [
        ("image/jpeg", b""),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n',
        ),
        ("multipart/form-data; boundary=x", b"--x\r\n"),
    ],
)
async def test_a_body_is_refused_as_soon_as_it_is_too_large(
    alice: Client, kind: str, head: bytes
) -> None:
    body = Endless(head)

    answer = await alice(
        "POST",
        "/v1/analyses",
        content=body,
        headers={"Content-Type": kind, "Content-Length": "1000"},
    )

    assert answer.status_code in {413, 422}
    assert body.sent <= 17 * MIB
    if answer.status_code == 413:
        assert "Send at most 16,777,216." in answer.json()["detail"]


async def test_a_long_text_is_refused_before_it_fills_the_memory(alice: Client) -> None:
    answer = await alice.analyze(note="x" * 100_000)

    assert answer.status_code == 422
    assert "form" in answer.json()["detail"]


async def test_a_body_that_comes_too_slowly_is_given_up(start: Start) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield JPEG[:100]
        await asyncio.Event().wait()

    async with start() as gateway:
        alice = await gateway.signed_in()
    async with start(upload_timeout_s=0.05) as gateway:
        alice.http = gateway.http
        answer = await alice(
            "POST", "/v1/analyses", content=slow(), headers={"Content-Type": "image/jpeg"}
        )

    assert answer.status_code == 408


async def test_more_pictures_than_there_is_room_for_are_refused_at_the_door(start: Start) -> None:
    async with start(max_pictures=1) as gateway:
        alice = await gateway.signed_in()
        gateway.inference.may_answer.clear()
        first = asyncio.create_task(alice.analyze())
        await gateway.inference.arrived()

        second = await alice.analyze()

        assert second.status_code == 503
        assert int(second.headers["Retry-After"]) >= 1
        gateway.inference.may_answer.set()
        assert (await first).status_code == 201
        assert (await alice.analyze()).status_code == 201


async def test_strangers_are_turned_away_before_their_picture_is_read(gateway: Gateway) -> None:
    body = Endless()

    answer = await gateway.anonymous(
        "POST", "/v1/analyses", content=body, headers={"Content-Type": "image/jpeg"}
    )

    assert answer.status_code == 401
    assert body.sent == 0
