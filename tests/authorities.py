"""Authorities that sign certificates for the rooms, each a file away from the settings."""

from pathlib import Path

import trustme

from services.certificates import Certificates


def issued(authority: trustme.CA, *names: str) -> Certificates:
    """Return a certificate of these names or addresses, good for callers and for whom is called."""
    own = authority.issue_cert(*names)
    return Certificates(
        chain=b"".join(blob.bytes() for blob in own.cert_chain_pems),
        key=own.private_key_pem.bytes(),
        authority=authority.cert_pem.bytes(),
    )


def variables(folder: Path, certificates: Certificates) -> dict[str, str]:
    """Write a certificate's files, and return the settings that name them."""
    folder.mkdir(parents=True)
    contents = {
        "CERTIFICATE": certificates.chain,
        "KEY": certificates.key,
        "AUTHORITY": certificates.authority,
    }
    for name, content in contents.items():
        (folder / f"{name.lower()}.pem").write_bytes(content)
    return {f"DERMSERVE_RPC_{name}": str(folder / f"{name.lower()}.pem") for name in contents}
