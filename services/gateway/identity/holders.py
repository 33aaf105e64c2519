"""Whose an access token, an API key or a session is, asked at every request.

Nobody changes a record of who is calling, so they are read as plain rows and made plainly: that
SQLAlchemy makes them, and watches them for changes, would take longer than to ask.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, bindparam, orm, select
from sqlmodel import col

from services.gateway.database import unscoped
from services.gateway.records import ApiKey, Organisation, Record, RefreshToken, SignIn, User

Which = Mapping[str, Any]
"""Parameters of a statement."""

_WHO: tuple[type[Record], ...] = (User, Organisation)


def _asking(*tables: type[Record]) -> Select[Any]:
    """Return what asks for all columns of some tables, and of a user and their organisation."""
    asked = [col(getattr(each, name)) for each in (*tables, *_WHO) for name in each.model_fields]
    theirs = col(Organisation.id) == col(User.organisation_id)
    return select(*asked).select_from(User).join(Organisation, theirs)


# Asked at every request: built, and turned into SQL, once.
_BY_TOKEN = (
    _asking()
    .join(SignIn, col(SignIn.user_id) == col(User.id))
    .where(
        col(SignIn.id) == bindparam("sign_in"),
        col(User.id) == bindparam("user"),
        col(SignIn.revoked_at).is_(None),
        col(SignIn.expires_at) > bindparam("now"),
        col(User.disabled).is_(False),
    )
)
_BY_KEY = (
    _asking(ApiKey)
    .join(ApiKey, col(ApiKey.user_id) == col(User.id))
    .where(
        col(ApiKey.digest) == bindparam("digest"),
        col(ApiKey.expires_at) > bindparam("now"),
        col(User.disabled).is_(False),
    )
)
_BY_SESSION = (
    _asking(SignIn)
    .join(SignIn, col(SignIn.user_id) == col(User.id))
    .join(RefreshToken, col(RefreshToken.sign_in_id) == col(SignIn.id))
    .where(
        col(RefreshToken.digest) == bindparam("digest"),
        col(RefreshToken.rotated_at).is_(None),
    )
)


def by_token(which: Which, session: orm.Session) -> tuple[User] | None:
    """Return whose an access token is, by the ids of its ``user`` and ``sign_in``, and ``now``."""
    found: tuple[User] | None = _found(_BY_TOKEN, which, session)
    return found


def by_key(which: Which, session: orm.Session) -> tuple[ApiKey, User] | None:
    """Return the API key of a ``digest`` that is good ``now``, and whose it is."""
    found: tuple[ApiKey, User] | None = _found(_BY_KEY, which, session, ApiKey)
    return found


def by_session(which: Which, session: orm.Session) -> tuple[SignIn, User] | None:
    """Return the sign-in of a session's ``digest``, also one that is over, and whose it is."""
    found: tuple[SignIn, User] | None = _found(_BY_SESSION, which, session, SignIn)
    return found


def _found(asked: Select[Any], which: Which, session: orm.Session, *tables: type[Record]) -> Any:
    """Return a record of each table and then the user, None where there are none."""
    row = unscoped(session).execute(asked, which).one_or_none()
    if row is None:
        return None
    values = iter(row)
    *others, user, organisation = (
        each.model_construct(**dict(zip(each.model_fields, values, strict=False)))
        for each in (*tables, *_WHO)
    )
    vars(user)["organisation"] = organisation
    return (*others, user)
