"""Long work shows itself to a person and to nobody else."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
from collections.abc import Iterator

import pytest

from weights.evaluation.progress import watched

PROGRAM = """
from weights.evaluation.progress import watched
print(sum(watched(range(5), "Counting", 5)))
"""


def test_a_person_at_a_terminal_sees_how_far_it_is() -> None:
    terminal, screen = pty.openpty()
    counted = subprocess.run(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=screen, check=True
    )
    os.close(screen)
    shown = b"".join(read(terminal)).decode()
    os.close(terminal)
    assert counted.stdout == b"10\n"
    assert "Counting" in shown
    assert "5/5" in shown


def read(terminal: int) -> Iterator[bytes]:
    """Yield what came, up to the end of the last who wrote, which Linux tells as an error."""
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 1 << 16):
            yield part


def test_a_pipe_sees_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    assert list(watched("abc", "Counting", 3)) == ["a", "b", "c"]
    assert capfd.readouterr() == ("", "")
