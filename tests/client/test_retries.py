"""Requests come again where that makes nothing twice, and no sooner than they may."""

import asyncio
from pathlib import Path

import pytest

from dermserve_client import Client, Password, ProblemError, UnreachableError
from tests import specimens
from tests.client import proxy
from tests.client.conftest import ADMIN
from tests.client.test_accounts import careful
from tests.gateway.processes import Running

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_what_was_made_while_the_answer_got_lost_is_made_once(
    gateway: Running, tmp_path: Path
) -> None:
    picture = tmp_path / "lesion.jpg"
    picture.write_bytes(specimens.lesion_jpeg())

    def work(url: str) -> None:
        with Client(url, Password(*ADMIN)) as client:
            client.me()
            between.loses = 1
            patient = client.patients.create("made once")
            found = client.patients.list(identifier="made once")
            assert [each.id for each in found] == [patient.id]
            between.loses = 1
            analysis = client.analyses.create(picture, patient=patient.id)
            assert [each.id for each in client.analyses.list(patient=patient.id)] == [analysis.id]

    async with proxy.before(gateway.port) as between:
        await asyncio.to_thread(work, between.url)


async def test_a_change_is_not_sent_again_when_it_may_have_been_made(gateway: Running) -> None:
    def work(url: str) -> None:
        with Client(url, Password(*ADMIN)) as client:
            patient = client.patients.create("changed once")
            between.loses = 1
            with pytest.raises(UnreachableError):
                client.patients.change(patient, name="Example")
            assert client.patients.get(patient.id).name == "Example"

    async with proxy.before(gateway.port) as between:
        await asyncio.to_thread(work, between.url)


async def test_a_refused_request_comes_again_after_the_seconds_that_were_asked_for(
    gateway: Running,
) -> None:
    def work(url: str) -> None:
        with Client(url, Password(*ADMIN)) as client:
            client.me()
            between.times.clear()
            between.refuses = 1
            assert client.me().username == ADMIN[0]

    async with proxy.before(gateway.port) as between:
        await asyncio.to_thread(work, between.url)
    first, second = between.times
    assert second - first >= 1


async def test_nobody_is_asked_for_a_code_because_a_refresh_token_could_not_be_looked_at(
    gateway: Running,
) -> None:
    def work(url: str) -> None:
        person, codes = careful(gateway, "patient")
        left = len(codes)
        credentials = Password(*person, codes.pop)
        with Client(url, credentials) as client:
            client.me()
            credentials._fresh_until = 0
            between.refuses = 1
            assert client.me().username == person[0]
        assert len(codes) == left - 1
        with Client(url, credentials, longest_wait_s=0.5) as client:
            credentials._fresh_until = 0
            between.refuses = 1
            with pytest.raises(ProblemError) as refused:
                client.me()
            assert (refused.value.status, refused.value.retry_after_s) == (503, 1)
            assert client.me().username == person[0]
        assert len(codes) == left - 1

    async with proxy.before(gateway.port) as between:
        await asyncio.to_thread(work, between.url)


async def test_a_sign_in_that_is_refused_for_now_comes_again_before_what_it_is_for(
    gateway: Running,
) -> None:
    def work(url: str) -> None:
        with Client(url, Password(*ADMIN)) as client:
            between.refuses = 2
            patient = client.patients.create("signed in for")
            found = client.patients.list(identifier="signed in for")
            assert [each.id for each in found] == [patient.id]
        between.times.clear()
        wrong = Password(ADMIN[0], "not the password")
        with Client(url, wrong) as stranger, pytest.raises(ProblemError) as refused:
            stranger.me()
        assert refused.value.type == "unauthenticated"
        assert len(between.times) == 1

    async with proxy.before(gateway.port) as between:
        await asyncio.to_thread(work, between.url)


async def test_who_would_have_to_wait_too_long_is_told_at_once(gateway: Running) -> None:
    def work(url: str) -> None:
        with Client(url, longest_wait_s=0.5) as client, pytest.raises(ProblemError) as refused:
            client.ready()
        assert (refused.value.status, refused.value.retry_after_s) == (503, 1)

    async with proxy.before(gateway.port) as between:
        between.refuses = 1
        await asyncio.to_thread(work, between.url)
    assert len(between.times) == 1
