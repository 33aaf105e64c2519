"""What an operator may set; read once at boot, never changed after."""

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.certificates import CertificateSettings
from services.rpc.limits import MAX_MESSAGE_BYTES


class Settings(CertificateSettings):
    """The settings of the report service."""

    model_config = SettingsConfigDict(env_prefix="DERMSERVE_REPORTS_", frozen=True)

    host: str = Field("127.0.0.1", min_length=1, description="Interface to listen on.")
    port: int = Field(8600, ge=0, le=65535, description="gRPC port; 0 takes any free one.")
    metrics_port: int = Field(
        8601, ge=0, le=65535, description="Port for Prometheus scrapes; 0 takes any free one."
    )
    max_concurrent_renders: int = Field(
        2,
        ge=1,
        le=64,
        description="Reports rendered at the same time, one of them a long one; bounds memory, "
        "about 4 bytes a pixel of the largest picture each. With 1, a report of one page waits for "
        "the long one that is rendered.",
    )
    max_waiting: int = Field(
        32,
        ge=0,
        le=10_000,
        description="Reports that may wait for a renderer, half of them long ones, each holding "
        "its message in memory; further ones are refused at once.",
    )
    max_held_mib: int = Field(
        256,
        ge=2 * MAX_MESSAGE_BYTES // 2**20,
        le=65_536,
        description="MiB of the messages of reports that wait or are in work, half of them of long "
        "ones; what would be more is refused at once. Twice the largest message at least.",
    )
    max_image_megapixels: float = Field(
        64,
        gt=0,
        le=512,
        description="Largest picture that is decoded, in millions of pixels.",
    )
    fonts: str = Field(
        "",
        description="TrueType files, separated by commas, for scripts that the built-in fonts "
        "have no letters of, for example Chinese: "
        "`/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf` of Debian's package "
        "`fonts-droid-fallback`. What no font has is marked on the page.",
    )
    drain_s: float = Field(
        10, ge=0, le=600, description="Seconds that running calls may still take after SIGTERM."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO",
        validation_alias="DERMSERVE_LOG_LEVEL",
        description="The least severe log lines that are written, in every room.",
    )
