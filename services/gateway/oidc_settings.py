"""What operators may set about an identity provider."""

import json
from typing import Annotated, Literal
from urllib.parse import urlsplit

from authlib.common.security import is_secure_transport
from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode

_Role = Literal["admin", "clinician", "viewer"]


def _object(text: object) -> object:
    try:
        return json.loads(text or "{}") if isinstance(text, str) else text
    except ValueError:
        raise ValueError('must be a JSON object of texts, as {"a group": "clinician"}') from None


class OidcSettings(BaseSettings):
    """Environment variables about an identity provider; without an issuer there is none."""

    oidc_issuer: str = Field(
        "",
        max_length=255,
        description="Address of an OpenID Connect provider, exactly as it calls itself; empty for "
        "none. `docs/identity.md` says how to set one up.",
    )
    oidc_client_id: str = Field(
        "",
        max_length=255,
        validate_default=True,
        description="The gateway's id at the provider.",
    )
    oidc_client_secret: SecretStr | None = Field(
        None, min_length=1, description="The gateway's secret there; unset for a public client."
    )
    public_url: str = Field(
        "",
        max_length=255,
        pattern=r"^[!-~]*$",
        validate_default=True,
        description="Address of the gateway as browsers have it. They come back from the provider "
        "to `/v1/auth/oidc/callback` there, and reports lead to their records there; empty prints "
        "no links.",
    )
    oidc_scopes: str = Field(
        "openid profile", pattern=r"^(.* )?openid( .*)?$", description="What the provider is asked."
    )
    oidc_role_claim: str = Field(
        "",
        description="Claim of the ID token that says roles or groups, as `groups` or "
        "`realm_access.roles`; empty leaves roles to administrators.",
    )
    oidc_roles: Annotated[dict[str, _Role], NoDecode, BeforeValidator(_object)] = Field(
        {},
        description="Role that each value of that claim gives, as JSON: "
        '`{"derm-admins": "admin", "derm": "clinician"}`; the first that somebody has counts.',
    )
    oidc_default_role: Literal["", "admin", "clinician", "viewer"] = Field(
        "", description="Role of whoever has none of these values; empty keeps them out."
    )
    oidc_organisation: str = Field(
        "default", min_length=1, description="Name of the organisation that people join."
    )
    oidc_organisation_claim: str = Field(
        "", description="Claim that says the organisation instead; empty for none."
    )
    oidc_organisations: Annotated[dict[str, str], NoDecode, BeforeValidator(_object)] = Field(
        {}, description="Name of the organisation that each value of that claim means, as JSON."
    )
    oidc_create_users: bool = Field(
        default=False,
        description="Whether people who come for the first time get an account; else only those "
        "whom `dermserve users link` has linked come in.",
    )
    oidc_sign_in_s: int = Field(
        43_200,
        ge=60,
        le=90 * 86_400,
        description="Seconds after which the provider is asked again.",
    )
    password_sign_in: Literal["all", "unlinked", "none"] = Field(
        "unlinked",
        description="Whose passwords are good where there is a provider: everybody's, those of "
        "users whom no provider knows, or nobody's.",
    )

    @field_validator("oidc_issuer", "public_url")
    @classmethod
    def _is_secure(cls, address: str) -> str:
        parts = urlsplit(address)
        if address and (not is_secure_transport(address) or parts.query or parts.fragment):
            raise ValueError("must be an https address without query; http on this machine alone")
        return address

    @field_validator("oidc_client_id", "public_url")
    @classmethod
    def _is_there(cls, value: str, known: ValidationInfo) -> str:
        if not value and known.data.get("oidc_issuer"):
            raise ValueError("must be set where there is an issuer")
        return value
