"""Where pictures of the command line are analyzed: in this process, or by a server."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx
from PIL import Image
from prometheus_client import CollectorRegistry

from services import environment, layers, picture
from services.gateway.analyses.analyze import record_of
from services.gateway.analyses.subject import Subject
from services.gateway.clients.inference import read_answer
from services.gateway.errors import GatewayError
from services.gateway.routes.shapes import AnalysisView
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


@asynccontextmanager
async def in_process() -> AsyncIterator[Engine]:
    """Load the models into this process.

    Raises:
        SettingsError: a variable of the inference room is wrong.
        ModelError: a model cannot be served.

    """
    async with engine(environment.read(_Alone), CollectorRegistry()) as pipeline:
        yield _InProcess(pipeline)


@asynccontextmanager
async def over_rest(server: str, token: str) -> AsyncIterator[Engine]:
    """Use a gateway, signed in with an access token."""
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=server, headers=headers, timeout=_TIMEOUT_S) as client:
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
    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def analyze(self, file: Path) -> Result | Failure:
        try:
            upload = {"image": (file.name, await asyncio.to_thread(file.read_bytes))}
            response = await self._client.post("/v1/analyses", files=upload)
            if response.is_error:
                return Failure(_problem(response))
            analysis = response.json()
            return Result(analysis, lambda: self._drawings(analysis["id"]))
        except (OSError, httpx.HTTPError) as error:
            return Failure(str(error))

    async def _drawings(self, analysis_id: str) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for name in ("mask", "overlay", "explanation"):
            response = await self._client.get(f"/v1/analyses/{analysis_id}/{name}.png")
            if response.is_success:
                found[name] = response.content
        return found


def _problem(response: httpx.Response) -> str:
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError):
        return f"the server answered {response.status_code}"


def _drawings(encoded: bytes, mask_png: bytes, explanation_png: bytes) -> dict[str, bytes]:
    below = picture.read(encoded).pixels
    found: dict[str, bytes] = {}
    if mask_png:
        mask = picture.read(mask_png).pixels
        found |= {"mask": mask_png, "overlay": _png(layers.outline(below, mask))}
    if explanation_png:
        found["explanation"] = _png(layers.heat(below, picture.read(explanation_png).pixels))
    return found


def _png(drawn: Image.Image) -> bytes:
    file = io.BytesIO()
    drawn.save(file, "PNG", compress_level=1)
    return file.getvalue()
