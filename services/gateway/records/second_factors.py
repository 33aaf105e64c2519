"""Second factors of sign-ins by password, and what leads from the first step to the second."""

from datetime import datetime

from sqlmodel import Field

from services.gateway.records.base import ID_LENGTH, Record, UtcDateTime, now

DIGEST_LENGTH = 64


class SecondFactor(Record, table=True):
    """The one of a user; in force once it is confirmed.

    ``sealed`` is the secret that an app on a telephone has too. ``last_step`` is the latest step of
    thirty seconds of which a code was taken: it and those before it are good no more.
    """

    __tablename__ = "second_factors"

    user_id: str = Field(
        primary_key=True, foreign_key="users.id", ondelete="CASCADE", max_length=ID_LENGTH
    )
    sealed: str = Field(max_length=255)
    last_step: int = 0
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class RecoveryCode(Record, table=True):
    """A code for who has lost the telephone, known by its digest; who uses it takes it away."""

    __tablename__ = "recovery_codes"

    digest: str = Field(primary_key=True, max_length=DIGEST_LENGTH)
    user_id: str = Field(
        foreign_key="users.id", ondelete="CASCADE", index=True, max_length=ID_LENGTH
    )


class SignInTicket(Record, table=True):
    """Somebody whose password was right, and who is not signed in yet; known by its digest."""

    __tablename__ = "sign_in_tickets"

    digest: str = Field(primary_key=True, max_length=DIGEST_LENGTH)
    user_id: str = Field(
        foreign_key="users.id", ondelete="CASCADE", index=True, max_length=ID_LENGTH
    )
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
