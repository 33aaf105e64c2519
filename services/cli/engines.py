"""Where pictures of the command line are analyzed: in this process, or by a server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from prometheus_client import CollectorRegistry

from dermserve_client import Bearer, Client, ClientError
from services import environment, layers, picture
from services.cli import drawings
from services.gateway.analyses.analyze import record_of
from services.gateway.analyses.subject import Subject
from services.gateway.clients.inference import read_answer
from services.gateway.errors import GatewayError
from services.gateway.routes.analysis_shapes import AnalysisView
from services.gateway.uploads import rewrite
from services.inference.admission import QueueFullError
from services.inference.batch import BatchError
from services.inference.engine import engine
from services.inference.pipeline import Pipeline
from services.inference.servicer import message
from services.inference.settings import Precision, Provider, Settings

_LIMITS = (picture.MAX_BYTES, picture.MAX_PIXELS, 16_384)
_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Result:
    """An analysis in the shape that REST gives it.

    Attributes:
        analysis: the JSON object.
        drawings: makes its pictures as PNG files, by name.

    """

    analysis: dict[str, Any]
    drawings: Callable[[], Awaitable[dict[str, bytes]]]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a picture was not analyzed."""

    sentence: str


class Engine(Protocol):
    """Analyzes picture files."""

    async def analyze(self, file: Path) -> Result | Failure:
        """Analyze one file."""


class _Alone(Settings):
    """A command answers a few pictures and ends: trying backends would take longer than they do.

    And the same picture gets the same answer every time, which `auto` promises only within the
    tolerances of a backend.
    """

    execution_provider: Provider = "cpu"
    precision: Precision = "fp32"


@contextlib.asynccontextmanager
async def in_process() -> AsyncIterator[Engine]:
    """Load the models into this process.

    Raises:
        SettingsError: a variable of the inference room is wrong.
        ModelError: a model cannot be served.

    """
    async with engine(environment.read(_Alone), CollectorRegistry()) as pipeline:
        yield _InProcess(pipeline)


@contextlib.asynccontextmanager
async def over_rest(server: str, token: str) -> AsyncIterator[Engine]:
    """Use a gateway, with an API key or an access token."""
    with Client(server, Bearer(token), timeout_s=_TIMEOUT_S) as client:
        yield _OverRest(client)


class _InProcess:
    """The same way through the rooms as over the wire, without the wire."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    async def analyze(self, file: Path) -> Result | Failure:
        try:
            encoded = await asyncio.to_thread(file.read_bytes)
            rewritten = await asyncio.to_thread(rewrite, encoded, *_LIMITS)
            answer = read_answer(message(await self._pipeline.analyze(rewritten.encoded)))
        except (OSError, GatewayError, picture.PictureError, BatchError, QueueFullError) as error:
            return Failure(str(error))
        record = record_of(Subject(), rewritten, answer)
        return Result(
            AnalysisView.of(record).model_dump(mode="json"),
            lambda: asyncio.to_thread(
                _drawings, rewritten.encoded, answer.mask_png, answer.explanation_png
            ),
        )


class _OverRest:
    def __init__(self, client: Client) -> None:
        self._client = client

    async def analyze(self, file: Path) -> Result | Failure:
        try:
            analysis = await asyncio.to_thread(self._client.analyses.create, file)
        except (OSError, ClientError) as error:
            return Failure(str(error))
        return Result(
            analysis.model_dump(mode="json"),
            lambda: asyncio.to_thread(drawings.fetched, self._client, analysis.id),
        )


def _drawings(encoded: bytes, mask_png: bytes, explanation_png: bytes) -> dict[str, bytes]:
    below = picture.read(encoded).pixels
    found: dict[str, bytes] = {}
    if mask_png:
        mask = picture.read(mask_png).pixels
        found |= {"mask": mask_png, "overlay": layers.png(layers.outline(below, mask))}
    if explanation_png:
        found["explanation"] = layers.png(layers.heat(below, picture.read(explanation_png).pixels))
    return found
