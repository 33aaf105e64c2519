"""The load test can be started: locust finds a person in it.

In a process of its own, because importing locust replaces sockets and threads by gevent's.
"""

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def test_locust_finds_the_person_to_be_multiplied() -> None:
    locust = Path(sys.executable).with_name("locust")
    run = subprocess.run(
        [locust, "-f", "benchmarks/locustfile.py", "--list"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["Available", "Users:", "Person"]
    assert "Traceback" not in run.stderr
