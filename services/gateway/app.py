"""The composition root: reads, from top to bottom, as the list of what the process owns."""

import contextlib
from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.routing import APIRoute

from services import rpc
from services.gateway import database, errors, problems, routes
from services.gateway.analyses import Analyzer, Files, History, Views
from services.gateway.clients import Inference, Reports
from services.gateway.dependencies import Parts
from services.gateway.door import Door
from services.gateway.health import Health
from services.gateway.identity import Access, Accounts, Attempts, Passwords, SignIns
from services.gateway.metrics import Metrics
from services.gateway.openapi import Application
from services.gateway.places import Places
from services.gateway.security import key_ring, keys, tokens
from services.gateway.settings import Settings
from services.gateway.store import Store
from services.gateway.threads import Threads
from services.gateway.uploads import Bodies

if TYPE_CHECKING:  # OpenTelemetry is there only where traces are wanted
    from services.telemetry.traces import Traces

_DESCRIPTION = (
    "Dermoscopic pictures in; lesion outline, calibrated probabilities, explanation and report "
    "out.\n\nResearch and decision support only. Not a diagnosis.\n\nErrors are "
    "application/problem+json (RFC 9457) and carry the request id, which is taken from and "
    "given back in X-Request-Id. Lists are paged: pass next_cursor as cursor to go on."
)


SIGNING_KEY = "signing-key.pem"
"""Name of the private key in the data folder."""


class BootError(Exception):
    """The gateway cannot start; the message says what to do."""


def create_app(settings: Settings, traces: "Traces | None" = None) -> FastAPI:
    """Build the application; its lifespan opens and closes what the process owns.

    Args:
        settings: checked already.
        traces: where requests are recorded; None for nowhere.

    """
    metrics = Metrics()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _opened(settings, metrics) as parts:
            app.state.parts = parts
            yield

    app = Application(
        title="dermserve",
        version=version("dermserve"),
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        # A redirected POST would send its picture twice, or lose it.
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    app.add_middleware(
        Door,
        metrics=metrics,
        body_timeout_s=settings.upload_timeout_s,
        unbounded=frozenset({"/v1/analyses"}),
        traces=traces,
    )
    problems.install(app)
    for router in routes.ALL:
        app.include_router(router)
    return app


@contextlib.asynccontextmanager
async def open_records(settings: Settings) -> AsyncIterator[database.Database]:
    """Open the database alone, with all organisations, for the command line.

    Raises:
        BootError: the data folder or the database cannot be used.

    """
    _make_folder(settings.data_dir)
    async with _database(settings) as opened:
        yield database.Within(opened, database.EVERYTHING)


@contextlib.asynccontextmanager
async def open_accounts(settings: Settings) -> AsyncIterator[Accounts]:
    """Open the accounts alone, for the command line; raises what ``open_records`` does."""
    async with open_records(settings) as records:
        yield Accounts(records, Passwords(records, Attempts(records)))


@contextlib.asynccontextmanager
async def _opened(settings: Settings, metrics: Metrics) -> AsyncIterator[Parts]:
    _make_folder(settings.data_dir)
    ring = _key_ring(settings.data_dir / SIGNING_KEY)
    async with contextlib.AsyncExitStack() as stack:
        records = await stack.enter_async_context(_database(settings))
        # Who is calling is found out across organisations.
        everything = database.Within(records, database.EVERYTHING)
        inference_channel = await stack.enter_async_context(rpc.dial(settings.inference_address))
        reports_channel = await stack.enter_async_context(rpc.dial(settings.reports_address))

        drawing = Threads(settings.max_drawings)
        access_tokens = tokens.AccessTokens(ring, settings.access_token_s)
        attempts = Attempts(everything)
        passwords = Passwords(everything, attempts, settings.max_password_checks)
        accounts = Accounts(everything, passwords)
        store = Store(settings.data_dir / "pictures")
        files = Files(records, store)
        inference = Inference(inference_channel)
        limits = (settings.max_upload_bytes, settings.max_pixels, settings.max_side)

        await files.sweep()
        await _welcome(accounts, settings)
        yield Parts(
            access=Access(everything, access_tokens),
            accounts=accounts,
            analyzer=Analyzer(inference, files, drawing, limits, metrics),
            bodies=Bodies(settings.max_upload_bytes),
            health=Health(everything, {"inference": inference_channel, "reports": reports_channel}),
            history=History(records, files),
            inference=inference,
            keys=ring,
            metrics=metrics,
            passwords=passwords,
            places=Places(
                settings.max_pictures, "Too many pictures are in work. Try again shortly."
            ),
            sign_ins=SignIns(
                everything, passwords, attempts, access_tokens, settings.refresh_token_s
            ),
            views=Views(store, drawing, Reports(reports_channel, settings.institution)),
            analysis_timeout_s=settings.analysis_timeout_s,
            report_timeout_s=settings.report_timeout_s,
            registration_open=settings.registration_open,
        )


@contextlib.asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[database.Database]:
    async with contextlib.AsyncExitStack() as stack:
        opening = database.opened(settings.database, settings.boot_timeout_s)
        try:
            opened = await stack.enter_async_context(opening)
        except database.DatabaseError as error:
            raise BootError(str(error)) from error
        yield opened


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BootError(
            f"the data folder {folder} cannot be made ({error.strerror}): set DERMSERVE_DATA_DIR "
            "to a folder that can be written to"
        ) from error


def _key_ring(path: Path) -> key_ring.KeyRing:
    try:
        return key_ring.KeyRing(path)
    except keys.KeyFileError as error:
        raise BootError(str(error)) from error
    except OSError as error:
        raise BootError(
            f"the signing key {path} cannot be read or made ({error.strerror}): set "
            "DERMSERVE_DATA_DIR to a folder that can be written to"
        ) from error


async def _welcome(accounts: Accounts, settings: Settings) -> None:
    """Make the first administrator and show their password, once and not in the log."""
    given = settings.admin_password
    try:
        password = await accounts.ensure_admin(given.get_secret_value() if given else None)
    except errors.InvalidRequestError as error:
        raise BootError(f"DERMSERVE_GATEWAY_ADMIN_PASSWORD: {error}") from error
    if password is not None:
        print(  # noqa: T201 - for the person at the terminal; logs are kept, this must not be
            f"First boot: sign in as admin with the password {password} (shown only now).",
            flush=True,
        )


def _operation_id(route: APIRoute) -> str:
    """Name operations after their functions: short, and stable when paths change."""
    return route.name
