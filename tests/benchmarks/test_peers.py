"""The comparison with other servers: what judges answers, counts and renders; and the client."""

import asyncio
import base64
import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2
import numpy as np
import pytest

from benchmarks.peers import client, figures, table, wires
from benchmarks.peers.__main__ import expected
from benchmarks.peers.answers import Answer, Specimen
from benchmarks.peers.client import Caller
from benchmarks.peers.connection import Connection
from benchmarks.peers.serving.bounded import Bounded
from benchmarks.peers.wires import Outcome
from services.inference.analysis import LABELS

Respond = Callable[[bytes], bytes]


def _mask(left: int) -> bytes:
    drawn = np.zeros((60, 80), np.uint8)
    drawn[10:50, left : left + 40] = 255
    return bytes(cv2.imencode(".png", drawn)[1])


NV = Answer("nv", (0.0, 0.0, 0.1, 0.0, 0.1, 0.8, 0.0), _mask(20))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(Answer("mel", NV.probabilities, NV.mask_png), id="label"),
        pytest.param(Answer("nv", (0.0, 0.0, 0.2, 0.0, 0.0, 0.8, 0.0), NV.mask_png), id="shares"),
        pytest.param(Answer("nv", NV.probabilities, _mask(22)), id="mask"),
        pytest.param(Answer("nv", NV.probabilities, b""), id="no mask"),
        pytest.param(Answer("", (), b""), id="nothing"),
    ],
)
def test_an_answer_to_another_picture_is_told_apart(other: Answer) -> None:
    assert not other.agrees_with(NV)


def test_an_answer_that_another_runtime_rounded_is_right() -> None:
    rounded = tuple(share + 1e-4 for share in NV.probabilities)
    assert Answer("nv", rounded, NV.mask_png).agrees_with(NV)


def test_the_pictures_that_are_sent_cannot_be_taken_for_each_other() -> None:
    specimens = expected(count=6)
    for sent in specimens:
        same = [other.expected.agrees_with(sent.expected) for other in specimens]
        assert same.count(True) == 1


def test_a_quantile_is_a_value_that_was_measured() -> None:
    values = [float(value) for value in range(1, 101)]
    assert [figures.quantile(values, share) for share in (0.5, 0.99, 1)] == [50, 99, 100]
    with pytest.raises(ValueError, match="no values"):
        figures.quantile([], 0.5)


def _said(**outcomes: int) -> dict[str, Any]:
    seconds = {name: [0.02] * outcomes.get(name, 0) for name in Outcome}
    return {
        "outcomes": outcomes,
        "seconds": seconds,
        "elapsed_s": 2.0,
        "cpu_s": 1.0,
        "client_cpu_s": 0.1,
        "recovered_s": None,
    }


def test_throughput_counts_right_answers_and_is_the_median_of_the_turns() -> None:
    turns = [_said(right=20), _said(right=40, wrong=10), _said(right=90, refused=5)]
    found = figures.closed(turns)
    assert found["pictures_a_second"] == 20
    assert (found["right"], found["wrong"], found["refused"]) == (150, 10, 5)
    assert found["p50_ms"] == 20
    assert found["cpu_ms_a_picture"] == pytest.approx(3000 / 160, abs=0.01)


def test_a_server_that_answered_nobody_has_figures_all_the_same() -> None:
    found = figures.overload(_said(timed_out=40), rate=20, capacity=10)
    assert found["goodput_to_capacity"] == 0
    assert found["p99_ms"] is found["recovered_s"] is found["cpu_ms_a_right_answer"] is None


def _side(rate: float, latency_ms: float, refused: int = 0) -> dict[str, Any]:
    level = figures.closed([_said(right=100, refused=refused)])
    level |= {"pictures_a_second": rate, "p50_ms": latency_ms, "p99_ms": 2 * latency_ms}
    return {
        "clients": dict.fromkeys(table.CLIENTS, level),
        "overload": figures.overload(_said(right=30, refused=10), rate=2 * rate, capacity=rate),
        "memory": {"pss_mb": 200},
        "idle_cores": 0.0,
    }


def _rendered(ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    machine = {"cores": 2, "processor": "a processor", "commit": "1234567"}
    measured = {"machine": machine, "peer": theirs, "dermserve": ours}
    return table.rendered({"picture": "drawn", "peers": {"mosec": {"tuned": measured}}})


def test_the_table_says_by_how_much_we_lead() -> None:
    page = _rendered(_side(60, 30), _side(40, 45))
    assert "| 1.50 / 1.50 / 1.50 | 1.50 / 1.50 / 1.50 | 1.50 / 1.50 / 1.50 |" in page
    assert "dermserve is ahead in every cell" in page


def test_the_table_says_where_we_are_behind() -> None:
    page = _rendered(_side(40, 30), _side(50, 45))
    assert "| **0.80** / **0.80** / **0.80** |" in page
    assert "- MOSEC (tuned), throughput at 8 clients: 0.80" in page


def test_who_refuses_is_not_called_quick() -> None:
    assert "| - / - / - | - / - / - | - / - / - |" in _rendered(_side(40, 30), _side(9, 9, 50))


def test_what_did_not_run_is_named_with_its_reason() -> None:
    kept = {"picture": "drawn", "peers": {"ray": {"tuned": {"not_run": "no wheel"}}}}
    assert "Ray Serve (tuned) was not run: no wheel" in table.rendered(kept)


def test_a_result_without_peers_says_so() -> None:
    assert table.rendered({"picture": "drawn", "peers": {}}) == "Not run yet.\n"


class _Handler(BaseHTTPRequestHandler):
    """Answers every POST with the very bytes that ``respond`` makes of its body."""

    protocol_version = "HTTP/1.1"
    respond: Respond

    def do_POST(self) -> None:
        answer = type(self).respond(self.rfile.read(int(self.headers["content-length"])))
        self.wfile.write(answer)
        self.close_connection = answer.startswith(b"HTTP/1.0") or b"Connection: close" in answer

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def _serving(respond: Respond) -> Iterator[int]:
    handler = type("Handler", (_Handler,), {"respond": staticmethod(respond)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


def _ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@pytest.mark.parametrize(
    "respond",
    [
        pytest.param(_ok, id="length"),
        pytest.param(
            lambda body: (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"1\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (body[:1], len(body) - 1, body[1:])
            ),
            id="chunks",
        ),
        pytest.param(lambda body: b"HTTP/1.0 200 OK\r\n\r\n" + body, id="until it closes"),
        pytest.param(
            lambda body: _ok(body).replace(b"\r\n", b"\r\nConnection: close\r\n", 1), id="close"
        ),
    ],
)
async def test_the_client_reads_every_kind_of_body_twice_in_turn(respond: Respond) -> None:
    with _serving(respond) as port:
        async with Connection("127.0.0.1", port) as connection:
            for body in (b"one picture", b"another"):
                assert await connection.post("/", "image/jpeg", body) == (200, body)


def _specimens() -> list[Specimen]:
    return [Specimen(bytes([left]), Answer("nv", NV.probabilities, _mask(left))) for left in (2, 9)]


def _analysis(left: int) -> bytes:
    mask = base64.b64encode(_mask(left)).decode()
    probabilities = dict(zip(LABELS, NV.probabilities, strict=True))
    classification = {"label": "nv", "probabilities": probabilities}
    answer = {"classification": classification, "segmentation": {"mask_png": mask}}
    return _ok(json.dumps(answer).encode())


async def _asked(respond: Respond, deadline_s: float = 60) -> Caller:
    with _serving(respond) as port:
        wire = wires.dialled("raw", port)
        caller = Caller(wire, _specimens())
        await asyncio.gather(*(caller.ask(number, deadline_s) for number in range(4)))
        await wire.close()
    return caller


async def test_right_answers_are_counted_as_right() -> None:
    assert (await _asked(lambda body: _analysis(body[0]))).outcomes == {Outcome.RIGHT: 4}


async def test_an_answer_that_belongs_to_another_caller_is_counted_as_wrong() -> None:
    swapped = {2: 9, 9: 2}
    assert (await _asked(lambda body: _analysis(swapped[body[0]]))).outcomes == {Outcome.WRONG: 4}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (429, Outcome.REFUSED),
        (503, Outcome.REFUSED),
        (504, Outcome.TIMED_OUT),
        (500, Outcome.FAILED),
    ],
)
async def test_refusals_time_outs_and_failures_are_told_apart(
    status: int, outcome: Outcome
) -> None:
    answer = b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status
    assert (await _asked(lambda _: answer)).outcomes == {outcome: 4}


async def test_a_server_that_says_nothing_times_out_at_the_deadline() -> None:
    assert (await _asked(lambda _: b"", deadline_s=0.05)).outcomes == {Outcome.TIMED_OUT: 4}


async def test_an_open_loop_keeps_its_rate_and_sees_the_server_well_again() -> None:
    with _serving(lambda body: _analysis(body[0])) as port:
        wire = wires.dialled("raw", port)
        said = await client.opened(Caller(wire, _specimens()), 50, 0.2, deadline_s=60, idle_s=60)
        await wire.close()
    assert said["outcomes"] == {Outcome.RIGHT: 10}
    assert said["probes"] == {Outcome.RIGHT: 3}
    assert 0 <= said["recovered_s"] < 60


async def test_the_door_refuses_at_once_beyond_its_bound_and_opens_again() -> None:
    leave = asyncio.Event()
    statuses: list[int] = []

    async def app(_scope: dict[str, Any], _receive: Any, send: Any) -> None:
        await leave.wait()
        await send({"type": "http.response.start", "status": 200})

    async def send(message: dict[str, Any]) -> None:
        if "status" in message:
            statuses.append(message["status"])

    door = Bounded(app, limit=2)
    inside = [asyncio.create_task(door({"type": "http"}, None, send)) for _ in range(2)]
    await asyncio.sleep(0)
    await door({"type": "http"}, None, send)
    assert statuses == [429]
    leave.set()
    await asyncio.gather(*inside)
    await door({"type": "http"}, None, send)
    assert statuses == [429, 200, 200, 200]
