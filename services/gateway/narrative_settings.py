"""What operators may set about summaries that a language model writes."""

from typing import Annotated
from urllib.parse import urlsplit

from authlib.common.security import is_secure_transport
from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings


class NarrativeSettings(BaseSettings):
    """Environment variables about summaries; without an address no machine writes any."""

    narrative_plain_http: bool = Field(
        default=False,
        description="Whether the endpoint of summaries may be an http:// of another machine, where "
        "others can read findings and the key on their way.",
    )
    narrative_url: str = Field(
        "",
        max_length=255,
        description="Address of an OpenAI-compatible endpoint that writes a plain-language summary "
        "of findings, such as https://llm.example/v1; empty for none. `docs/narrative.md` says "
        "what it is told.",
    )
    narrative_model: Annotated[str, Field(max_length=100, pattern=r"^[!-~]*$")] = Field(
        "", validate_default=True, description="The model that it is asked for."
    )
    narrative_key: SecretStr | None = Field(
        None, min_length=1, description="Key for the endpoint; unset sends `none`."
    )
    narrative_timeout_s: float = Field(
        8,
        gt=0,
        le=60,
        description="Seconds that a summary may take; then a template stands in.",
    )

    @field_validator("narrative_url")
    @classmethod
    def _is_an_address(cls, address: str, known: ValidationInfo) -> str:
        parts = urlsplit(address)
        safe = is_secure_transport(address) or (
            known.data.get("narrative_plain_http") and parts.scheme == "http" and parts.hostname
        )
        if address and (not safe or parts.query or parts.fragment or "@" in parts.netloc):
            raise ValueError(
                "must be an https address without user, query or fragment; http on this machine, "
                "or where DERMSERVE_GATEWAY_NARRATIVE_PLAIN_HTTP allows it"
            )
        return address

    @field_validator("narrative_model")
    @classmethod
    def _is_there(cls, model: str, known: ValidationInfo) -> str:
        if not model and known.data.get("narrative_url"):
            raise ValueError("must be set where there is an endpoint")
        return model
