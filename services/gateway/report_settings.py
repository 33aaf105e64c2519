"""What operators may set about reports."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings

Language = Literal["en", "de"]
"""The languages that reports are written in, as IETF language tags (BCP 47)."""


class ReportSettings(BaseSettings):
    """Environment variables with the prefix of the gateway's settings, of which these are some."""

    institution: str = Field(
        "", max_length=200, description="Line at the head of every report; left out when empty."
    )
    institution_logo: Path | None = Field(
        None,
        description="Picture beside it: a JPEG or PNG file of at most 256 KiB and four megapixels; "
        "empty for none.",
    )
    report_language: Language = Field(
        "en",
        description="Language of reports for whoever asks for none that there is; `en` or `de`.",
    )
    report_timeout_s: float = Field(
        10, gt=0, le=600, description="Seconds that rendering a report may take; then 504."
    )
    batch_report_timeout_s: float = Field(
        60, gt=0, le=600, description="The same for a report of a batch, which has many pictures."
    )
