"""By which certificates the rooms know each other, where operators set any.

Each process has one of its own, shows it to whoever calls it and to whomever it calls, and
believes those alone that one authority signed.
"""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

# An empty variable is one without a value.
_File = Annotated[Path | None, BeforeValidator(lambda given: given or None)]


@dataclass(frozen=True)
class Certificates:
    """What a process shows, and whom it believes; all in PEM.

    Attributes:
        chain: its own certificate, and after it those between it and the authority.
        key: the private key of that certificate.
        authority: certificates of those who sign for the others.

    """

    chain: bytes
    key: bytes = field(repr=False)
    authority: bytes


class CertificateSettings(BaseSettings):
    """Environment variables that all rooms have alike, with files of their own behind them."""

    rpc_certificate: _File = Field(
        None,
        validation_alias="DERMSERVE_RPC_CERTIFICATE",
        description="File (PEM) of the certificate, with those between it and the authority, that "
        "this service shows to the other services; none is plain gRPC.",
    )
    rpc_key: _File = Field(
        None,
        validation_alias="DERMSERVE_RPC_KEY",
        description="File (PEM) of its private key, without a passphrase.",
    )
    rpc_authority: _File = Field(
        None,
        validate_default=True,
        validation_alias="DERMSERVE_RPC_AUTHORITY",
        description="File (PEM) of the authorities whose certificates alone are believed, those of "
        "callers and of whom is called.",
    )

    @field_validator("rpc_authority")
    @classmethod
    def _fit_together(cls, authority: Path | None, others: ValidationInfo) -> Path | None:
        chain, key = others.data.get("rpc_certificate"), others.data.get("rpc_key")
        if not (chain or key or authority):
            return authority
        if not (chain and key and authority):
            raise ValueError(
                "set DERMSERVE_RPC_CERTIFICATE, DERMSERVE_RPC_KEY and DERMSERVE_RPC_AUTHORITY "
                "together, or none of them"
            )
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key, _no_passphrase)
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(authority)
        except OSError as error:  # those of OpenSSL, too
            raise ValueError(f"the three files cannot be used together ({error})") from error
        return authority

    @property
    def certificates(self) -> Certificates | None:
        """What the files hold, None where none are set."""
        if self.rpc_certificate is None or self.rpc_key is None or self.rpc_authority is None:
            return None
        return Certificates(
            chain=self.rpc_certificate.read_bytes(),
            key=self.rpc_key.read_bytes(),
            authority=self.rpc_authority.read_bytes(),
        )


def _no_passphrase() -> str:
    # Without this, OpenSSL would ask for one at a terminal and wait.
    return ""
