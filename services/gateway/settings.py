"""What operators may set in the gateway."""

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=600)]

_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+aiosqlite": "sqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}


def _with_driver(url: str) -> str:
    """Name the driver in a database address, so that people may write the usual short form."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is None or parsed.drivername not in _DRIVERS or _is_nowhere(parsed):
        # The address may hold a password, so it is not repeated.
        raise ValueError(
            "must look like sqlite:///folder/file.db or postgresql://user:password@host/name"
        )
    # The driver's own name for what libpq and its address books call sslmode.
    query = {"ssl" if key == "sslmode" else key: value for key, value in parsed.query.items()}
    named = parsed.set(drivername=_DRIVERS[parsed.drivername], query=query)
    return named.render_as_string(hide_password=False)


def _is_nowhere(address: URL) -> bool:
    """Say whether an address means a database in memory, which would forget everything."""
    return address.get_backend_name() == "sqlite" and address.database in {None, "", ":memory:"}


def _networks(listed: str) -> str:
    """Check a list of addresses and networks."""
    for each in filter(None, map(str.strip, listed.split(","))):
        ipaddress.ip_network(each)
    return listed


class Settings(BaseSettings):
    """Environment variables with the prefix ``DERMSERVE_GATEWAY_``."""

    model_config = SettingsConfigDict(env_prefix="DERMSERVE_GATEWAY_", frozen=True)

    host: str = Field("127.0.0.1", min_length=1, description="Interface to listen on.")
    port: Port = Field(8000, description="HTTP port; 0 takes any free one.")
    data_dir: Path = Field(
        Path("data"),
        validation_alias="DERMSERVE_DATA_DIR",
        description="Folder for the signing key, the pictures and the SQLite database.",
    )
    database_url: Annotated[SecretStr, AfterValidator(lambda s: SecretStr(_checked(s)))] = Field(
        SecretStr(""),
        description="SQLite or PostgreSQL address; empty is `gateway.db` in the data folder.",
    )
    inference_address: str = Field(
        "127.0.0.1:8500", min_length=1, description="Where the inference service answers gRPC."
    )
    reports_address: str = Field(
        "127.0.0.1:8600", min_length=1, description="Where the report service answers gRPC."
    )
    trusted_proxies: Annotated[str, AfterValidator(_networks)] = Field(
        "",
        description="Addresses or networks of reverse proxies, separated by commas: what they say "
        "in X-Forwarded-For and X-Forwarded-Proto is believed.",
    )
    boot_timeout_s: Seconds = Field(
        10, description="Seconds to wait at boot for a database that does not answer."
    )
    upload_timeout_s: Seconds = Field(
        60, description="Seconds that a request's body may take to arrive; then 408."
    )
    analysis_timeout_s: Seconds = Field(
        10, description="Seconds that an analysis may take once its picture has arrived; then 504."
    )
    report_timeout_s: Seconds = Field(
        10, description="Seconds that rendering a report may take; then 504."
    )
    drain_s: float = Field(
        15, ge=0, le=600, description="Seconds that running requests may take after SIGTERM."
    )
    max_upload_bytes: int = Field(
        16 * 1024 * 1024,
        ge=1024,
        le=16 * 1024 * 1024,
        description="Largest picture file; inference takes no larger ones.",
    )
    max_pixels: int = Field(
        64_000_000,
        ge=1,
        le=64_000_000,
        description="Most pixels of a picture; inference takes no more.",
    )
    max_side: int = Field(
        16_384, ge=1, le=65_535, description="Longest side of a picture, in pixels."
    )
    max_pictures: int = Field(
        64,
        ge=1,
        le=4096,
        description="Pictures held in memory at the same time, on their way in or out; "
        "further ones are refused with 503.",
    )
    max_drawings: int = Field(
        default_factory=lambda: min(len(os.sched_getaffinity(0)), 2),
        ge=1,
        le=256,
        description="Pictures decoded or drawn at the same time; at most two unless set.",
    )
    registration_open: bool = Field(
        default=True, description="Whether anybody may make an account for themselves."
    )
    max_password_checks: int = Field(
        64,
        ge=1,
        le=4096,
        description="Passwords that are checked, at most four at a time, or wait for it; "
        "further ones are refused with 503.",
    )
    admin_password: SecretStr | None = Field(
        None,
        min_length=8,
        max_length=128,
        description="Password of the account `admin`, used when first boot makes it; "
        "without it a random one is printed once.",
    )
    access_token_s: int = Field(
        900, ge=30, le=900, description="Seconds that an access token is good for."
    )
    refresh_token_s: int = Field(
        14 * 86_400,
        ge=60,
        le=90 * 86_400,
        description="Seconds after which a sign-in ends and the password is asked for again.",
    )
    institution: str = Field(
        "", max_length=200, description="Line at the head of every report; left out when empty."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO",
        validation_alias="DERMSERVE_LOG_LEVEL",
        description="Least severe log level that is written.",
    )

    @property
    def database(self) -> str:
        """The database's address with its driver."""
        url = self.database_url.get_secret_value()
        return url or f"sqlite:///{self.data_dir.absolute() / 'gateway.db'}"


def _checked(secret: SecretStr) -> str:
    url = secret.get_secret_value()
    return _with_driver(url) if url else ""
