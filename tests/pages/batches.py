"""Batches for the tests of their pages."""

import contextlib
import os
import signal
from collections.abc import Iterator

from playwright.sync_api import expect

from tests import specimens
from tests.pages.conftest import Person
from tests.stack import Stack

PICTURES = [specimens.lesion_jpeg((320, 240), seed=seed) for seed in range(3)]


@contextlib.contextmanager
def at_a_standstill(services: Stack) -> Iterator[None]:
    """Let nothing be analyzed."""
    pid = services.processes["inference"].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def send(somebody: Person, *contents: bytes) -> str:
    """Send pictures as a batch; return where it is."""
    files = [("images", (f"picture {n}.jpg", each)) for n, each in enumerate(contents)]
    headers = {"Sec-Fetch-Site": "same-origin"}
    answer = somebody.api("POST", "/v1/batches", files=files, headers=headers)
    assert answer.status_code == 202, answer.text
    return f"/batches/{answer.json()['id']}"


def done(somebody: Person, path: str) -> None:
    """Look at a batch until it is finished."""
    somebody.goto(path)
    expect(somebody.page.get_by_text("All done.", exact=True)).to_be_visible()
