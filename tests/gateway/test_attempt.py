"""What ends a picture in the line, what counts against it, and what is only waited for."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

import grpc
import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from services import rpc
from services.gateway.boot import open_records
from services.gateway.jobs import Backoff, Queue, attempt
from services.gateway.records import Analysis, Job, now
from tests.gateway.conftest import Gateway, Start
from tests.gateway.counterparts import assessed
from tests.gateway.test_batches import analyses, sent
from tests.gateway.test_batches import finished as batch_finished
from tests.gateway.test_jobs import finished, submitted
from tests.gateway.test_suspects import PICTURES, WIDTHS, width

FULL = grpc.StatusCode.RESOURCE_EXHAUSTED


class Picky:
    """Refuses pictures of some widths, for as long as it likes."""

    def __init__(self, *refused: int, pushback_ms: int) -> None:
        self._refused = refused
        self._trailers = ((rpc.PUSHBACK_TRAILER, str(pushback_ms)),)
        self.refusals = 0

    async def respond(self, request: Any, context: Any) -> Any:
        if width(request) in self._refused:
            self.refusals += 1
            await context.abort(FULL, "not this one", self._trailers)
        return assessed()


async def test_a_picture_that_is_always_refused_holds_up_no_other(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await either.signed_in()
    picky = Picky(WIDTHS[0], pushback_ms=600_000)
    monkeypatch.setattr(either.inference, "respond", picky.respond)

    path = (await sent(alice, *PICTURES)).headers["Location"]
    async with asyncio.timeout(60):
        while (batch := (await alice("GET", path)).json())["succeeded"] < 3:  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(0.03)

    assert (batch["queued"], picky.refusals) == (1, 1)


async def test_a_picture_that_is_always_refused_is_given_up_in_the_end(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await either.signed_in()
    monkeypatch.setattr(attempt, "MAX_DEFERRALS", 4)
    monkeypatch.setattr(attempt, "LONGEST_LOAD", timedelta())
    picky = Picky(WIDTHS[0], pushback_ms=1)
    monkeypatch.setattr(either.inference, "respond", picky.respond)

    path = (await sent(alice, *PICTURES)).headers["Location"]
    done = await batch_finished(alice, path)

    assert (done["succeeded"], done["failed"], picky.refusals) == (3, 1, 4)
    (failed,) = (await analyses(alice, path, status="failed")).values()
    assert (failed["file_name"], failed["problem"]["status"]) == ("0.jpg", 503)


async def test_how_often_a_picture_was_refused_is_known_to_the_next_gateway(
    start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start(database_url=database_url, job_workers=0) as idle:
        alice = await idle.signed_in()
        path = await submitted(alice)
        often = update(Job).values(deferrals=attempt.MAX_DEFERRALS - 1)
        long_since = update(Analysis).values(created_at=now() - attempt.LONGEST_LOAD)
        async with open_records(idle.settings) as records:
            for change in (often, long_since):
                await records.write(partial(Session.execute, statement=change))

    async with start(database_url=database_url) as working:
        monkeypatch.setattr(working.inference, "failure", (FULL, "queue full"))
        alice.http = working.http

        assert (await finished(alice, path))["problem"]["status"] == 503
        assert len(working.inference.requests) == 1


async def test_a_load_that_ends_within_days_costs_no_picture_its_analysis(
    start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start(database_url=database_url, job_workers=0) as idle:
        alice = await idle.signed_in()
        path = await submitted(alice)
        often = update(Job).values(deferrals=10 * attempt.MAX_DEFERRALS)
        days_ago = now() - attempt.LONGEST_LOAD + timedelta(hours=1)
        long_since = update(Analysis).values(created_at=days_ago)
        async with open_records(idle.settings) as records:
            for change in (often, long_since):
                await records.write(partial(Session.execute, statement=change))

    refusals = 0

    async def refused_at_first(_: object, context: Any) -> Any:
        nonlocal refusals
        if refusals < 2:
            refusals += 1
            await context.abort(FULL, "queue full", ((rpc.PUSHBACK_TRAILER, "1"),))
        return assessed()

    async with start(database_url=database_url) as working:
        monkeypatch.setattr(working.inference, "respond", refused_at_first)
        alice.http = working.http
        assert (await finished(alice, path))["status"] == "succeeded"
    assert refusals == 2


NO_ANSWER_FITS = """
    CREATE TRIGGER refusing BEFORE UPDATE ON analyses WHEN NEW.outcome IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'no answer fits'); END
"""


async def test_a_picture_whose_answer_cannot_be_recorded_is_given_up(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backoff, "after", lambda *_: 0.001)
    alice = await gateway.signed_in()
    async with open_records(gateway.settings) as records:
        await records.write(lambda session: session.execute(text(NO_ANSWER_FITS)))

    failed = await finished(alice, await submitted(alice))

    assert failed["problem"]["status"] == 500
    assert failed["problem"]["detail"] == "Something went wrong. The log has it by the request id."
    assert len(gateway.inference.requests) == attempt.MAX_STRIKES


async def test_a_database_that_is_locked_is_waited_for_and_costs_no_picture_its_analysis(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "MAX_STRIKES", 1)
    monkeypatch.setattr(attempt, "MAX_DEFERRALS", 1)
    alice = await gateway.signed_in()
    gateway.inference.may_answer.clear()
    path = await submitted(alice)
    await gateway.inference.arrived()

    def locked(*_: object, **__: object) -> None:
        raise OperationalError("", {}, Exception("database is locked"))

    with monkeypatch.context() as patch:
        patch.setattr(Queue, "end", locked)
        gateway.inference.may_answer.set()
        await gateway.inference.arrived(2)

    assert (await finished(alice, path))["status"] == "succeeded"


async def test_two_pictures_that_are_refused_for_long_hold_up_the_others_for_seconds_only(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "LONGEST_REST_S", 0.1, raising=False)
    picky = Picky(*WIDTHS[:2], pushback_ms=600_000)
    async with start(job_workers=1) as gateway:
        alice = await gateway.signed_in()
        monkeypatch.setattr(gateway.inference, "respond", picky.respond)
        path = (await sent(alice, *PICTURES)).headers["Location"]
        async with asyncio.timeout(60):
            while (await alice("GET", path)).json()["succeeded"] < 2:  # noqa: ASYNC110 - it sets no event
                await asyncio.sleep(0.03)
