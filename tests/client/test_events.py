"""Events, as a program follows them."""

import asyncio
import itertools
import json
from collections.abc import Iterable, Iterator

import pytest
from websockets.sync.client import connect

from dermserve_client import Bearer, Client, Event, Missed, Password, ProblemError
from dermserve_client.events import OLDEST
from tests.client import proxy
from tests.client.conftest import ADMIN
from tests.gateway.processes import Running

pytestmark = pytest.mark.asyncio(loop_scope="package")


def _of_patients(told: Iterable[Event | Missed]) -> Iterator[Event]:
    """Leave out what else may happen: pictures of other tests come to their end."""
    for each in told:
        assert isinstance(each, Event), each
        if each.kind == "patient.created":
            yield each


async def test_what_happens_is_told_in_its_order_from_where_one_begins(gateway: Running) -> None:
    def work() -> None:
        with Client(gateway.url, Password(*ADMIN)) as client:
            following = client.events.follow()
            assert isinstance(next(following), Missed)  # the stream is open from here on
            made = [client.patients.create(f"told {number}").id for number in range(3)]
            told = list(itertools.islice(_of_patients(following), 3))
            assert [each.subject_id for each in told] == made
            assert list(_of_patients(client.events.since(told[0].id))) == told[1:]

    await asyncio.to_thread(work)


async def test_a_stream_that_breaks_off_goes_on_where_it_was(gateway: Running) -> None:
    def work(url: str) -> None:
        with Client(url, Password(*ADMIN)) as client:
            following = client.events.follow()
            assert isinstance(next(following), Missed)
            between.cuts = 2
            told = _of_patients(following)
            # One after the other: together they could all come before the first cut.
            for number in range(4):
                made = client.patients.create(f"cut {number}")
                assert next(told).subject_id == made.id
            assert between.cuts == 0

    async with proxy.before(gateway.port) as between:
        await asyncio.to_thread(work, between.url)


async def test_a_refused_stream_comes_again_after_the_seconds_that_were_asked_for(
    gateway: Running,
) -> None:
    def work(url: str) -> None:
        with Client(url, Password(*ADMIN)) as client:
            client.me()
            between.refuses = 1
            assert isinstance(next(client.events.follow()), Missed)

    async with proxy.before(gateway.port) as between:
        await asyncio.to_thread(work, between.url)
    refused, told = between.times[-2:]
    assert told - refused >= 1


async def test_who_would_have_to_wait_longer_than_the_patience_is_told_at_once(
    gateway: Running,
) -> None:
    def work(url: str) -> None:
        with Client(url) as client, pytest.raises(ProblemError) as refused:
            next(client.events.follow(patience_s=0.7))
        assert refused.value.status == 503

    async with proxy.before(gateway.port) as between:
        between.refuses = 1
        await asyncio.to_thread(work, between.url)


async def test_what_is_not_kept_any_more_is_missed(gateway: Running) -> None:
    def work() -> None:
        with Client(gateway.url, Password(*ADMIN)) as client:
            client.patients.create("missed")
            assert isinstance(next(client.events.since("f" * 32)), Missed)
            assert isinstance(next(client.events.since(OLDEST)), Event)

    await asyncio.to_thread(work)


async def test_who_may_not_read_is_told_so_at_once(gateway: Running) -> None:
    def work() -> None:
        with Client(gateway.url, Bearer("nobody's")) as stranger:
            with pytest.raises(ProblemError) as refused:
                next(stranger.events.follow())
            assert refused.value.status == 401

    await asyncio.to_thread(work)


async def test_a_ticket_is_what_opens_a_websocket(gateway: Running) -> None:
    def work() -> None:
        with Client(gateway.url, Password(*ADMIN)) as client:
            ticket = client.events.ticket()
            assert ticket.expires_in > 0
            address = f"ws://127.0.0.1:{gateway.port}/v1/events?ticket={ticket.ticket}"
            with connect(address, open_timeout=60) as socket:
                patient = client.patients.create("told over a socket")
                assert json.loads(socket.recv(timeout=60))["subject_id"] == patient.id

    await asyncio.to_thread(work)
