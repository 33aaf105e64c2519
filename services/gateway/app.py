"""The application: what every request passes on its way to a route and back."""

import contextlib
from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute

from services.gateway import audit, problems, routes
from services.gateway.composition import opened
from services.gateway.cross_origin import CrossOrigin
from services.gateway.door import Door
from services.gateway.exposition import Worker
from services.gateway.gate import Gate
from services.gateway.hosts import Hosts
from services.gateway.metrics import Metrics
from services.gateway.openapi import Application
from services.gateway.settings import Settings
from services.gateway.web import ROUTERS, Pages, ProblemPages

if TYPE_CHECKING:  # OpenTelemetry is there only where traces are wanted
    from services.telemetry.traces import Traces

_DESCRIPTION = (
    "Dermoscopic pictures in; lesion outline, calibrated probabilities, explanation and report "
    "out.\n\nResearch and decision support only. Not a diagnosis.\n\nErrors are "
    "application/problem+json (RFC 9457) and carry the request id, which is taken from and "
    "given back in X-Request-Id. Lists are paged: pass next_cursor as cursor to go on.\n\nA POST "
    "that makes something for a caller takes an Idempotency-Key and is then safe to send again: "
    "the same request with the same key shows what the first one made, as it is now; another "
    "request with it is refused (422). While the first one is being worked on, the answer is 409: "
    "try again after Retry-After. A request that was refused leaves its key free. Keys are the "
    "caller's own, one path each."
)

_NONE = type(APIRouter().lifespan_context)
"""Of routers that do nothing at start and end."""


def create_app(
    settings: Settings, traces: "Traces | None" = None, worker: Worker | None = None
) -> FastAPI:
    """Build the application; its lifespan opens and closes what the process owns.

    Args:
        settings: checked already.
        traces: where requests are recorded; None for nowhere.
        worker: which of several processes this is; None where it is the only one.

    """
    metrics = Metrics()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opened(settings, metrics, worker) as parts:
            app.state.parts = parts
            yield

    app = Application(
        title="dermserve",
        version=version("dermserve"),
        description=_DESCRIPTION,
        license_info={"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        openapi_tags=routes.TAGS,
        servers=[{"url": "/", "description": "The gateway that gave this document."}],
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        # A redirected POST would send its picture twice, or lose it.
        redirect_slashes=False,
    )
    app.state.pages = Pages(settings.institution)
    cross_origin = CrossOrigin(settings.origins)
    app.add_middleware(Gate, hosts=Hosts(settings.hosts), cross_origin=cross_origin)
    app.add_middleware(audit.Recorder)
    app.add_middleware(
        Door,
        metrics=metrics,
        body_timeout_s=settings.upload_timeout_s,
        unbounded=frozenset({"/v1/analyses", "/v1/batches", "/analyze"}),
        slow={"/v1/batches": settings.batch_timeout_s},
        cross_origin=cross_origin,
        traces=traces,
        patience_s=settings.download_patience_s,
    )
    app.add_middleware(ProblemPages)
    problems.install(app)
    for router in (*routes.ALL, *ROUTERS):
        _take(router, app)
    return app


def _take(router: APIRouter, app: FastAPI) -> None:
    """Take the routes of a router as they are.

    Included as the framework includes routers, they are wrapped: each request is then held against
    them at several times the cost, and twice where one fits.

    Raises:
        TypeError: something of the router would be lost that way, or have another name.

    """
    if not all(isinstance(route, APIRoute | APIWebSocketRoute) for route in router.routes):
        raise TypeError("A router within another is not taken: name it in ALL or ROUTERS.")
    if router.on_startup or router.on_shutdown or not isinstance(router.lifespan_context, _NONE):
        raise TypeError("What a router does at start and end is not taken: do it in the lifespan.")
    for route in router.routes:
        if isinstance(route, APIRoute):
            _name(route)
        app.router.routes.append(route)


def _name(route: APIRoute) -> None:
    """Name an operation after its function: short, and stable when paths change."""
    shape = route.body_field and route.body_field.field_info.annotation
    is_form = getattr(shape, "__name__", "").startswith("Body_")
    # The framework has made the shape of a form, and named it after the operation, before.
    if route.include_in_schema and is_form and route.operation_id != route.name:
        raise TypeError(f"{route.name} has a form: give it its name as operation_id.")
    route.unique_id = route.name
