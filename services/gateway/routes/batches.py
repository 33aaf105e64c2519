"""Batches: sent, listed, shown, cancelled, removed."""

from datetime import datetime
from typing import Any, Self

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.gateway.analyses import Subject
from services.gateway.batches import Counted
from services.gateway.batches.reading import ARCHIVE_TYPE, PICTURES_FIELD
from services.gateway.dependencies import (
    Cursor,
    EditorDep,
    IdempotencyKeyDep,
    Limit,
    PartsDep,
    ReaderDep,
    RemoverDep,
    WriterDep,
)
from services.gateway.once import Keyed
from services.gateway.problems import documented
from services.gateway.records import UNFINISHED, Batch
from services.gateway.uploads.body import FORM_TYPE

router = APIRouter(tags=["batches"])


class BatchView(BaseModel):
    """Pictures that came together, and how many of them are how far."""

    id: str
    created_at: datetime
    pictures: int = Field(description="How many came.", examples=[3])
    finished: bool = Field(description="Whether each of them has its result.", examples=[False])
    queued: int = Field(description="Wait for their turn.", examples=[1])
    running: int = Field(description="Are being analyzed.", examples=[1])
    succeeded: int = Field(description="Have an answer.", examples=[1])
    failed: int = Field(description="Have a `problem`.", examples=[0])

    @classmethod
    def of(cls, counted: Counted) -> Self:
        """Show a batch; what was removed of it since counts no more."""
        counts = counted.counts
        return cls(
            id=counted.batch.id,
            created_at=counted.batch.created_at,
            pictures=counted.batch.pictures,
            finished=not any(counts[status] for status in UNFINISHED),
            **{str(status): count for status, count in counts.items()},
        )


class BatchPage(BaseModel):
    """Some batches, newest first."""

    items: list[BatchView]
    next_cursor: str | None


def _body() -> dict[str, Any]:
    """Describe the body, which is read by us because the framework would not bound it."""
    binary = {"type": "string", "format": "binary"}
    form = {
        "type": "object",
        "additionalProperties": False,
        "required": [PICTURES_FIELD],
        "properties": {
            PICTURES_FIELD: {"type": "array", "items": binary, "minItems": 1},
            **Subject.model_json_schema()["properties"],
        },
    }
    content = {FORM_TYPE: {"schema": form}, ARCHIVE_TYPE: {"schema": binary}}
    return {"requestBody": {"required": True, "content": content}}


_LOCATION = {
    "description": "Where it is shown from now on.",
    "schema": {"type": "string", "format": "uri-reference"},
    "required": True,
}
_TAKEN: dict[int | str, dict[str, Any]] = {202: {"headers": {"Location": _LOCATION}}}


@router.post(
    "/v1/batches",
    status_code=202,
    openapi_extra=_body(),
    responses=_TAKEN | documented(401, 403, 408, 409, 413, 415, 422, 503, 507),
)
async def send_batch(
    request: Request,
    response: Response,
    caller: WriterDep,
    parts: PartsDep,
    key: IdempotencyKeyDep,
) -> BatchView:
    """Send many pictures to be analyzed later: each in a field `images` of a form, or in one zip.

    Each becomes an analysis, which `GET /v1/analyses?batch=` lists. All have been checked and kept
    when the answer comes: a file that cannot be used has failed by then, and the others go on. The
    text fields of a form are those of each of its pictures.
    """
    with parts.batch_places.taken(caller.user.id):
        reading = parts.new_reading()
        known = key is not None and await parts.once.has_made(
            caller.user.id, Keyed(request.url.path, key, ()), Batch
        )
        arriving = parts.intake.arriving(caller.scope, reading, request, known=known)
        async with arriving as arrived:
            batch: Batch = await parts.once.make(
                caller.user.id,
                None if key is None else Keyed(request.url.path, key, reading.fingerprint),
                Batch,
                lambda made: parts.intake.seal(caller.scope, made, arrived, reading.fields),
                lambda made: parts.batches.find(caller.scope, made),
            )
    response.headers["Location"] = f"/v1/batches/{batch.id}"
    return BatchView.of(await parts.batches.get(caller.scope, batch.id))


@router.get("/v1/batches", responses=documented(401, 403, 422))
async def batches(
    caller: ReaderDep, parts: PartsDep, limit: Limit = 50, cursor: Cursor = None
) -> BatchPage:
    """List batches, newest first: the caller's own, or all of an organisation that shares."""
    page = await parts.batches.page(caller.scope, limit, cursor)
    counted = await parts.batches.counted(caller.scope, page.items)
    return BatchPage(items=[*map(BatchView.of, counted)], next_cursor=page.next_cursor)


@router.get("/v1/batches/{batch_id}", responses=documented(401, 403, 404))
async def batch(batch_id: str, caller: ReaderDep, parts: PartsDep) -> BatchView:
    """Show a batch and how far it is; `GET /v1/analyses?batch=` lists its analyses."""
    return BatchView.of(await parts.batches.get(caller.scope, batch_id))


@router.post("/v1/batches/{batch_id}/cancel", responses=documented(401, 403, 404))
async def cancel_batch(batch_id: str, caller: EditorDep, parts: PartsDep) -> BatchView:
    """Withdraw the pictures of a batch whose turn has not come.

    They have failed then, with a problem that says so. What is being analyzed gets its result, and
    what has one keeps it. To do so again changes nothing.
    """
    return BatchView.of(await parts.batches.cancel(caller.scope, batch_id))


@router.delete("/v1/batches/{batch_id}", status_code=204, responses=documented(401, 403, 404))
async def delete_batch(batch_id: str, caller: RemoverDep, parts: PartsDep) -> None:
    """Remove a batch with its analyses; what has not been analyzed is not any more.

    It is gone from every answer at once, and for good with the next purge after the retention.
    """
    await parts.batches.remove(caller.scope, batch_id)
