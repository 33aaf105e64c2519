"""The keys that tokens are signed with, one after the other: the newest signs, some are believed.

Beside the private key lies a folder with the public halves of those before it. Each is believed
for as long as a token that it signed can live, so nobody is signed out by a new key. Files are
looked at every second, so that a rotation needs no restart and reaches all replicas that share
the folder.
"""

import contextlib
import time
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.gateway.security.keys import (
    KeyFileError,
    PublicKey,
    SigningKey,
    load_or_make,
    replace,
)

BELIEVED_S = 16 * 60
"""How long a former key is believed: an access token lives 15 minutes at most."""

_LOOK_S = 1.0


class KeyRing:
    """The key that signs now, and those that are still believed."""

    def __init__(self, path: Path) -> None:
        """Read the keys; the first is made if there is none.

        Args:
            path: of the private key; the former ones lie in the folder ``former-keys`` beside it.

        Raises:
            KeyFileError: a file holds something else.
            OSError: the folder cannot be read or written.

        """
        self._path = path
        self._seen: object = None
        self._looked = 0.0
        self._read(self._stamp())

    def newest(self) -> SigningKey:
        """Return the key that signs."""
        self._look()
        return self._newest

    def find(self, name: str | None) -> PublicKey | None:
        """Return a key that is believed, by its name; None for all others.

        A token without a name of its key can only be of the newest.
        """
        self._look()
        if name is None or name == self._newest.id:
            return self._newest
        key, until = self._former.get(name, (None, 0.0))
        return key if time.time() < until else None

    def jwks(self) -> list[dict[str, str]]:
        """Return all keys that are believed as JSON Web Keys, the newest first."""
        self._look()
        former = [key for key, until in self._former.values() if time.time() < until]
        return [key.jwk() for key in (self._newest, *former)]

    def _look(self) -> None:
        """Read the keys again if they have changed, at most once a second."""
        if time.monotonic() - self._looked < _LOOK_S:
            return
        # A ring that cannot be read now goes on with what it has.
        with contextlib.suppress(OSError, KeyFileError):
            stamp = self._stamp()
            if stamp != self._seen:
                self._read(stamp)
        self._looked = time.monotonic()

    def _stamp(self) -> object:
        """Return what changes when the keys do."""
        with contextlib.suppress(FileNotFoundError):
            key, folder = self._path.stat(), former_folder(self._path)
            return key.st_ino, key.st_mtime_ns, folder.exists() and folder.stat().st_mtime_ns
        return None

    def _read(self, stamp: object) -> None:
        self._newest = load_or_make(self._path)
        self._former = {
            key.id: (key, retired + BELIEVED_S)
            for key, retired in map(_former, sorted(former_folder(self._path).glob("*.pem")))
            if key.id != self._newest.id
        }
        self._seen = stamp


def rotate(path: Path, *, at_once: bool = False) -> SigningKey:
    """Put a new key in the place of the one that signs, and return it.

    Args:
        path: of the private key.
        at_once: believe no former key any more, because one may be in wrong hands.

    Raises:
        KeyFileError: the file holds something else.
        OSError: the folder cannot be written.

    """
    folder = former_folder(path)
    folder.mkdir(mode=0o700, exist_ok=True)
    for former in folder.glob("*.pem"):
        if at_once or former.stat().st_mtime + BELIEVED_S < time.time():
            former.unlink()
    if not at_once:
        retiring = load_or_make(path)
        # It is believed before it stops signing: in no moment is one of its tokens refused.
        (folder / f"{retiring.id}.pem").write_bytes(retiring.public_pem())
    replace(path)
    return load_or_make(path)


def former_folder(path: Path) -> Path:
    """Return where the public halves of former keys lie."""
    return path.with_name("former-keys")


def _former(path: Path) -> tuple[PublicKey, float]:
    key = serialization.load_pem_public_key(path.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFileError(f"{path} does not hold an Ed25519 public key; remove it")
    return PublicKey(key), path.stat().st_mtime
