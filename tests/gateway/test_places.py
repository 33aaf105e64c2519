"""Nobody takes the places of all: whatever one user holds, others find room."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx

from services.gateway import errors
from services.gateway.places import Places
from tests import specimens
from tests.gateway.conftest import Client, Start
from tests.gateway.test_batches import sent
from tests.gateway.test_jobs import LATER, submitted
from tests.gateway.watching import PATIENCE_S, on_a_socket, watching

SHARE_TAKEN = "/docs/problems#share-taken"
BEGINNING = (
    "POST {path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {token}\r\n"
    "Content-Type: {kind}\r\nContent-Length: 100000\r\n\r\nxx"
)


@contextlib.asynccontextmanager
async def slow_uploads(
    url: str, client: Client, path: str, kind: str, *, count: int, refused: int
) -> AsyncIterator[list[str]]:
    """Begin uploads that do not go on; yields the answers to those that are refused."""
    address = httpx.URL(url)
    beginning = BEGINNING.format(path=path, token=client.token, kind=kind)
    async with contextlib.AsyncExitStack() as stack:
        answers: asyncio.Queue[bytes] = asyncio.Queue()
        for _ in range(count):
            reader, writer = await asyncio.open_connection(address.host, address.port)
            stack.callback(writer.close)
            writer.write(beginning.encode())
            reading = asyncio.create_task(reader.read(4000))
            reading.add_done_callback(lambda task: answers.put_nowait(task.result()))
        async with asyncio.timeout(PATIENCE_S):
            told = [(await answers.get()).decode() for _ in range(refused)]
        yield told


async def test_slow_uploads_of_one_user_leave_places_to_others(start: Start) -> None:
    waits = {"max_pictures": 4, "upload_timeout_s": 600}
    async with start(**waits) as gateway, on_a_socket(gateway) as url:
        alice, bob = await gateway.signed_in(), await gateway.signed_in("bob")
        pictures = slow_uploads(url, alice, "/v1/analyses", "image/jpeg", count=4, refused=2)
        batches = slow_uploads(url, alice, "/v1/batches", "application/zip", count=8, refused=4)

        async with pictures as refused, batches as refused_too:
            for answer in refused + refused_too:
                assert answer.startswith("HTTP/1.1 429")
                assert "\r\nretry-after: " in answer.lower()
                assert SHARE_TAKEN in answer
            assert (await bob.analyze()).status_code == 201
            assert (await sent(bob, specimens.lesion_jpeg())).status_code == 202


async def test_pictures_of_one_user_that_wait_leave_room_in_the_line(
    start: Start, database_url: str
) -> None:
    line = {"max_queued_pictures": 4, "max_batch_pictures": 2, "job_workers": 0}
    async with start(**line, database_url=database_url) as gateway:
        alice, bob = await gateway.signed_in(), await gateway.signed_in("bob")
        for _ in range(2):
            await submitted(alice)

        picture = specimens.lesion_jpeg()
        one = await alice("POST", "/v1/analyses", files={"image": picture}, headers=LATER)
        batch = await sent(alice, picture)

        for refused in (one, batch):
            assert (refused.status_code, refused.json()["type"]) == (429, SHARE_TAKEN)
            assert int(refused.headers["Retry-After"]) >= 1
        assert await submitted(bob)


async def test_a_batch_takes_no_more_of_the_line_than_as_many_single_pictures(
    start: Start, database_url: str
) -> None:
    line = {"max_queued_pictures": 6, "max_batch_pictures": 3, "job_workers": 0}
    async with start(**line, database_url=database_url) as gateway:
        alice, bob = await gateway.signed_in(), await gateway.signed_in("bob")
        picture = specimens.lesion_jpeg()
        await submitted(alice)

        refused = await sent(alice, *[picture] * 3)
        taken = await sent(alice, *[picture] * 2)

        assert (refused.status_code, refused.json()["type"]) == (429, SHARE_TAKEN)
        assert taken.status_code == 202
        assert (await sent(bob, *[picture] * 2)).status_code == 202


async def test_streams_of_one_user_leave_room_for_others(start: Start) -> None:
    async with start(max_streams=4) as gateway, on_a_socket(gateway) as url:
        alice, bob = await gateway.signed_in(), await gateway.signed_in("bob")
        async with watching(url, alice), watching(url, alice), watching(url, alice) as third:
            assert third.answer.status_code == 429
            async with watching(url, bob) as watch:
                assert watch.answer.status_code == 200


def test_whoever_comes_next_finds_a_place_until_all_are_taken() -> None:
    places = Places(64, "full")
    with contextlib.ExitStack() as stack:
        assert [held(places, f"user {number}", stack) for number in range(8)] == [
            *(32, 16, 8, 4, 2, 1, 1),
            0,
        ]
    with places.taken("user 7"):
        pass


def held(places: Places, who: str, stack: contextlib.ExitStack) -> int:
    """Take places until one is refused."""
    for count in range(1000):
        try:
            stack.enter_context(places.taken(who))
        except (errors.ShareTakenError, errors.UnavailableError):
            return count
    raise AssertionError("no bound")
