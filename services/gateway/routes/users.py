"""Administration of users."""

from fastapi import APIRouter

from services.gateway.dependencies import AdminDep, Cursor, Limit, PartsDep
from services.gateway.problems import documented
from services.gateway.routes.shapes import UserChange, UserPage, UserView

router = APIRouter(tags=["users"])


@router.get("/v1/users", responses=documented(401, 403, 422))
async def users(
    _admin: AdminDep, parts: PartsDep, limit: Limit = 50, cursor: Cursor = None
) -> UserPage:
    """List users, newest first. For administrators."""
    page = await parts.accounts.page(limit, cursor)
    return UserPage(items=[UserView.of(user) for user in page.items], next_cursor=page.next_cursor)


@router.patch("/v1/users/{user_id}", responses=documented(401, 403, 404, 409, 413, 422))
async def change_user(
    user_id: str, change: UserChange, _admin: AdminDep, parts: PartsDep
) -> UserView:
    """Change a user's role, or keep them out. It counts from their next request on."""
    user = await parts.accounts.change(user_id, role=change.role, disabled=change.disabled)
    return UserView.of(user)
