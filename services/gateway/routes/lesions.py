"""Lesions."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self, get_args

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from services.gateway.dependencies import (
    Cursor,
    EditorDep,
    KeyedDep,
    Limit,
    PartsDep,
    ReaderDep,
    RemoverDep,
    WriterDep,
)
from services.gateway.problems import documented
from services.gateway.records import Lesion
from services.gateway.routes.revision import RevisionsDep, etag
from services.gateway.text import Text

router = APIRouter(tags=["patients"])

BodySite = Literal[
    "anterior torso",
    "head/neck",
    "lateral torso",
    "lower extremity",
    "oral/genital",
    "palms/soles",
    "posterior torso",
    "upper extremity",
]
"""The ISIC Archive's words for its field ``anatom_site_general``.

They are ``AnatomSiteGeneralEnum`` of https://github.com/ImageMarkup/isic-metadata, which checks the
archive's metadata.
"""

BODY_SITES: tuple[str, ...] = get_args(BodySite)

_Note = Annotated[Text, Field(max_length=2000)]
_Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class LesionChange(BaseModel):
    """What to change of a lesion; what is left out stays."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    body_site: BodySite | None = Field(None, description="The ISIC Archive's general sites.")
    note: _Note | None = None


class NewLesion(LesionChange):
    """A lesion of a patient."""

    patient: _Id = Field(description="The id of the patient.")


class LesionView(BaseModel):
    """A lesion."""

    id: str
    created_at: datetime
    patient: str
    body_site: BodySite | None
    note: str | None

    @classmethod
    def of(cls, lesion: Lesion) -> Self:
        """Show a lesion."""
        return cls.model_validate(lesion.model_dump())


class LesionPage(BaseModel):
    """Some lesions, newest first."""

    items: list[LesionView]
    next_cursor: str | None


@router.post("/v1/lesions", status_code=201, responses=documented(401, 403, 409, 413, 422))
async def create_lesion(
    new: NewLesion, response: Response, caller: WriterDep, parts: PartsDep, keyed: KeyedDep
) -> LesionView:
    """Make a lesion of a patient."""
    lesion = await parts.once.make(
        caller.user.id,
        keyed,
        Lesion,
        lambda made: parts.lesions.create(caller.scope, made, new.model_dump()),
        lambda made: parts.lesions.get(caller.scope, made),
    )
    response.headers["Location"] = f"/v1/lesions/{lesion.id}"
    response.headers["ETag"] = etag(lesion)
    return LesionView.of(lesion)


@router.get("/v1/lesions", responses=documented(401, 403, 422))
async def lesions(
    caller: ReaderDep,
    parts: PartsDep,
    limit: Limit = 50,
    cursor: Cursor = None,
    patient: Annotated[_Id | None, Query(description="Only those of this patient.")] = None,
) -> LesionPage:
    """List lesions, newest first."""
    page = await parts.lesions.page(caller.scope, limit, cursor, patient)
    items = [LesionView.of(lesion) for lesion in page.items]
    return LesionPage(items=items, next_cursor=page.next_cursor)


@router.get("/v1/lesions/{lesion_id}", responses=documented(401, 403, 404))
async def lesion(
    lesion_id: str, response: Response, caller: ReaderDep, parts: PartsDep
) -> LesionView:
    """Show a lesion; `ETag` names the revision."""
    found = await parts.lesions.get(caller.scope, lesion_id)
    response.headers["ETag"] = etag(found)
    return LesionView.of(found)


_CHANGE: dict[str, Any] = {"responses": documented(401, 403, 404, 412, 413, 422, 428)}


@router.patch("/v1/lesions/{lesion_id}", **_CHANGE)
async def change_lesion(
    lesion_id: str,
    change: LesionChange,
    response: Response,
    # Who calls is asked before what the change is meant for.
    caller: EditorDep,
    revisions: RevisionsDep,
    parts: PartsDep,
) -> LesionView:
    """Change a lesion, if it is still of the revision that `If-Match` names."""
    values = change.model_dump(exclude_unset=True)
    changed = await parts.lesions.change(caller.scope, lesion_id, revisions, values)
    response.headers["ETag"] = etag(changed)
    return LesionView.of(changed)


@router.delete(
    "/v1/lesions/{lesion_id}",
    status_code=204,
    responses=documented(401, 403, 404, 412, 422, 428),
)
async def delete_lesion(
    lesion_id: str, caller: RemoverDep, revisions: RevisionsDep, parts: PartsDep
) -> None:
    """Remove a lesion with its analyses.

    They are gone from every answer at once, and for good with the next purge after the retention.
    """
    await parts.lesions.remove(caller.scope, lesion_id, revisions)
