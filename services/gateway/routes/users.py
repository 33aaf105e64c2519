"""The users of an organisation, for its administrators."""

from fastapi import APIRouter

from services.gateway.dependencies import AdminDep, Cursor, Limit, PartsDep, SecretKeyedDep
from services.gateway.problems import documented
from services.gateway.records import User
from services.gateway.routes.account_shapes import NewUser, UserChange, UserPage, UserView

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
    new: NewUser, admin: AdminDep, parts: PartsDep, keyed: SecretKeyedDep
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
    return UserView.of(user)


@router.patch("/v1/users/{user_id}", responses=documented(401, 403, 404, 409, 413, 422))
async def change_user(
    user_id: str, change: UserChange, admin: AdminDep, parts: PartsDep
) -> UserView:
    """Change a user's role, or keep them out. It counts from their next request on."""
    user = await parts.accounts.change(
        user_id, admin.scope, role=change.role, disabled=change.disabled
    )
    return UserView.of(user)
