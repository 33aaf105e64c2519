"""Folders that are sent as several batches, to a gateway without much room."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from dermserve_client import Client, Password, ProblemError
from services.cli.batches import sent
from tests import specimens
from tests.client.conftest import ADMIN, gateway_in
from tests.gateway.processes import Running
from tests.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """One with room for two pictures of a user, which wait: inference is down."""
    settings = {
        "DERMSERVE_GATEWAY_MAX_QUEUED_PICTURES": "4",
        "DERMSERVE_GATEWAY_MAX_BATCH_PICTURES": "2",
        "DERMSERVE_GATEWAY_INFERENCE_ADDRESS": f"127.0.0.1:{free_port()}",
    }
    async with gateway_in(tmp_path_factory.mktemp("sending"), **settings) as served:
        yield served


@pytest.fixture
def parts(tmp_path: Path) -> list[dict[str, Path]]:
    """Three batches of two pictures, which no other test sends."""
    picture = tmp_path / "lesion.jpg"
    picture.write_bytes(specimens.lesion_jpeg((64, 48)))
    names = [f"{tmp_path.name}/{number}.jpg" for number in range(6)]
    return [dict.fromkeys(names[at : at + 2], picture) for at in (0, 2, 4)]


def _client(gateway: Running) -> Client:
    return Client(gateway.url, Password(*ADMIN), longest_wait_s=5)


async def test_what_finds_no_room_is_sent_when_what_was_sent_before_is_finished(
    gateway: Running, parts: list[dict[str, Path]]
) -> None:
    def work() -> None:
        with _client(gateway) as client:
            found = []
            for batch in sent(client, parts):
                found.append(batch)
                assert next(client.batches.list()) == batch
                client.batches.cancel(batch.id)
            assert [batch.pictures for batch in found] == [2, 2, 2]

    await asyncio.to_thread(work)


async def test_what_is_sent_again_goes_on_with_the_same_batches_unless_new_ones_are_wanted(
    gateway: Running, parts: list[dict[str, Path]]
) -> None:
    def work() -> None:
        with _client(gateway) as client:
            (first,) = sent(client, parts[:1])
            (again,) = sent(client, parts[:1])
            client.batches.cancel(first.id)
            (other,) = sent(client, parts[:1], anew=True)
            client.batches.cancel(other.id)
            assert again.id == first.id != other.id

    await asyncio.to_thread(work)


async def test_what_was_sent_is_waited_for_though_the_next_is_refused_for_good(
    gateway: Running, parts: list[dict[str, Path]]
) -> None:
    def work() -> None:
        with _client(gateway) as client:
            sending = sent(client, [parts[0], {}])
            client.batches.cancel(next(sending).id)
            with pytest.raises(ProblemError):
                next(sending)

    await asyncio.to_thread(work)
