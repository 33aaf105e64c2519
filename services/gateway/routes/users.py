"""The users of an organisation, for its administrators."""

from typing import Any

from fastapi import APIRouter, Response

from services.gateway.dependencies import AdminDep, Cursor, Limit, PartsDep, SecretKeyedDep
from services.gateway.problems import documented
from services.gateway.records import User
from services.gateway.routes.account_shapes import NewUser, UserChange, UserPage, UserView
from services.gateway.routes.revision import RevisionsDep, etag

router = APIRouter(tags=["users"])


@router.get("/v1/users", responses=documented(401, 403, 422))
async def users(
    admin: AdminDep, parts: PartsDep, limit: Limit = 50, cursor: Cursor = None
) -> UserPage:
    """List the users of the own organisation, newest first."""
    page = await parts.accounts.page(admin.scope, limit, cursor)
    return UserPage(items=[UserView.of(user) for user in page.items], next_cursor=page.next_cursor)


@router.post("/v1/users", status_code=201, responses=documented(401, 403, 409, 413, 422))
async def create_user(
    new: NewUser, response: Response, admin: AdminDep, parts: PartsDep, keyed: SecretKeyedDep
) -> UserView:
    """Make an account in the own organisation."""
    organisation_id = admin.user.organisation_id
    user = await parts.once.make(
        admin.user.id,
        keyed,
        User,
        lambda made: parts.accounts.create(
            new.username, new.password, new.role, organisation_id, made
        ),
        lambda made: parts.accounts.get(admin.scope, made),
    )
    response.headers["Location"] = f"/v1/users/{user.id}"
    response.headers["ETag"] = etag(user)
    return UserView.of(user)


@router.get("/v1/users/{user_id}", responses=documented(401, 403, 404))
async def user(user_id: str, response: Response, admin: AdminDep, parts: PartsDep) -> UserView:
    """Show a user of the own organisation; `ETag` names the revision."""
    found = await parts.accounts.get(admin.scope, user_id)
    response.headers["ETag"] = etag(found)
    return UserView.of(found)


_CHANGE: dict[str, Any] = {"responses": documented(401, 403, 404, 409, 412, 413, 422, 428)}


@router.patch("/v1/users/{user_id}", **_CHANGE)
async def change_user(
    user_id: str,
    change: UserChange,
    response: Response,
    # Who calls is asked before what the change is meant for.
    admin: AdminDep,
    revisions: RevisionsDep,
    parts: PartsDep,
) -> UserView:
    """Change a user's role, or keep them out, if they are still of the revision of `If-Match`.

    It counts from their next request on. A role that an identity provider gives is a change too;
    sign-ins, passwords and second factors are none.
    """
    changed = await parts.accounts.change(
        user_id, admin.scope, revisions=revisions, role=change.role, disabled=change.disabled
    )
    response.headers["ETag"] = etag(changed)
    return UserView.of(changed)
