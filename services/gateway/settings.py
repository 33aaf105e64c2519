"""What operators may set in the gateway."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from services.certificates import CertificateSettings
from services.gateway.event_settings import EventSettings
from services.gateway.job_settings import JobSettings
from services.gateway.narrative_settings import NarrativeSettings
from services.gateway.oidc_settings import OidcSettings
from services.gateway.report_settings import ReportSettings
from services.gateway.setting_lists import Hosts, Keys, Networks, Origins, listed
from services.gateway.storage_settings import StorageSettings
from services.gateway.webhook_settings import WebhookSettings

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


class Settings(
    CertificateSettings,
    EventSettings,
    JobSettings,
    NarrativeSettings,
    OidcSettings,
    ReportSettings,
    StorageSettings,
    WebhookSettings,
):
    """Environment variables with the prefix ``DERMSERVE_GATEWAY_``."""

    model_config = SettingsConfigDict(env_prefix="DERMSERVE_GATEWAY_", frozen=True)

    audit_keys: Keys = Field(
        SecretStr(""),
        description="Keys of 32 characters and more, separated by commas, that audit rows are "
        "hashed with: the first is used, all are believed. Empty: hashes without a key.",
    )
    host: str = Field("127.0.0.1", min_length=1, description="Interface to listen on.")
    port: Port = Field(8000, description="HTTP port; 0 takes any free one.")
    workers: int = Field(
        1,
        ge=1,
        le=64,
        description="Processes that serve on the port, each with all the bounds that are set here.",
    )
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
    trusted_proxies: Networks = Field(
        "",
        description="Addresses or networks of reverse proxies, separated by commas: what they say "
        "in X-Forwarded-For and X-Forwarded-Proto is believed.",
    )
    allowed_hosts: Hosts = Field(
        "",
        description="Names that the gateway goes by, without ports, separated by commas; other "
        "ones in Host get 421. Empty is any name. Health and metrics answer to any.",
    )
    cors_origins: Origins = Field(
        "",
        description="Origins whose web pages may call the API, such as "
        "https://viewer.example.org, separated by commas; without cookies.",
    )
    boot_timeout_s: Seconds = Field(
        10, description="Seconds to wait at boot for a database that does not answer."
    )
    upload_timeout_s: Seconds = Field(
        60, description="Seconds that a request's body may take to arrive; then 408."
    )
    download_patience_s: Seconds = Field(
        30,
        description="Seconds that a client may take nothing of an answer; then it is cut off. Over "
        "time it has to take 16 KiB a second.",
    )
    analysis_timeout_s: Seconds = Field(
        10, description="Seconds that an analysis may take once its picture has arrived; then 504."
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
        "further ones are refused with 503. On their way out are half of them at most. A user "
        "alone holds half of them, a quarter on their way out.",
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
    second_factor: Literal["optional", "required"] = Field(
        "optional",
        description="Whether whoever signs in with a password may have a second factor, or has to: "
        "who has none yet is then led to set one up, and gets no session before.",
    )
    breached_passwords: Path | None = Field(
        None,
        description="File of passwords that became public, which nobody may choose: lines of SHA-1 "
        "digests in their order, as Have I Been Pwned's downloader writes them.",
    )
    admin_password: SecretStr | None = Field(
        None,
        min_length=8,
        max_length=128,
        description="Password of the account `admin`, used when first boot makes it; "
        "without it a random one is printed once.",
    )
    caller_quota: int = Field(
        12_000,
        ge=0,
        le=1_000_000,
        description="Units that a user or an API key may spend a minute; beyond it 429. To read "
        "costs 1, to change 2, to have a picture analyzed 4; 0 is no limit.",
    )
    address_quota: int = Field(
        600,
        ge=0,
        le=1_000_000,
        description="The same for an address (of IPv6 a /64) that signs in or registers, and once "
        "more, counted apart, for one that shows no good token. To sign in costs 2, to register 4; "
        "0 is no limit.",
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
    idle_s: int = Field(
        8 * 3600,
        ge=300,
        le=90 * 86_400,
        description="Seconds after its last use in which a sign-in ends before its time; where "
        "only refreshing is seen, they begin when the access token has expired.",
    )
    idempotency_key_s: int = Field(
        86_400,
        ge=3600,
        le=30 * 86_400,
        description="Seconds that an Idempotency-Key is remembered.",
    )
    retention_days: int = Field(
        30,
        ge=1,
        le=36_500,
        description="Days that removed records stay before `dermserve records purge` removes them "
        "for good.",
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

    @property
    def sqlite_file(self) -> Path | None:
        """Where the database lies, None where it is no file of ours."""
        address = make_url(self.database)
        is_file = address.get_backend_name() == "sqlite"
        return Path(str(address.database)) if is_file else None

    @property
    def hosts(self) -> frozenset[str]:
        """The names that the gateway goes by."""
        return frozenset(name.lower() for name in listed(self.allowed_hosts))

    @property
    def origins(self) -> frozenset[str]:
        """The origins whose pages may call."""
        return frozenset(listed(self.cors_origins))


def _checked(secret: SecretStr) -> str:
    url = secret.get_secret_value()
    return _with_driver(url) if url else ""
