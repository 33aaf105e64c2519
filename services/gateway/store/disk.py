"""What a disk says, as every store says it."""

import contextlib
import errno
from collections.abc import Iterator

from services import telemetry
from services.gateway import errors
from services.gateway.space import filling

# What is said of one file; all else is said of a disk or a server that is down or too slow.
_OF_A_FILE = frozenset({errno.EACCES, errno.EISDIR, errno.ENOTDIR, errno.EPERM})

_log = telemetry.logger(__name__)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Say of what is done with files meanwhile what a disk says of it.

    Raises:
        FileNotFoundError: one is not there.
        InsufficientStorageError: the disk is full.
        StoreUnavailableError: the disk, or the server that has it, is in trouble.

    """
    try:
        with filling():
            yield
    except FileNotFoundError:
        raise
    except OSError as error:
        cause = str(error) or "too slow"
        _log.warning("the folder did not do what it was asked", cause=cause)
        raise errors.StoreUnavailableError(of_object=error.errno in _OF_A_FILE) from error
