"""The gateway's own signing key: an Ed25519 key made at first boot, never in a setting."""

import base64
import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)


class KeyFileError(Exception):
    """The file does not hold a key of its kind; the message names it."""


class PublicKey:
    """What others may know of a key: its public half and its name."""

    def __init__(self, public: Ed25519PublicKey) -> None:
        self.public = public
        self.id = _thumbprint(self._public_members())

    def jwk(self) -> dict[str, str]:
        """Return the public half as a JSON Web Key (RFC 8037)."""
        return {**self._public_members(), "kid": self.id, "use": "sig", "alg": "EdDSA"}

    def public_pem(self) -> bytes:
        """Return the public half as a file."""
        return self.public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def _public_members(self) -> dict[str, str]:
        x = self.public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return {"crv": "Ed25519", "kty": "OKP", "x": _base64url(x)}


class SigningKey(PublicKey):
    """A private key, its public half and its name."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        super().__init__(private.public_key())
        self.private = private


def load_or_make(path: Path) -> SigningKey:
    """Read the key, or make it if there is none yet; two processes agree on one.

    Args:
        path: a PEM file; made readable for its owner only.

    Raises:
        KeyFileError: the file holds something else.
        OSError: the folder cannot be read or written.

    """
    if not path.exists():
        make(path, _new())
    try:
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise KeyFileError(_not_a_key(path)) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyFileError(_not_a_key(path))
    return SigningKey(private)


def make(path: Path, content: bytes) -> None:
    """Write a file for its owner only, unless it is there already.

    Raises:
        OSError: the folder cannot be written.

    """
    # The second of two processes finds the first one's file in place.
    with contextlib.suppress(FileExistsError), _written(path, content) as temporary:
        os.link(temporary, path)
        _keep_names(path.parent)


def replace(path: Path) -> None:
    """Put a new key in the place of the one that is there, whole or not at all.

    Raises:
        OSError: the folder cannot be written.

    """
    put(path, _new())


def put(path: Path, content: bytes) -> None:
    """Write a file for its owner only, whole or not at all, even when the power fails.

    Raises:
        OSError: the folder cannot be written.

    """
    with _written(path, content) as temporary:
        temporary.replace(path)
        _keep_names(path.parent)


def give(made: Path | int, like: Path) -> None:
    """Give what root makes to the owner of a file, or of its folder if there is none yet.

    Else the gateway could not read what root rotated.
    """
    if os.geteuid() == 0:
        owner = (like if like.exists() else like.parent).stat()
        os.chown(made, owner.st_uid, owner.st_gid)


def _new() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@contextlib.contextmanager
def _written(path: Path, content: bytes) -> Iterator[Path]:
    """Write a file beside its place; it is gone in the end, unless it got another name."""
    # mkstemp makes files that only their owner reads. A link appears whole or not at all.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".key-")
    try:
        with os.fdopen(handle, "wb") as file:
            give(file.fileno(), path)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield Path(temporary)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _keep_names(folder: Path) -> None:
    """Have the names in a folder outlast a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _thumbprint(members: dict[str, str]) -> str:
    """Return the name of a key as RFC 7638 makes it."""
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return _base64url(hashlib.sha256(canonical.encode()).digest())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _not_a_key(path: Path) -> str:
    return (
        f"{path} does not hold an Ed25519 private key; restore it, or remove it to make a new one"
    )
