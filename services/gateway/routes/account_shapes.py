"""What routes take and give of accounts, as JSON."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, StrictBool

from services.gateway.identity import TokenPair
from services.gateway.records import Role, User
from services.gateway.security import passwords
from services.gateway.text import Text

NewPassword = Annotated[
    str,
    Field(
        min_length=passwords.MIN_LENGTH,
        max_length=passwords.MAX_LENGTH,
        description="Any characters. Refused when it is among the first that others would try, or "
        "became public in a breach that the operator has a list of.",
    ),
]

Code = Annotated[
    Text,
    Field(
        # With whatever sets its groups apart.
        max_length=64,
        description="The six digits that the app shows now, or a recovery code; each is good once.",
        examples=["492039"],
    ),
]
"""A code of a second factor."""


class Registration(BaseModel):
    """A new account."""

    model_config = {"extra": "forbid"}

    username: str = Field(
        min_length=1,
        max_length=64,
        description="Letters, digits and . _ @ + -; upper and lower case are the same.",
        json_schema_extra={"pattern": "^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$"},
    )
    password: NewPassword


class PasswordGrant(BaseModel):
    """The password grant of OAuth 2 (RFC 6749, 4.3); there are no clients to be named."""

    grant_type: Annotated[str, Field(pattern="^(password)?$")] = "password"
    username: str = Field(min_length=1)
    password: str = Field(min_length=1, json_schema_extra={"format": "password"})
    scope: str = ""
    client_id: str = ""
    client_secret: str = Field("", json_schema_extra={"format": "password"})
    code: Code = Field(
        "",
        description="Of the second factor, where the account has one: the six digits that the app "
        "shows now, or a recovery code; each is good once.",
    )


class PasswordChange(BaseModel):
    """A new password, and the one that it replaces."""

    model_config = {"extra": "forbid"}

    current_password: str = Field(max_length=passwords.MAX_LENGTH)
    new_password: NewPassword


class RefreshRequest(BaseModel):
    """A refresh token: to exchange it, or to end its sign-in."""

    model_config = {"extra": "forbid"}

    refresh_token: str = Field(max_length=256)


class Tokens(BaseModel):
    """Proof of who the caller is."""

    access_token: str = Field(description="Send it as `Authorization: Bearer …`.")
    refresh_token: str = Field(description="Good for one use at `/v1/auth/refresh`.")
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - its name in OAuth 2
    expires_in: int = Field(
        description="Seconds that the access token is good for.", examples=[900]
    )

    @classmethod
    def of(cls, pair: TokenPair) -> Self:
        """Show a pair of tokens."""
        return cls(
            access_token=pair.access_token,
            refresh_token=pair.refresh_token,
            expires_in=pair.expires_in,
        )


class KeySet(BaseModel):
    """Public keys (RFC 7517)."""

    keys: list[dict[str, str]] = Field(
        examples=[
            [{"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": "5f2a", "x": "bm90IGEga2V5"}]
        ]
    )


class UserView(BaseModel):
    """A user."""

    id: str
    organisation_id: str
    username: str
    role: Role
    roles: list[Role]
    disabled: bool
    created_at: datetime

    @classmethod
    def of(cls, user: User) -> Self:
        """Show a user, without the password's hash."""
        return cls(
            id=user.id,
            organisation_id=user.organisation_id,
            username=user.username,
            role=Role(user.role),
            roles=[Role(user.role)],
            disabled=user.disabled,
            created_at=user.created_at,
        )


class NewUser(Registration):
    """An account that an administrator makes."""

    model_config = {"extra": "forbid"}

    role: Role = Role.CLINICIAN


class UserChange(BaseModel):
    """What to change of a user; what is left out stays."""

    model_config = {"extra": "forbid"}

    role: Role | None = None
    disabled: StrictBool | None = None


class UserPage(BaseModel):
    """Some users, newest first."""

    items: list[UserView]
    next_cursor: str | None
