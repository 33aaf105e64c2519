"""What operators may set about pictures that are analyzed later."""

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings


class JobSettings(BaseSettings):
    """Environment variables with the prefix of the gateway's settings, of which these are some."""

    job_workers: int = Field(
        4,
        ge=0,
        le=256,
        description="Pictures of batches and of `Prefer: respond-async` that this replica analyzes "
        "at the same time; 0 leaves them to other replicas.",
    )
    job_lease_s: float = Field(
        30,
        ge=1,
        le=600,
        description="Seconds after which others take up what a replica was working on that was "
        "killed.",
    )
    max_queued_pictures: int = Field(
        10_000,
        ge=1,
        le=1_000_000,
        description="Pictures that may wait for their analysis, on all replicas together; further "
        "ones are refused with 503. Those of one user alone fill half of it.",
    )
    max_batch_pictures: int = Field(
        1000,
        ge=1,
        le=1000,
        description="Most pictures of a batch; half of those that may wait, or fewer.",
    )
    max_batch_bytes: int = Field(
        4 * 1024**3,
        ge=1024,
        le=16 * 1024**3,
        description="Most bytes of a batch: of its form or archive, and of what is in the archive.",
    )
    batch_timeout_s: float = Field(
        900,
        gt=0,
        le=3000,
        description="Seconds that a batch may take to arrive, its pictures checked meanwhile; "
        "then 408.",
    )

    @field_validator("max_batch_pictures")
    @classmethod
    def _has_room(cls, most: int, known: ValidationInfo) -> int:
        """Refuse what nobody could ever send: alone a user fills half of the line."""
        if most > (known.data.get("max_queued_pictures", most * 2) + 1) // 2:
            raise ValueError("must be at most half of DERMSERVE_GATEWAY_MAX_QUEUED_PICTURES")
        return most
