"""A whole gateway a test: its own folder and database, scripted services behind it."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI

from services.gateway import database
from services.gateway.app import create_app
from services.gateway.dependencies import Parts
from services.gateway.settings import Settings
from tests import specimens
from tests.gateway import databases
from tests.gateway.counterparts import ScriptedInference, ScriptedReports, serving

ADMIN_PASSWORD = "correct horse battery"
PASSWORD = "a password of alice"


@dataclass
class Client:
    """Somebody who talks to the gateway over HTTP, signed in or not."""

    http: httpx.AsyncClient
    token: str | None = None

    async def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = dict(options.pop("headers", {}))
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        return await self.http.request(method, path, headers=headers, **options)

    async def analyze(self, picture: bytes | None = None, /, **fields: str) -> httpx.Response:
        """Send a picture as a form."""
        content = specimens.lesion_jpeg() if picture is None else picture
        return await self(
            "POST", "/v1/analyses", files={"image": ("picture", content)}, data=fields
        )


@dataclass
class Gateway:
    """A running gateway and what lies behind it."""

    app: FastAPI
    http: httpx.AsyncClient
    settings: Settings
    inference: ScriptedInference
    reports: ScriptedReports

    @property
    def parts(self) -> Parts:
        """What the process owns."""
        parts: Parts = self.app.state.parts
        return parts

    @property
    def anonymous(self) -> Client:
        """Somebody who is not signed in."""
        return Client(self.http)

    async def signed_in(self, username: str = "alice", password: str = PASSWORD) -> Client:
        """Somebody with a fresh account."""
        answer = await self.anonymous(
            "POST", "/v1/auth/register", json={"username": username, "password": password}
        )
        assert answer.status_code == 201, answer.text
        return Client(self.http, answer.json()["access_token"])

    async def admin(self) -> Client:
        """The administrator that first boot made."""
        answer = await self.anonymous(
            "POST", "/v1/auth/token", data={"username": "admin", "password": ADMIN_PASSWORD}
        )
        assert answer.status_code == 200, answer.text
        return Client(self.http, answer.json()["access_token"])

    def kept_files(self) -> list[Path]:
        """Every file in the picture store, unfinished ones included."""
        return [path for path in (self.settings.data_dir / "pictures").rglob("*") if path.is_file()]


@pytest.fixture(autouse=True, scope="session")
def quiet_logs() -> None:
    """Log lines are made as in production and go nowhere; tests that want them capture them."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.ReturnLoggerFactory(),
    )


Start = Callable[..., AbstractAsyncContextManager[Gateway]]


def settings_for(folder: Path, **changes: Any) -> Settings:
    """Settings as from the environment, without touching it."""
    values: dict[str, Any] = {
        "DERMSERVE_DATA_DIR": folder,
        "admin_password": ADMIN_PASSWORD,
        **changes,
    }
    return Settings.model_validate(values)


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Starts a gateway with settings of the test's choice."""

    @contextlib.asynccontextmanager
    async def started(**changes: Any) -> AsyncIterator[Gateway]:
        inference, reports = ScriptedInference(), ScriptedReports()
        async with serving(inference) as asked, serving(reports) as rendered:
            addresses = {"inference_address": asked, "reports_address": rendered}
            settings = settings_for(tmp_path / "data", **(addresses | changes))
            app = create_app(settings)
            transport = httpx.ASGITransport(app)
            async with (
                app.router.lifespan_context(app),
                httpx.AsyncClient(transport=transport, base_url="http://gateway") as http,
            ):
                yield Gateway(app, http, settings, inference, reports)

    return started


@pytest.fixture
async def gateway(start: Start) -> AsyncIterator[Gateway]:
    """A gateway with default settings."""
    async with start() as running:
        yield running


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One PostgreSQL server for all tests that ask for it."""
    with databases.postgres(tmp_path_factory.mktemp("postgres") / "data") as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """An empty database of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    async with databases.fresh(request.getfixturevalue("postgres")) as url:
        yield url


@pytest.fixture
async def either(start: Start, database_url: str) -> AsyncIterator[Gateway]:
    """A gateway on each kind of database in turn."""
    async with start(database_url=database_url) as running:
        yield running


@pytest.fixture
async def records(database_url: str) -> AsyncIterator[database.Database]:
    """A database of each kind at the current schema."""
    async with database.opened(database_url, 10) as opened:
        yield database.Within(opened, database.EVERYTHING)
