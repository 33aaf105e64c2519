"""Events are timed from the answer that they go with, over a real connection."""

import http.server
import json
import threading
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from benchmarks.watching import Watching

WAIT_S = 120


class Streams(http.server.BaseHTTPRequestHandler):
    """Sends what it is given, until that is nothing."""

    given: SimpleQueue[str]

    def do_GET(self) -> None:
        allowed = self.headers["Authorization"] == "Bearer secret"
        self.send_response(200 if allowed else 401)
        self.end_headers()
        while allowed and (subject := self.given.get(timeout=WAIT_S)):
            event = json.dumps({"kind": "analysis.succeeded", "subject_id": subject})
            self.wfile.write(f": still here\nevent: x\ndata:{event}\n\n".encode())
            self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def host() -> Iterator[str]:
    Streams.given = SimpleQueue()
    with http.server.HTTPServer(("127.0.0.1", 0), Streams) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        Streams.given.put("")  # a test that fails must not leave a stream for ever
        server.shutdown()
        serving.join()


def test_an_event_counts_from_the_answer_and_one_that_came_before_took_no_time(host: str) -> None:
    heard: SimpleQueue[float] = SimpleQueue()
    broke: SimpleQueue[str] = SimpleQueue()
    watching = Watching(heard.put, broke.put)
    reading = threading.Thread(target=watching.read, args=(host, "secret"))
    reading.start()

    watching.answered("late")
    Streams.given.put("late")
    assert 0 < heard.get(timeout=WAIT_S) < WAIT_S
    Streams.given.put("early")
    Streams.given.put("last")
    watching.answered("last")
    heard.get(timeout=WAIT_S)
    # By now the one before it has come too.
    watching.answered("early")
    assert heard.get(timeout=WAIT_S) == 0

    Streams.given.put("")
    assert broke.get(timeout=WAIT_S) == "it ended"
    reading.join()


def test_a_stream_that_is_refused_is_told(host: str) -> None:
    broke: SimpleQueue[str] = SimpleQueue()
    Watching(lambda _: None, broke.put).read(host, "wrong")
    assert broke.get(timeout=WAIT_S) == "401"
