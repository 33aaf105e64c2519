"""Long work shows itself to a person and to nobody else."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

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
    shown = os.read(terminal, 1 << 16).decode()
    os.close(terminal)
    assert counted.stdout == b"10\n"
    assert "Counting" in shown
    assert "5/5" in shown


def test_a_pipe_sees_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    assert list(watched("abc", "Counting", 3)) == ["a", "b", "c"]
    assert capfd.readouterr() == ("", "")
