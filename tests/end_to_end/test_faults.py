"""A service that is down or slow costs a bounded wait and an honest answer, and nobody else."""

import contextlib
import signal
import time
from collections.abc import Iterator

import httpx
import pytest

from tests import specimens, stack, watched
from tests.stack import Stack

BOUND_S = 15
TRIES = 3
"""One of them has the machine to itself."""


@contextlib.contextmanager
def without(room: str) -> Iterator[tuple[Stack, httpx.Client]]:
    """Run a stack of which one service was killed after an analysis was made."""
    with (
        watched.running(**stack.UNHURRIED) as running,
        httpx.Client(base_url=running.rest, timeout=240) as client,
    ):
        client.headers["Authorization"] = f"Bearer {stack.signed_in(client)}"
        upload(client).raise_for_status()
        victim = running.processes[room]
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        yield running, client


@pytest.fixture
def broken(request: pytest.FixtureRequest) -> Iterator[tuple[Stack, httpx.Client]]:
    with without(request.param) as found:
        yield found


def upload(client: httpx.Client) -> httpx.Response:
    return client.post("/v1/analyses", files={"image": specimens.lesion_jpeg()})


def problem(response: httpx.Response) -> dict[str, object]:
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = response.json()
    assert {"type", "title", "status", "detail", "instance", "request_id"} <= body.keys()
    return body


def test_without_inference_the_first_upload_is_refused_in_time_and_leaves_nothing() -> None:
    waits_s: list[float] = []
    while len(waits_s) < TRIES and min(waits_s, default=BOUND_S) >= BOUND_S:
        with without("inference") as (_, client):
            began = time.monotonic()
            refused = upload(client)
            waits_s.append(time.monotonic() - began)
            honest_and_forgotten(refused, client)
    assert min(waits_s) < BOUND_S, waits_s


def honest_and_forgotten(refused: httpx.Response, client: httpx.Client) -> None:
    """See that a refusal says what is wrong, and that nothing is left of what was asked."""
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) >= 1
    assert problem(refused)["status"] == 503
    assert len(client.get("/v1/analyses").json()["items"]) == 1
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert "inference" in ready.text
    assert client.get("/livez").status_code == 200


@pytest.mark.parametrize("broken", ["reports"], indirect=True)
def test_without_reports_only_reports_are_missing(broken: tuple[Stack, httpx.Client]) -> None:
    _, client = broken
    made = upload(client)
    assert made.status_code == 201
    refused = client.get(f"/v1/analyses/{made.json()['id']}/report.pdf")
    assert refused.status_code == 503
    assert problem(refused)["status"] == 503
    assert client.get(f"/v1/analyses/{made.json()['id']}/overlay.png").status_code == 200


@pytest.mark.parametrize("broken", ["inference"], indirect=True)
def test_when_inference_comes_back_so_do_the_answers(broken: tuple[Stack, httpx.Client]) -> None:
    running, client = broken
    assert upload(client).status_code == 503
    again = running.start("inference")
    try:
        until = time.monotonic() + 180
        while upload(client).status_code != 201:
            assert time.monotonic() < until
    finally:
        again.end()
