"""The client against a gateway whose records are in PostgreSQL."""

import asyncio
from pathlib import Path

from dermserve_client import Client, Password
from tests import specimens
from tests.client.conftest import ADMIN, gateway_in
from tests.client.test_client import analyze_and_look
from tests.gateway import databases
from tests.watched import Search


async def test_analyses_batches_and_events_are_the_same_with_postgresql(tmp_path: Path) -> None:
    picture = tmp_path / "lesion.jpg"
    picture.write_bytes(specimens.lesion_jpeg((64, 48)))

    def work(url: str) -> None:
        with Client(url, Password(*ADMIN)) as client:
            analyze_and_look(client, picture)
            sent = client.batches.create({"a.jpg": picture, "b.jpg": picture})
            *_, finished = client.batches.watch(sent.id)
            assert (finished.pictures, finished.succeeded) == (2, 2)
            assert client.statistics().whole.analyses == 3

    with databases.folder() as folder, databases.postgres(folder) as server:
        databases.unburden(server)
        async with gateway_in(tmp_path / "data", DERMSERVE_GATEWAY_DATABASE_URL=server) as gateway:
            await asyncio.to_thread(work, gateway.url)
        # What services write is searched for people who are in PostgreSQL, too.
        search = Search()
        search.know(tmp_path / "data", {"DERMSERVE_GATEWAY_DATABASE_URL": server})
        assert "Example" in search.secrets
