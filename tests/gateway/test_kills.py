"""A process is killed in the midst of its work: each picture that was taken in gets one result."""

import asyncio
import os
import random
import re
import signal
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from tests import specimens, tiny_models
from tests.gateway import databases
from tests.gateway.conftest import Start
from tests.gateway.counterparts import ScriptedInference, serving
from tests.gateway.processes import running
from tests.gateway.test_workers import workers
from tests.inference.processes import replica

ACCOUNT = {"username": "alice", "password": "restart, and go on"}
PICTURES = [specimens.lesion_jpeg((60 + each, 60)) for each in range(12)]
MANY = [specimens.lesion_jpeg((400 + each, 300)) for each in range(30)]


async def signed_up(client: httpx.AsyncClient) -> None:
    """Sign somebody up, who goes on with this client."""
    account = await client.post("/v1/auth/register", json=ACCOUNT)
    client.headers["Authorization"] = f"Bearer {account.json()['access_token']}"


async def sent(client: httpx.AsyncClient, pictures: list[bytes]) -> str:
    """Send a batch; returns where it is."""
    files = [("images", (f"{n}.jpg", each)) for n, each in enumerate(pictures)]
    answer = await client.post("/v1/batches", files=files, timeout=60)
    assert answer.status_code == 202, answer.text
    return answer.headers["Location"]


async def succeeded(client: httpx.AsyncClient, path: str, least: int) -> None:
    """Wait until a batch has so many answers."""
    async with asyncio.timeout(60):
        while (await client.get(path)).json()["succeeded"] < least:  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.05)


async def see_that_each_has_one_result(client: httpx.AsyncClient, path: str, count: int) -> None:
    """Wait for the end of a batch, and count its answers and what was told of them."""
    await succeeded(client, path, count)
    batch = (await client.get(path)).json()
    made = (await client.get("/v1/analyses", params={"limit": 100})).json()["items"]
    begin = {"Last-Event-ID": "0"}
    told = (await client.get("/v1/events", headers=begin, params={"follow": "false"})).text

    assert (batch["pictures"], batch["finished"]) == (count, True)
    assert {each["file_name"] for each in made} == {f"{number}.jpg" for number in range(count)}
    assert len(made) == count
    kinds = re.findall("^event: (.+)$", told, re.MULTILINE)
    assert Counter(kinds) == {"analysis.succeeded": count, "batch.finished": 1}
    subjects = set(re.findall('"subject_id":"([0-9a-f]+)"', told))
    assert subjects == {each["id"] for each in made} | {batch["id"]}


def at(url: str, **headers: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, trust_env=False, headers=headers)


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_gateway_is_killed_and_started_again(
    tmp_path: Path, database_url: str, seed: int
) -> None:
    moments = random.Random(seed)  # noqa: S311 - no secret
    inference = ScriptedInference()
    async with serving(inference) as address:
        variables = working(database_url, address)
        async with running(tmp_path, **variables) as first, at(first.url) as client:
            await signed_up(client)
            path = await sent(client, PICTURES)
            await inference.arrived(moments.randrange(1, len(PICTURES)))
            first.process.kill()
            token = client.headers["Authorization"]
        async with (
            running(tmp_path, **variables) as second,
            at(second.url, Authorization=token) as client,
        ):
            await see_that_each_has_one_result(client, path, len(PICTURES))


def working(database_url: str, inference: str) -> dict[str, str]:
    return {
        "DERMSERVE_GATEWAY_DATABASE_URL": database_url,
        "DERMSERVE_GATEWAY_INFERENCE_ADDRESS": inference,
        "DERMSERVE_GATEWAY_JOB_LEASE_S": "1",
        "DERMSERVE_GATEWAY_JOB_WORKERS": "3",
    }


async def test_of_two_gateways_of_a_database_one_is_killed_with_pictures_in_hand(
    tmp_path: Path, postgres: str
) -> None:
    inference = ScriptedInference()
    inference.may_answer.clear()
    async with AsyncExitStack() as stack:
        database_url = await stack.enter_async_context(databases.fresh(postgres))
        variables = working(database_url, await stack.enter_async_context(serving(inference)))
        one = await stack.enter_async_context(running(tmp_path, **variables))
        two = await stack.enter_async_context(running(tmp_path, **variables))
        client = await stack.enter_async_context(at(two.url))
        await signed_up(client)
        path = await sent(client, PICTURES)
        # Both hold as many as they may.
        await inference.arrived(6)

        one.process.kill()
        inference.may_answer.set()

        await see_that_each_has_one_result(client, path, len(PICTURES))
        assert len(inference.requests) == len(PICTURES) + 3


async def test_of_two_workers_one_is_killed_with_pictures_in_hand(
    tmp_path: Path, postgres: str
) -> None:
    inference = ScriptedInference()
    inference.may_answer.clear()
    async with AsyncExitStack() as stack:
        database_url = await stack.enter_async_context(databases.fresh(postgres))
        variables = working(database_url, await stack.enter_async_context(serving(inference)))
        variables["DERMSERVE_GATEWAY_WORKERS"] = "2"
        served = await stack.enter_async_context(running(tmp_path, **variables))
        client = await stack.enter_async_context(at(served.url))
        await signed_up(client)
        path = await sent(client, PICTURES)
        await inference.arrived(6)

        os.kill(min(workers(served)), signal.SIGKILL)
        inference.may_answer.set()

        async with at(served.url, Authorization=client.headers["Authorization"]) as other:
            await see_that_each_has_one_result(other, path, len(PICTURES))
        assert len(inference.requests) == len(PICTURES) + 3


async def test_inference_is_killed_whenever_it_has_begun_and_started_again(
    tmp_path: Path, start: Start
) -> None:
    models = tiny_models.write_models(tmp_path / "models")
    moments = random.Random(1)  # noqa: S311 - no secret
    variables = {"EXECUTION_PROVIDER": "cpu", "PRECISION": "fp32", "RUNNERS": "1"}
    with replica(
        models, **{f"DERMSERVE_INFERENCE_{name}": value for name, value in variables.items()}
    ) as inference:
        # Nobody is there yet when the pictures come.
        inference.end()
        async with start(inference_address=inference.address, job_workers=3) as gateway:
            await signed_up(gateway.http)
            path, done = await sent(gateway.http, MANY), 0
            for _ in range(2):
                inference.start_again()
                await succeeded(gateway.http, path, done + moments.randrange(1, 6))
                inference.end()
                batch = (await gateway.http.get(path)).json()
                assert not batch["finished"]
                done = batch["succeeded"]

            inference.start_again()
            await see_that_each_has_one_result(gateway.http, path, len(MANY))
