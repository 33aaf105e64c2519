"""The application is made: routes are taken as they are, and what would be lost is refused."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import APIRouter, FastAPI, Form

from services.gateway import app
from tests.gateway.installation import settings_for


@contextlib.asynccontextmanager
async def life(_: FastAPI) -> AsyncIterator[None]:
    yield


async def told(word: Annotated[str, Form()]) -> str:
    """Hear a word."""
    return word


def within() -> APIRouter:
    router, inner = APIRouter(), APIRouter()
    inner.post("/told")(told)
    router.include_router(inner)
    return router


def with_a_form(**options: str) -> APIRouter:
    router = APIRouter()
    router.post("/told", **options)(told)  # type: ignore[arg-type]
    return router


LOST = {
    "a lifespan": (APIRouter(lifespan=life), "start and end"),
    "what it does at its start": (APIRouter(on_startup=[print]), "start and end"),
    "a router within": (within(), "router within another"),
    "the name of a form": (with_a_form(), "told has a form"),
}


@pytest.mark.parametrize("what", LOST)
def test_a_router_of_which_something_would_be_lost_is_refused(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    router, reason = LOST[what]
    monkeypatch.setattr(app, "ROUTERS", (router,))

    with pytest.raises(TypeError, match=reason):
        app.create_app(settings_for(tmp_path))


def test_a_form_that_has_the_name_of_its_operation_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "ROUTERS", (with_a_form(operation_id="told"),))

    document = app.create_app(settings_for(tmp_path)).openapi()

    assert "Body_told" in document["components"]["schemas"]
