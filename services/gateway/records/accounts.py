"""Users, their sign-ins, and the refresh tokens of each sign-in."""

import re
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index
from sqlmodel import Field, Relationship

from services.gateway.records.base import ID_LENGTH, Record, UtcDateTime, new_id, now
from services.gateway.records.organisation import Belonging, Organisation

DIGEST_LENGTH = 64
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}", re.ASCII)


class Role(StrEnum):
    """What kind of user one is; ``identity.permissions`` says what each may do."""

    ADMIN = "admin"
    CLINICIAN = "clinician"
    SERVICE = "service"
    VIEWER = "viewer"


class SignInMethod(StrEnum):
    """How somebody proved who they are."""

    PASSWORD = "password"  # noqa: S105 - a word
    OIDC = "oidc"


class User(Belonging, table=True):
    """A person or program. Usernames are kept in lower case.

    Whom only an identity provider knows has an empty ``password_hash``, and so no password.
    ``revision`` counts how often somebody set their role, or whether they are kept out, even if to
    what it was.
    """

    __tablename__ = "users"
    __table_args__ = (
        Index("ix_users_organisation_id_created_at_id", "organisation_id", "created_at", "id"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=ID_LENGTH)
    username: str = Field(unique=True, max_length=64)
    password_hash: str = Field(max_length=255)
    role: str = Field(default=Role.CLINICIAN, max_length=16)
    disabled: bool = False
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    revision: int = Field(default=1, sa_column_kwargs={"server_default": "1"})

    # Asked for at every request, together with the user.
    organisation: Organisation = Relationship(
        sa_relationship_kwargs={"lazy": "joined", "innerjoin": True}
    )


class SignIn(Record, table=True):
    """One sign-in and everything that grows from it: the family of its refresh tokens.

    ``provider_session`` is the digest of what the identity provider calls it.
    """

    __tablename__ = "sign_ins"

    id: str = Field(default_factory=new_id, primary_key=True, max_length=ID_LENGTH)
    user_id: str = Field(
        foreign_key="users.id", ondelete="CASCADE", index=True, max_length=ID_LENGTH
    )
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    used_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    method: str = Field(default=SignInMethod.PASSWORD, max_length=16)
    provider_session: str | None = Field(default=None, index=True, max_length=DIGEST_LENGTH)


class RefreshToken(Record, table=True):
    """A refresh token, known by its digest.

    The one without ``rotated_at`` is the live one of its family. ``successor`` is the token
    that a rotation gave out.
    """

    __tablename__ = "refresh_tokens"

    digest: str = Field(primary_key=True, max_length=DIGEST_LENGTH)
    sign_in_id: str = Field(
        foreign_key="sign_ins.id", ondelete="CASCADE", index=True, max_length=ID_LENGTH
    )
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    rotated_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    successor: str | None = Field(default=None, max_length=DIGEST_LENGTH)


def is_username(text: str) -> bool:
    """Say whether a text, in lower case, keeps the rules for usernames."""
    return _USERNAME.fullmatch(text) is not None
