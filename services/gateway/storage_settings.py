"""What operators may set about where pictures are kept, and how many."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings

_GIB = 1024**3

# An empty variable is one without a value.
Quota = Annotated[int | None, Field(ge=1), BeforeValidator(lambda given: given or None)]


def _bare(prefix: str) -> str:
    return prefix.strip("/")


class StorageSettings(BaseSettings):
    """Environment variables with the prefix of the gateway's settings, of which these are some."""

    s3_bucket: str = Field(
        "", description="Bucket for the pictures; empty keeps them in the data folder."
    )
    s3_prefix: Annotated[str, AfterValidator(_bare)] = Field(
        "", description="Under which everything in the bucket lies."
    )
    s3_region: str = Field("us-east-1", min_length=1, description="Region of the bucket.")
    s3_endpoint: str = Field(
        "",
        pattern=r"^(https?://[^/]+)?$",
        description="Where the server of the bucket answers, such as https://minio:9000; empty is "
        "Amazon's own.",
    )
    s3_path_style: bool = Field(
        default=True, description="Whether the bucket is named in the path; else in the host."
    )
    s3_allow_http: bool = Field(
        default=False, description="Whether an endpoint without TLS may be used."
    )
    s3_ca_file: Path | None = Field(
        None, description="Certificates (PEM) to trust for the endpoint, beside the usual ones."
    )
    s3_access_key_id: SecretStr = Field(
        SecretStr(""),
        description="Key for the bucket; empty takes what the environment has: AWS_* variables, a "
        "web identity, or the role of the container or machine.",
    )
    s3_secret_access_key: SecretStr = Field(SecretStr(""), description="Secret of that key.")
    s3_session_token: SecretStr = Field(
        SecretStr(""), description="Token of a key that is good for a while."
    )
    s3_encryption: Literal["", "AES256", "aws:kms", "aws:kms:dsse"] = Field(
        "", description="Server-side encryption to ask for; empty leaves it to the bucket."
    )
    s3_encryption_key_id: str = Field("", description="Its key, for `aws:kms`.")
    s3_timeout_s: float = Field(
        10, gt=0, le=20, description="Seconds that the bucket may take for an object; then 503."
    )
    user_quota_bytes: Quota = Field(
        100 * _GIB, description="Most bytes kept for a user; empty for no bound."
    )
    user_quota_pictures: Quota = Field(
        100_000, description="Most pictures kept for a user; empty for no bound."
    )
    organisation_quota_bytes: Quota = Field(
        None, description="Most bytes kept for an organisation; empty for no bound."
    )
    organisation_quota_pictures: Quota = Field(
        None, description="Most pictures kept for an organisation; empty for no bound."
    )
    min_free_bytes: int = Field(
        512 * 1024**2,
        ge=0,
        le=1024**4,
        description="Room that the disks of pictures and SQLite must have; below it new pictures "
        "are refused with 507.",
    )
    min_free_percent: float = Field(
        1, ge=0, le=90, description="The same as a share of the disk; the larger one counts."
    )
