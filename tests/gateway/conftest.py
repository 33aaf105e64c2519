"""A whole gateway a test: its own folder and database, scripted services behind it."""

import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from services.gateway import database
from services.gateway.analyses import Leftovers, Retention
from services.gateway.app import create_app
from services.gateway.audit import Asked, line
from services.gateway.boot import open_records, picture_store
from services.gateway.parts import Parts
from services.gateway.records import now
from services.gateway.settings import Settings
from services.gateway.store import SETTLED_AFTER_S
from tests import specimens
from tests.gateway import databases, identity_providers
from tests.gateway.counterparts import ScriptedInference, ScriptedReports, serving
from tests.gateway.identity_providers import Browser, ScriptedProvider
from tests.gateway.installation import ADMIN_PASSWORD, begin_with, settings_for
from tests.gateway.leaks import PROCESSORS, WATCH
from tests.gateway.patience import (
    figures_are_waited_for,
    health_is_waited_for,
    locks_are_waited_for,
    quotas_are_counted,
    quotas_last,
)
from tests.gateway.sockets import serving_http

__all__ = [
    "figures_are_waited_for",
    "health_is_waited_for",
    "locks_are_waited_for",
    "quotas_are_counted",
    "quotas_last",
]

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
        if path == "/v1/events":
            # Whoever tries all operations would follow it for ever.
            options.setdefault("params", {"follow": "false"})
        answer = await self.http.request(method, path, headers=headers, **options)
        WATCH.see(options, answer)
        return answer

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

    async def purge(self) -> int:
        """Remove for good what was removed until now, as if no picture were new."""
        for path in self.kept_files():
            os.utime(path, (0, 0))
        return await self.purge_settled()

    async def purge_settled(self, settled_after_s: float = SETTLED_AFTER_S) -> int:
        """Remove for good what was removed until now; pictures as old as they are."""
        async with open_records(self.settings) as records:
            leftovers = Leftovers(records, picture_store(self.settings, settled_after_s))
            return await Retention(records, leftovers).purge(now())

    async def show_audit(self) -> None:
        """Let the watch see all rows of the audit, unless the test took the database away."""
        ledger = self.parts.ledger
        with contextlib.suppress(SQLAlchemyError, OSError):
            for chain in await ledger.chains():
                async for rows in ledger.stream(database.EVERYTHING, Asked(), chain):
                    for row in rows:
                        WATCH.write(line(row))

    def kept_files(self) -> list[Path]:
        """Every file in the picture store, unfinished ones included."""
        return [path for path in (self.settings.data_dir / "pictures").rglob("*") if path.is_file()]


@pytest.fixture(autouse=True, scope="module")
def quiet_logs() -> None:
    """Log lines are made as in production and go nowhere; tests that want them capture them."""
    structlog.configure(
        processors=list(PROCESSORS),
        logger_factory=structlog.PrintLoggerFactory(WATCH),  # type: ignore[arg-type]
    )


@pytest.fixture(autouse=True)
def nothing_leaks() -> Iterator[None]:
    """No test may leave a secret in a log line or an audit row; torn down after all others."""
    WATCH.clear()
    WATCH.plant(ADMIN_PASSWORD, PASSWORD)
    with WATCH.listening():
        yield
    assert list(WATCH.leaks()) == []


Start = Callable[..., AbstractAsyncContextManager[Gateway]]


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database at the current schema, with nothing in it."""
    return databases.migrated_file(tmp_path_factory.mktemp("sqlite") / "migrated.db")


@pytest.fixture
def start(tmp_path: Path, migrated_file: Path) -> Start:
    """Starts a gateway with settings of the test's choice."""

    @contextlib.asynccontextmanager
    async def started(**changes: Any) -> AsyncIterator[Gateway]:
        inference, reports = ScriptedInference(), ScriptedReports()
        async with serving(inference) as asked, serving(reports) as rendered:
            addresses = {"inference_address": asked, "reports_address": rendered}
            settings = settings_for(tmp_path / "data", **(addresses | changes))
            begin_with(migrated_file, settings)
            app = create_app(settings)
            transport = httpx.ASGITransport(app)
            async with (
                app.router.lifespan_context(app),
                httpx.AsyncClient(transport=transport, base_url="http://gateway") as http,
            ):
                running = Gateway(app, http, settings, inference, reports)
                yield running
                await running.show_audit()

    return started


@pytest.fixture
async def gateway(start: Start) -> AsyncIterator[Gateway]:
    """A gateway with default settings."""
    async with start() as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """One PostgreSQL server for all tests that ask for it."""
    with databases.folder() as folder, databases.postgres(folder) as address:
        databases.unburden(address)
        yield address


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> str:
    """The name of a PostgreSQL database at the current schema, with nothing in it."""
    return databases.template(postgres)


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(
    request: pytest.FixtureRequest, tmp_path: Path, migrated_file: Path
) -> AsyncIterator[str]:
    """A database of each kind in turn, at the current schema, with nothing in it."""
    if request.param == "sqlite":
        path = shutil.copyfile(migrated_file, tmp_path / "test.db")
        yield f"sqlite:///{path}"
        return
    server, template = map(request.getfixturevalue, ("postgres", "postgres_template"))
    async with databases.fresh(server, template) as url:
        yield url


@pytest.fixture
async def postgres_url(postgres: str, postgres_template: str) -> AsyncIterator[str]:
    """A PostgreSQL database at the current schema, with nothing in it."""
    async with databases.fresh(postgres, postgres_template) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
async def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """A database of each kind in turn, without a schema."""
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
    async with database.opened(database_url, 60) as opened:
        yield database.Within(opened, database.EVERYTHING)


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    """An identity provider that does as the test says."""
    async with identity_providers.scripted_provider() as running:
        yield running


@pytest.fixture
async def visitor(start: Start, provider: ScriptedProvider) -> AsyncIterator[Browser]:
    """A browser at a gateway that has this provider."""
    settings = identity_providers.settings(provider.issuer)
    async with start(**settings) as running, identity_providers.browser(running.app) as coming:
        yield coming


@pytest.fixture
async def either_visitor(
    start: Start, provider: ScriptedProvider, database_url: str
) -> AsyncIterator[Browser]:
    """A browser at a gateway on each kind of database that has this provider."""
    settings = identity_providers.settings(provider.issuer, database_url=database_url)
    async with start(**settings) as running, identity_providers.browser(running.app) as coming:
        yield coming


@dataclass
class Served:
    """A gateway and where it listens."""

    gateway: Gateway
    url: str


@pytest.fixture
async def served(either: Gateway) -> AsyncIterator[Served]:
    """A gateway on each kind of database that listens on a socket."""
    async with serving_http(either.app, either.settings) as url:
        yield Served(either, url)
