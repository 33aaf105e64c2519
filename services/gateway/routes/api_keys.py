"""The API keys of an organisation's services, for its administrators."""

from datetime import datetime, timedelta
from typing import Annotated, Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.gateway import errors
from services.gateway.dependencies import AdminDep, Cursor, KeyedDep, Limit, PartsDep
from services.gateway.identity import Permission
from services.gateway.identity.permissions import ALLOWED
from services.gateway.problems import documented
from services.gateway.records import ApiKey, Role
from services.gateway.routes.whole import Whole
from services.gateway.text import FilledText

router = APIRouter(tags=["users"])


class NewApiKey(BaseModel):
    """A key for a service."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    user_id: str = Field(
        pattern=r"^[0-9a-f]{32}$", description="Of a user with the role `service`."
    )
    name: Annotated[FilledText, Field(max_length=100)] = Field(
        description="For people, to know what it is used by.", examples=["PACS bridge"]
    )
    permissions: frozenset[Permission] = Field(
        min_length=1,
        description="What the key allows.",
        json_schema_extra={
            "items": {"type": "string", "enum": [*map(str, sorted(ALLOWED[Role.SERVICE]))]}
        },
    )
    days: Whole = Field(365, ge=1, le=730, description="Days that the key is good for.")


class ApiKeyView(BaseModel):
    """A key, without the key itself."""

    id: str
    user_id: str
    name: str
    beginning: str = Field(description="The first characters of the key.", examples=["dsk_4Xa9"])
    permissions: list[Permission]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = Field(description="To the minute; null if it never was used.")

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        """Show a key."""
        return cls.model_validate(key.model_dump())


class ApiKeyPage(BaseModel):
    """Some keys, newest first."""

    items: list[ApiKeyView]
    next_cursor: str | None


class MadeApiKey(ApiKeyView):
    """A key that was just made."""

    key: str = Field(
        description="Send it as `Authorization: Bearer …`. It is shown only this once."
    )


@router.get("/v1/api-keys", responses=documented(401, 403, 422))
async def api_keys(
    admin: AdminDep, parts: PartsDep, limit: Limit = 50, cursor: Cursor = None
) -> ApiKeyPage:
    """List the keys of the own organisation, newest first, expired ones too."""
    page = await parts.api_keys.page(admin.scope, limit, cursor)
    items = [ApiKeyView.of(key) for key in page.items]
    return ApiKeyPage(items=items, next_cursor=page.next_cursor)


@router.post("/v1/api-keys", status_code=201, responses=documented(401, 403, 409, 413, 422))
async def create_api_key(
    new: NewApiKey, admin: AdminDep, parts: PartsDep, keyed: KeyedDep
) -> MadeApiKey:
    """Make a key for a service of the own organisation.

    It allows what it names, as long as the role of its owner does too. When the request comes
    again with its Idempotency-Key, the answer is 409: the key cannot be shown another time.
    """

    async def make(key_id: str) -> tuple[ApiKey, str | None]:
        lifetime = timedelta(days=new.days)
        return await parts.api_keys.create(
            admin.scope, key_id, new.user_id, new.name, new.permissions, lifetime
        )

    async def find(key_id: str) -> tuple[ApiKey, str | None]:
        return await parts.api_keys.get(admin.scope, key_id), None

    made, key = await parts.once.make(admin.user.id, keyed, ApiKey, make, find)
    if key is None:
        raise errors.ConflictError(
            f"This Idempotency-Key has made the API key {made.id}, which cannot be shown again. "
            "Revoke it, and make another."
        )
    return MadeApiKey(**made.model_dump(), key=key)


@router.delete("/v1/api-keys/{key_id}", status_code=204, responses=documented(401, 403, 404))
async def revoke_api_key(key_id: str, admin: AdminDep, parts: PartsDep) -> None:
    """Revoke a key. It is no good from the next request on."""
    await parts.api_keys.revoke(admin.scope, key_id)
