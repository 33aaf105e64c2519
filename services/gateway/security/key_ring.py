"""The keys that tokens are signed with, one after the other: the newest signs, some are believed.

Beside the private key lies a folder with the public halves of those before it. Each is believed
for as long as a token that it signed can live, so nobody is signed out by a new key. Files are
looked at every second, so that a rotation needs no restart and reaches all replicas that share
the folder.
"""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.gateway.security.keys import (
    KeyFileError,
    PublicKey,
    SigningKey,
    give,
    load_or_make,
    put,
    replace,
)

_log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)

BELIEVED_S = 16 * 60
"""How long a former key is believed: an access token lives 15 minutes at most."""

_LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class _Keys:
    """What the files held.

    Attributes:
        newest: signs.
        former: those before it by their names, each with the moment until which it is believed.
        stamp: changes when the files do.

    """

    newest: SigningKey
    former: Mapping[str, tuple[PublicKey, float]]
    stamp: object


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
        self._looked = 0.0
        self._looking = asyncio.Lock()
        self._fault: str | None = None
        self._keys = _read(path, _stamp(path))

    async def newest(self) -> SigningKey:
        """Return the key that signs."""
        await self._look(time.monotonic() - _LOOK_S)
        return self._keys.newest

    async def find(self, name: str | None) -> PublicKey | None:
        """Return a key that is believed, by its name; None for all others.

        A token without a name of its key can only be of the newest.
        """
        await self._look(time.monotonic() - _LOOK_S)
        key = self._believed(name)
        if key is None:
            # Another process may have changed the key a moment ago.
            await self._look(time.monotonic())
            key = self._believed(name)
        return key

    async def jwks(self) -> list[dict[str, str]]:
        """Return all keys that are believed as JSON Web Keys, the newest first."""
        await self._look(time.monotonic() - _LOOK_S)
        former = [key for key, until in self._keys.former.values() if time.time() < until]
        return [key.jwk() for key in (self._keys.newest, *former)]

    def _believed(self, name: str | None) -> PublicKey | None:
        if name is None or name == self._keys.newest.id:
            return self._keys.newest
        key, until = self._keys.former.get(name, (None, 0.0))
        return key if time.time() < until else None

    async def _look(self, since: float) -> None:
        """Read the keys again if they have changed, unless that was looked at since a moment."""
        if self._looked >= since:
            return
        # Files are slow at times: one looks for all, and in a thread.
        async with self._looking:
            if self._looked < since:
                began = time.monotonic()
                self._keys = await asyncio.to_thread(self._read_again, self._keys)
                self._looked = began

    def _read_again(self, known: _Keys) -> _Keys:
        """Return what the files hold; what is known, where they hold that or cannot be read."""
        fault = None
        try:
            stamp = _stamp(self._path)
            return known if stamp == known.stamp else _read(self._path, stamp)
        except (OSError, KeyFileError) as error:
            fault = type(error).__name__
            # Once, not whenever somebody looks.
            if fault != self._fault:
                _log.error("signing key not read again", file=self._path.name, error=fault)
            return known
        finally:
            self._fault = fault


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
    give(folder, path)
    for former in folder.glob("*.pem"):
        if at_once or former.stat().st_mtime + BELIEVED_S < time.time():
            former.unlink()
    if not at_once:
        retiring = load_or_make(path)
        # It is believed before it stops signing: in no moment is one of its tokens refused.
        put(folder / f"{retiring.id}.pem", retiring.public_pem())
    replace(path)
    return load_or_make(path)


def former_folder(path: Path) -> Path:
    """Return where the public halves of former keys lie."""
    return path.with_name("former-keys")


def _stamp(path: Path) -> object:
    """Return what changes when the keys do."""
    with contextlib.suppress(FileNotFoundError):
        key, folder = path.stat(), former_folder(path)
        return key.st_ino, key.st_mtime_ns, folder.exists() and folder.stat().st_mtime_ns
    return None


def _read(path: Path, stamp: object) -> _Keys:
    newest = load_or_make(path)
    former = map(_former, sorted(former_folder(path).glob("*.pem")))
    believed = {
        key.id: (key, retired + BELIEVED_S)
        for key, retired in filter(None, former)
        if key.id != newest.id
    }
    return _Keys(newest, believed, stamp)


def _former(path: Path) -> tuple[PublicKey, float] | None:
    """Read a former key; one that cannot be read must not stop the others."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
        retired = path.stat().st_mtime
    except (ValueError, UnsupportedAlgorithm, FileNotFoundError, PermissionError) as error:
        _log.warning("former key skipped", file=path.name, error=type(error).__name__)
        return None
    if not isinstance(key, Ed25519PublicKey):
        _log.warning("former key skipped", file=path.name, error="not an Ed25519 key")
        return None
    return PublicKey(key), retired
