"""The gateway that commands ask, and how they end when it refuses."""

import contextlib
import os
from collections.abc import Iterator

import typer

from dermserve_client import Bearer, Client, ClientError

_TRIES = 8
"""A gateway that restarts is back before the last of them."""

_LONGEST_WAIT_S = 30


@contextlib.contextmanager
def asked(longest_wait_s: float = _LONGEST_WAIT_S) -> Iterator[Client]:
    """Ask DERMSERVE_SERVER, with the key or token in DERMSERVE_TOKEN.

    Raises:
        typer.Exit: it refused, or there is none; a sentence on stderr says why.

    """
    server = os.environ.get("DERMSERVE_SERVER")
    if not server:
        raise refused("set DERMSERVE_SERVER to the address of a gateway")
    try:
        auth = Bearer(os.environ.get("DERMSERVE_TOKEN", ""))
        with Client(server, auth, tries=_TRIES, longest_wait_s=longest_wait_s) as client:
            yield client
    except (ClientError, OSError) as error:
        raise refused(str(error)) from error


def refused(sentence: str) -> typer.Exit:
    """Say what is wrong, and return what ends the command."""
    typer.echo(f"dermserve: {sentence}", err=True)
    return typer.Exit(2)
