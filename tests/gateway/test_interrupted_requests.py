"""Requests with an Idempotency-Key whose process or caller ends in the midst."""

import asyncio
from collections.abc import Awaitable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from services.gateway import database, errors, once
from services.gateway import records as tables
from services.gateway.records import KeyedRequest, Patient
from tests.gateway.conftest import Client, Gateway
from tests.gateway.counterparts import ScriptedInference, serving
from tests.gateway.installation import ADMIN_PASSWORD
from tests.gateway.processes import running
from tests.gateway.test_once import KEY, analysis, later, patient
from tests.gateway.test_patients import listed


class Stopping(database.Within):
    """A database that stops once, before a step or when it is committed and nobody knows."""

    def __init__(self, records: database.Database, step: str, when: str) -> None:
        super().__init__(records, database.EVERYTHING)
        self._step: str | None = step
        self._when = when
        self.stopped = asyncio.Event()

    async def write(self, work: Any, scope: database.AnyScope | None = None) -> Any:
        stops = getattr(getattr(work, "func", None), "__name__", None) == self._step
        if stops and self._when == "before":
            await self._stop()
        done = await super().write(work, scope)
        if stops:
            await self._stop()
        return done

    async def _stop(self) -> None:
        self._step = None
        self.stopped.set()
        await asyncio.Event().wait()


async def test_what_was_made_by_a_process_that_ended_before_it_said_so_is_not_made_again(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await either.signed_in()

    def ended(*_: object, **__: object) -> None:
        raise RuntimeError("as if the process ended here")

    with monkeypatch.context() as patched:
        patched.setattr(once, "_change", ended)
        lost = await patient(alice)
    in_work = await patient(alice)
    later(monkeypatch, seconds=either.settings.analysis_timeout_s + 31)
    found = await patient(alice)

    assert (lost.status_code, in_work.status_code, found.status_code) == (500, 409, 201)
    assert await listed(alice, "/v1/patients") == [found.json()["id"]]


async def test_who_is_slower_than_whoever_took_the_request_over_finds_what_that_one_made(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await either.signed_in()
    either.inference.may_answer.clear()
    slow = asyncio.create_task(analysis(alice))
    await either.inference.arrived()
    later(monkeypatch, seconds=either.settings.analysis_timeout_s + 31)
    quick = asyncio.create_task(analysis(alice))
    await either.inference.arrived(2)
    either.inference.may_answer.set()

    answers = await asyncio.gather(slow, quick)

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    path = answers[0].headers["Location"]
    assert await listed(alice, "/v1/analyses") == [path.rpartition("/")[2]]
    assert (await alice("GET", f"{path}/image")).status_code == 200


async def test_a_gateway_that_is_killed_leaves_no_key_stuck_and_nothing_twice(
    tmp_path: Path, database_url: str
) -> None:
    async def admin(http: httpx.AsyncClient) -> Client:
        form = {"username": "admin", "password": ADMIN_PASSWORD}
        answer = await http.post("/v1/auth/token", data=form)
        return Client(http, answer.json()["access_token"])

    inference = ScriptedInference()
    inference.may_answer.clear()
    async with serving(inference) as address:
        variables = {
            "DERMSERVE_GATEWAY_INFERENCE_ADDRESS": address,
            "DERMSERVE_GATEWAY_DATABASE_URL": database_url,
            "DERMSERVE_GATEWAY_ADMIN_PASSWORD": ADMIN_PASSWORD,
            # So that what the first one began is still held when the second has booted.
            "DERMSERVE_GATEWAY_ANALYSIS_TIMEOUT_S": "600",
        }
        async with (
            running(tmp_path, **variables) as first,
            httpx.AsyncClient(base_url=first.url, timeout=60) as http,
        ):
            lost = asyncio.create_task(analysis(await admin(http)))
            await inference.arrived()
            first.process.kill()
            with pytest.raises(httpx.TransportError):
                await lost
        inference.may_answer.set()
        async with (
            running(tmp_path, **variables) as second,
            httpx.AsyncClient(base_url=second.url, timeout=60) as http,
            database.opened(database_url, 10) as records,
        ):
            client = await admin(http)
            too_early = await analysis(client)
            lapsed = update(KeyedRequest).values(held_until=tables.now())
            await records.write(partial(Session.execute, statement=lapsed))
            answers = [await analysis(client) for _ in range(2)]

            assert too_early.status_code == 409
            assert [answer.status_code for answer in answers] == [201, 201]
            assert await listed(client, "/v1/analyses") == [answers[0].json()["id"]]


@pytest.mark.parametrize(
    ("step", "when"), [("_begin", "before"), ("_begin", "after"), ("_change", "before")]
)
async def test_who_leaves_at_whatever_moment_leaves_the_key_free(
    either: Gateway, step: str, when: str
) -> None:
    alice = await either.signed_in()
    records = Stopping(either.parts.once._database, step, when)
    either.parts.once._database = records
    leaving = asyncio.create_task(patient(alice))
    await asyncio.wait_for(records.stopped.wait(), 60)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving

    again = await patient(alice)

    assert again.status_code == 201
    assert await listed(alice, "/v1/patients") == [again.json()["id"]]


async def test_what_was_removed_before_anybody_said_that_it_was_made_is_not_made_again(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await either.signed_in()
    ann = (await patient(alice, {})).json()["id"]

    async def lesion() -> httpx.Response:
        return await alice("POST", "/v1/lesions", json={"patient": ann}, headers=KEY)

    def ended(*_: object, **__: object) -> None:
        raise RuntimeError("as if the process ended here")

    def again() -> list[Awaitable[httpx.Response]]:
        return [patient(alice, identifier="4712"), lesion(), analysis(alice)]

    with monkeypatch.context() as patched:
        patched.setattr(once, "_change", ended)
        lost = [(await each).status_code for each in again()]
    for path in ("/v1/analyses", "/v1/lesions", "/v1/patients"):
        for made in await listed(alice, path):
            await alice("DELETE", f"{path}/{made}", headers={"If-Match": "*"})
    later(monkeypatch, seconds=either.settings.analysis_timeout_s + 31)
    retried = [(await each).status_code for _ in range(2) for each in again()]

    assert (lost, retried) == ([500] * 3, [409] * 6)
    assert len(either.inference.requests) == 1


async def test_who_is_slower_than_a_removal_of_the_same_is_told_so(either: Gateway) -> None:
    """Somebody took the request over, made it and saw it removed, all before this one came."""
    alice = await either.signed_in()
    scope = await either.parts.access.identify(alice.token)
    create, remove = either.parts.patients.create, either.parts.patients.remove

    async def work(made: str) -> Patient:
        await create(scope.scope, made, {"identifier": "4711"})
        await remove(scope.scope, made, None)
        return await create(scope.scope, made, {"identifier": "4711"})

    for _ in range(2):
        with pytest.raises(errors.ConflictError, match="removed since"):
            await either.parts.once.make(
                scope.user.id,
                once.Keyed("/v1/patients", "a key", (b"",)),
                Patient,
                work,
                partial(either.parts.patients.get, scope.scope),
            )
