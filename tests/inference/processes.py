"""The service as a real process with variables, ports and signals."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.ports import free_port


def start(model_dir: Path, **variables: str) -> subprocess.Popen[str]:
    """Start it on free ports unless told otherwise; what it says stands on its stderr."""
    environment = {
        **os.environ,
        "DERMSERVE_INFERENCE_MODEL_DIR": str(model_dir),
        "DERMSERVE_INFERENCE_PORT": "0",
        "DERMSERVE_INFERENCE_METRICS_PORT": "0",
        "DERMSERVE_INFERENCE_LAME_DUCK_S": "0",
        **variables,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "services.inference"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )


@dataclass
class Replica:
    """One place where the service runs; it may be started there again and again."""

    model_dir: Path
    variables: dict[str, str]
    port: int = field(default_factory=free_port)
    metrics_port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        self._start()

    def start_again(self) -> None:
        """Start another process in the place of one that has ended."""
        self.end()
        self._start()

    def end(self) -> None:
        """End the process as nobody should."""
        self.process.kill()
        self.process.communicate()

    def _start(self) -> None:
        self.process = start(
            self.model_dir,
            DERMSERVE_INFERENCE_PORT=str(self.port),
            DERMSERVE_INFERENCE_METRICS_PORT=str(self.metrics_port),
            **self.variables,
        )

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def metrics_address(self) -> str:
        return f"http://127.0.0.1:{self.metrics_port}/metrics"


@contextlib.contextmanager
def replica(model_dir: Path, **variables: str) -> Iterator[Replica]:
    """Run the service while the block runs."""
    running = Replica(model_dir, variables)
    try:
        yield running
    finally:
        running.end()
