"""A gateway in front of two replicas of inference, of which one is lost and one leaves."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from tests import specimens, stack, tiny_models
from tests.gateway.processes import running
from tests.inference.processes import replica
from tests.watched import Search

AT_A_TIME = 8
PICTURE = specimens.lesion_jpeg((300, 200))
ACCOUNT = {"username": "alice", "password": "restart, and go on"}


async def signed_in(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/auth/register", json=ACCOUNT)
    client.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['access_token']}"


@asynccontextmanager
async def load(client: httpx.AsyncClient) -> AsyncIterator[list[httpx.Response]]:
    """Upload pictures, some at a time, until the block ends; then have all the answers."""
    answers: list[httpx.Response] = []
    over = asyncio.Event()

    async def upload() -> None:
        while not over.is_set():
            answers.append(await client.post("/v1/analyses", files={"image": PICTURE}))

    async with asyncio.TaskGroup() as uploading:
        for _ in range(AT_A_TIME):
            uploading.create_task(upload())
        yield answers
        over.set()


async def test_no_upload_fails_when_a_replica_is_killed_and_when_one_is_told_to_stop(
    tmp_path: Path,
) -> None:
    model_dir = tiny_models.write_models(tmp_path / "models")
    tiny_models.publish(tiny_models.slow_segmenter(), model_dir / "segmenter" / "1")
    quick = {"DERMSERVE_INFERENCE_LAME_DUCK_S": "1", "DERMSERVE_INFERENCE_RUNNERS": "1"}
    search = Search()
    with (
        search.to_the_end(),
        replica(model_dir, **quick) as one,
        replica(model_dir, **quick) as other,
    ):
        behind = {"DERMSERVE_GATEWAY_INFERENCE_ADDRESS": f"ipv4:{one.address},{other.address}"}
        async with (
            running(tmp_path / "gateway", **(stack.UNHURRIED | behind)) as gateway,
            httpx.AsyncClient(base_url=gateway.url, timeout=240, trust_env=False) as client,
        ):
            await signed_in(client)
            while not (await client.get("/readyz")).is_success:  # noqa: ASYNC110 - other processes
                await asyncio.sleep(0.1)
            async with load(client) as answers:
                await one.until_it_answers()
                await other.until_it_answers()
                one.start_again()  # which kills it in the middle of its work
                await one.until_it_answers()
                other.process.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(other.process.wait, 120) == 0
            search.plant(ACCOUNT["password"], client.headers["Authorization"])
            search.know(tmp_path / "gateway", behind)
        search.written.extend(gateway.written)
    assert [answer.text for answer in answers if answer.status_code != 201] == []
    assert len(answers) > 30
