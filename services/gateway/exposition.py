"""The figures of all workers of a gateway, whichever of them is asked.

Each worker shows its own registry on a socket in a folder that they share; who is asked collects
from the others and says with a label whose each figure is. So gauges and the figures of processes
keep their meaning, which they lose when workers add them up in files.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from prometheus_client import CollectorRegistry, generate_latest

_WITHIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Worker:
    """Which of several processes one is.

    Attributes:
        number: from 1.
        folder: shared by all of them, and by nobody else.

    """

    number: int
    folder: Path


class Exposition:
    """Shows the figures of this process, and of its siblings where it has some."""

    def __init__(self, registry: CollectorRegistry, worker: Worker | None = None) -> None:
        """Build over a registry.

        Args:
            registry: of this process.
            worker: which of several this is; None where it is the only one.

        """
        self._registry = registry
        self._worker = worker

    async def text(self) -> bytes:
        """Return all figures in the text format of Prometheus; who does not answer is left out."""
        if self._worker is None:
            return generate_latest(self._registry)
        paths = sorted(self._worker.folder.glob("*.sock"))
        asked = await asyncio.gather(*map(_asked, paths))
        texts = {path.stem: text for path, text in zip(paths, asked, strict=True) if text}
        return merged(texts).encode()

    @contextlib.asynccontextmanager
    async def shown(self) -> AsyncIterator[Self]:
        """Show this process's own figures to its siblings meanwhile."""
        if self._worker is None:
            yield self
            return
        path = self._worker.folder / f"{self._worker.number}.sock"
        # Of the one that this one replaces.
        path.unlink(missing_ok=True)
        async with await asyncio.start_unix_server(self._answer, path):
            try:
                yield self
            finally:
                path.unlink(missing_ok=True)

    async def _answer(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            writer.write(generate_latest(self._registry))
            await writer.drain()
        writer.close()


async def _asked(path: Path) -> str:
    """Return what a worker shows; nothing if it does not answer."""
    try:
        async with asyncio.timeout(_WITHIN_S):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                return (await reader.read()).decode()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return ""


def merged(texts: Mapping[str, str]) -> str:
    """Return several expositions as one, each figure with its worker's number.

    The lines of one name stand together, as the format wants it.
    """
    families: dict[str, list[str]] = {}
    for number, text in texts.items():
        for name, line in _lines(text):
            known = families.setdefault(name, [])
            if not line.startswith("#"):
                known.append(_labelled(line, number))
            elif line not in known:
                known.append(line)
    return "".join(f"{line}\n" for lines in families.values() for line in lines)


def _lines(text: str) -> Iterator[tuple[str, str]]:
    name = ""
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ", 3)[2]
        yield name, line


def _labelled(line: str, number: str) -> str:
    name, brace, rest = line.partition("{")
    if brace:
        return f'{name}{{worker="{number}",{rest}'
    name, _, value = line.partition(" ")
    return f'{name}{{worker="{number}"}} {value}'
