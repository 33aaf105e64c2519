"""The service as a real process with variables, ports and signals."""

import asyncio
import contextlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.ports import free_port

SOME = 10


class Service(subprocess.Popen[str]):
    """A process whose words are read as they come, so that it never waits for a reader."""

    def __init__(self, environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "services.inference"]
        super().__init__(command, env=environment, stderr=subprocess.PIPE, text=True)
        self._words: list[str] = []
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def said(self) -> str:
        """Return what it said on its stderr, once it has ended."""
        self._reading.join()
        return "".join(self._words)

    def _read(self) -> None:
        assert self.stderr is not None
        with self.stderr:
            self._words.extend(self.stderr)


def start(model_dir: Path, **variables: str) -> Service:
    """Start it on free ports unless told otherwise."""
    environment = {
        **os.environ,
        "DERMSERVE_INFERENCE_MODEL_DIR": str(model_dir),
        "DERMSERVE_INFERENCE_PORT": "0",
        "DERMSERVE_INFERENCE_METRICS_PORT": "0",
        "DERMSERVE_INFERENCE_LAME_DUCK_S": "0",
        **variables,
    }
    return Service(environment)


@dataclass
class Replica:
    """One place where the service runs; it may be started there again and again."""

    model_dir: Path
    variables: dict[str, str]
    port: int = field(default_factory=free_port)
    metrics_port: int = field(default_factory=free_port)
    process: Service = field(init=False)

    def __post_init__(self) -> None:
        self._start()

    def start_again(self) -> None:
        """Start another process in the place of one that has ended."""
        self.end()
        self._start()

    def end(self) -> None:
        """End the process as nobody should."""
        self.process.kill()
        self.process.wait()

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

    async def shown(self, sample: str) -> float:
        """Return a sample of its own metrics; 0 before it is up."""
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            try:
                text = (await client.get(self.metrics_address)).text
            except httpx.TransportError:
                return 0
        found = re.search(rf"^{re.escape(sample)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0

    async def answered(self) -> float:
        """Return how many analyses it has answered."""
        return await self.shown('inference_rpcs_total{code="OK",method="Analyze"}')

    async def until_it_answers(self) -> None:
        """Wait until it has answered some analyses."""
        async with asyncio.timeout(120):
            while await self.answered() < SOME:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)


@contextlib.contextmanager
def replica(model_dir: Path, **variables: str) -> Iterator[Replica]:
    """Run the service while the block runs."""
    running = Replica(model_dir, variables)
    try:
        yield running
    finally:
        running.end()
