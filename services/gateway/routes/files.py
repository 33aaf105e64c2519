"""Answers that are files: pictures, drawings, reports."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from fastapi import Depends, Response

from services.gateway.dependencies import PartsDep, ReaderDep
from services.gateway.problems import documented

NAMED = {
    "Content-Disposition": {
        "description": "What the file is called where it is kept.",
        "schema": {"type": "string", "examples": ['inline; filename="analysis.png"']},
        "required": True,
    }
}
"""The header of an answer that is a file with a name, as OpenAPI describes it."""


def file_of(*kinds: str) -> dict[str, Any]:
    """Describe an answer that is a file of one of some media types."""
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}
    return {"description": "The file.", "content": content}


def gives(
    *kinds: str,
    of: Callable[..., Any],
    failing: tuple[int, ...] = (401, 403, 404, 409, 503),
    headers: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Describe a route whose answer is a file, and hold a place in memory until it is out.

    Args:
        kinds: media types of the file.
        of: the dependency that finds what it is of; only who may have that takes a place.
        failing: statuses that it can fail with.
        headers: of the answer, as OpenAPI describes them.

    """
    ok = {200: {**file_of(*kinds), "headers": NAMED | (headers or {})}}

    async def place(
        _found: Annotated[object, Depends(of)], caller: ReaderDep, parts: PartsDep
    ) -> AsyncIterator[None]:
        with parts.downloads.taken(caller.user.id), parts.places.taken(caller.user.id):
            yield

    return {
        "responses": ok | documented(*failing),
        "response_class": Response,
        "dependencies": [Depends(place)],
    }


def private(
    content: bytes, kind: str, name: str, headers: dict[str, str] | None = None
) -> Response:
    """Answer with a file that nobody on the way may keep."""
    return Response(
        content,
        media_type=kind,
        headers={
            "Cache-Control": "private, no-store",
            "Content-Disposition": f'inline; filename="{name}"',
            **(headers or {}),
        },
    )
