"""Nothing that waits for a file, a socket or a lock does so on the event loop."""

import asyncio
import time

import pytest
from blockbuster import BlockBuster, BlockingError, blockbuster_ctx

from services.gateway.boot import SIGNING_KEY
from services.gateway.security import key_ring
from tests import specimens
from tests.gateway.conftest import Gateway

_FLEETING = ("threading.Lock.acquire", "threading.Lock.acquire_lock", "os.stat")
"""Waits for nobody: locks held to change a list, and a look whether a file is there."""

_SMALL = (
    # What the kernel tells of this process lies on no disk.
    ("prometheus_client/process_collector.py", "collect"),
)
"""Reads a few hundred bytes of figures of the process."""

_LOOKS = (
    "/livez",
    "/readyz",
    "/metrics",
    "/docs",
    "/v1/me",
    "/v1/usage",
    "/v1/analyses",
    "/v1/patients",
    "/v1/events",
    "/v1/analyses/{id}",
    "/v1/analyses/{id}/image",
    "/v1/analyses/{id}/mask.png",
    "/v1/analyses/{id}/overlay.png",
    "/v1/analyses/{id}/report.pdf",
)


def excuse(watched: BlockBuster) -> None:
    for name in _FLEETING:
        watched.functions[name].deactivate()
    for call in watched.functions.values():
        for file, function in _SMALL:
            call.can_block_in(file, function)


async def test_whatever_is_asked_for_the_event_loop_waits_for_nothing(either: Gateway) -> None:
    with blockbuster_ctx("services") as watched:
        excuse(watched)
        alice = await either.signed_in()
        made = (await alice.analyze(specimens.lesion_jpeg())).json()
        later = {"Prefer": "respond-async", "Content-Type": "image/jpeg"}
        patient = {"identifier": "1", "issuer": "clinic"}
        answers = await asyncio.gather(
            alice("POST", "/v1/analyses", content=specimens.lesion_jpeg(), headers=later),
            alice("POST", "/v1/patients", json=patient),
            *(alice("GET", path.format(id=made["id"])) for path in _LOOKS),
        )
        wrong = {"username": "nobody", "password": "not a password of theirs"}
        refused = await alice("POST", "/v1/auth/token", data=wrong)

    assert [answer.status_code for answer in answers] == [202, 201, *(200 for _ in _LOOKS)]
    assert refused.status_code == 401


async def test_a_new_signing_key_is_read_while_the_event_loop_goes_on(either: Gateway) -> None:
    alice = await either.signed_in()
    key_ring.rotate(either.settings.data_dir / SIGNING_KEY)
    with blockbuster_ctx("services") as watched:
        excuse(watched)
        either.parts.keys._looked = 0.0
        answer = await alice("GET", "/v1/me")
        published = (await alice("GET", "/.well-known/jwks.json")).json()["keys"]

    assert answer.status_code == 200
    assert len(published) == 2


async def test_a_call_that_waits_on_the_event_loop_is_seen() -> None:
    with blockbuster_ctx("tests"), pytest.raises(BlockingError):
        time.sleep(0.001)  # noqa: ASYNC251 - the point of the test
