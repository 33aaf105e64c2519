"""What was spent of quotas."""

from datetime import datetime

from sqlmodel import Field

from services.gateway.records.base import Record, UtcDateTime, now

DIGEST_LENGTH = 64


class QuotaUse(Record, table=True):
    """Units of somebody's quota that replicas have taken in a window of time.

    The digest is of the policy and of whom it is about.
    """

    __tablename__ = "quota_uses"

    digest: str = Field(primary_key=True, max_length=DIGEST_LENGTH)
    used: int = 0
    ends_at: datetime = Field(default_factory=now, sa_type=UtcDateTime, index=True)
