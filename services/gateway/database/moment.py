"""One moment, of which all is that somebody reads."""

from sqlalchemy.orm import Session

from services.gateway.database.unscoped import unscoped

_AS_OF_ITS_BEGINNING = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def see_one_moment(session: Session) -> None:
    """Let all statements of a session see what was there at its first; before that one.

    For figures that are said together. Else each sees what is committed when it begins.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options=_AS_OF_ITS_BEGINNING)
    else:
        unscoped(session).exec_driver_sql("BEGIN")
