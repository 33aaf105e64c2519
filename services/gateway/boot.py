"""What is opened before there is a gateway, also by commands that need no more of it."""

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

from obstore.exceptions import BaseError

from services import picture
from services.gateway import audit, database, errors
from services.gateway.identity import Accounts, Attempts, Passwords
from services.gateway.metrics import Metrics
from services.gateway.security import keys
from services.gateway.security.breached_passwords import BreachedPasswords, UnusableFileError
from services.gateway.settings import Settings
from services.gateway.store import SETTLED_AFTER_S, Address, Bucket, Folder, Store

_Key = TypeVar("_Key")

SIGNING_KEY = "signing-key.pem"
"""Name of the private key in the data folder."""

PICTURES = "pictures"
"""Name of the folder of pictures in the data folder."""

SEALING_KEY = "sealing-key.hex"
"""Name of the key in the data folder that secrets are sealed with that must be read."""

_LOGO_BYTES = 256 * 1024
_LOGO_PIXELS = 4_000_000


class BootError(Exception):
    """The gateway cannot start; the message says what to do."""


@contextlib.asynccontextmanager
async def open_records(settings: Settings) -> AsyncIterator[database.Database]:
    """Open the database alone, with all organisations, for the command line.

    Raises:
        BootError: the data folder or the database cannot be used.

    """
    make_folder(settings.data_dir)
    async with open_database(settings) as opened:
        yield database.Within(opened, database.EVERYTHING)


@contextlib.asynccontextmanager
async def open_accounts(settings: Settings) -> AsyncIterator[Accounts]:
    """Open the accounts alone, for the command line; raises what ``open_records`` does."""
    async with open_records(settings) as records:
        known = breached_passwords(settings)
        yield Accounts(records, Passwords(records, Attempts(records), breached=known))


def breached_passwords(settings: Settings) -> BreachedPasswords | None:
    """Return the passwords that became public elsewhere, None where no file of them is set.

    Raises:
        BootError: the file cannot be used.

    """
    path = settings.breached_passwords
    if path is None:
        return None
    try:
        return BreachedPasswords(path)
    except (OSError, UnusableFileError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise BootError(
            f"DERMSERVE_GATEWAY_BREACHED_PASSWORDS: {path} cannot be used ({why})"
        ) from error


def audit_keys(settings: Settings) -> audit.Keys:
    """Return what audit rows are hashed with."""
    return audit.Keys.of(settings.audit_keys.get_secret_value())


def audit_trail(records: database.Database, settings: Settings) -> audit.Trail:
    """Return where the command line records what it does."""
    return audit.Trail(records, audit_keys(settings), Metrics())


def picture_store(settings: Settings, settled_after_s: float = SETTLED_AFTER_S) -> Store:
    """Build where pictures are kept; nothing is asked of it yet.

    Raises:
        BootError: the bucket's address cannot be used.

    """
    if not settings.s3_bucket:
        return Folder(settings.data_dir / PICTURES, settled_after_s)
    try:
        return Bucket(_address(settings), settings.s3_timeout_s, settled_after_s)
    except (OSError, ValueError, BaseError) as error:
        raise BootError(f"the bucket of the pictures cannot be used ({error})") from error


def _address(settings: Settings) -> Address:
    return Address(
        bucket=settings.s3_bucket,
        prefix=settings.s3_prefix,
        region=settings.s3_region,
        endpoint=settings.s3_endpoint,
        path_style=settings.s3_path_style,
        allow_http=settings.s3_allow_http,
        ca=settings.s3_ca_file.read_text() if settings.s3_ca_file else "",
        access_key_id=settings.s3_access_key_id.get_secret_value(),
        secret_access_key=settings.s3_secret_access_key.get_secret_value(),
        session_token=settings.s3_session_token.get_secret_value(),
        encryption=settings.s3_encryption,
        encryption_key_id=settings.s3_encryption_key_id,
    )


def read_logo(path: Path | None) -> bytes:
    """Read the picture at the head of reports; empty for none.

    Raises:
        BootError: it cannot be read, or is none that a report takes.

    """
    if path is None:
        return b""
    try:
        with path.open("rb") as file:
            encoded = file.read(_LOGO_BYTES + 1)
        picture.read(encoded, max_bytes=_LOGO_BYTES, max_pixels=_LOGO_PIXELS)
    except OSError as error:
        raise BootError(
            f"DERMSERVE_GATEWAY_INSTITUTION_LOGO: {path} cannot be read ({error.strerror})"
        ) from error
    except picture.PictureError as error:
        raise BootError(f"DERMSERVE_GATEWAY_INSTITUTION_LOGO: {path}: {error}") from error
    return encoded


@contextlib.asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[database.Source]:
    """Open the database; raises ``BootError`` where it cannot be used."""
    async with contextlib.AsyncExitStack() as stack:
        opening = database.opened(settings.database, settings.boot_timeout_s)
        try:
            opened = await stack.enter_async_context(opening)
        except database.DatabaseError as error:
            raise BootError(str(error)) from error
        yield opened


def make_folder(folder: Path) -> None:
    """Make the data folder if it is not there; raises ``BootError`` where that is not allowed."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BootError(
            f"the data folder {folder} cannot be made ({error.strerror}): set DERMSERVE_DATA_DIR "
            "to a folder that can be written to"
        ) from error


def read_key(read: Callable[[Path], _Key], path: Path) -> _Key:
    """Read a key, or make it; raises ``BootError`` where that cannot be."""
    try:
        return read(path)
    except keys.KeyFileError as error:
        raise BootError(str(error)) from error
    except OSError as error:
        raise BootError(
            f"the key {path} cannot be read or made ({error.strerror}): set "
            "DERMSERVE_DATA_DIR to a folder that can be written to"
        ) from error


async def welcome(accounts: Accounts, settings: Settings) -> None:
    """Make the first administrator and show their password, once and not in the log."""
    given = settings.admin_password
    try:
        password = await accounts.ensure_admin(given.get_secret_value() if given else None)
    except errors.InvalidRequestError as error:
        raise BootError(f"DERMSERVE_GATEWAY_ADMIN_PASSWORD: {error}") from error
    if password is not None:
        print(  # noqa: T201 - for the person at the terminal; logs are kept, this must not be
            f"First boot: sign in as admin with the password {password} (shown only now).",
            flush=True,
        )
