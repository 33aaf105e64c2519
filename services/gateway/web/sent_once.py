"""Forms that are sent twice, as by two clicks: the second is answered as the first is."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, TypeVar

from fastapi import Form, Request

from services.gateway import errors
from services.gateway.deadlines import Deadline
from services.gateway.identity import Caller
from services.gateway.once import Keyed
from services.gateway.parts import Parts

_Answer = TypeVar("_Answer")

Token = Annotated[str, Form(max_length=256)]
"""What a form is known by; one without is done as often as it is sent."""


def new_token() -> str:
    """Return what another form is to be known by."""
    return secrets.token_hex(16)


def keyed(
    request: Request, token: str, body: tuple[bytes, ...] = (), *, secret: bool = False
) -> Keyed | None:
    """Return what a form asks for, so that it is done once; None for one without a token.

    Args:
        request: which brings it.
        token: what it is known by.
        body: what is in it.
        secret: whether a password is among that.

    """
    return Keyed(request.url.path, token, body, secret) if token else None


def parts_of(written: Mapping[str, Any]) -> tuple[bytes, ...]:
    """Return what was written as what is in a form."""
    return (repr(sorted(written.items())).encode(),)


async def patiently(parts: Parts, ask: Callable[[], Awaitable[_Answer]]) -> _Answer:
    """Return what is asked for; while the same form is worked on, wait for its answer.

    Raises:
        DeadlinePassedError: that takes longer than an analysis may.

    """
    until = Deadline.after(parts.analysis_timeout_s)
    while True:
        try:
            return await ask()
        except errors.InProgressError as error:
            async with until.kept():
                await asyncio.sleep(error.retry_after_s / 4)


async def done_once(
    request: Request,
    caller: Caller,
    parts: Parts,
    token: str,
    work: Callable[[], Awaitable[object]],
    body: tuple[bytes, ...] = (),
) -> None:
    """Do what a form asks for, unless the same form has had it done already.

    Where the process or the database went away before that was written down, it is done again.

    Raises:
        KeyReusedError: it came with another body before.

    """
    asked = keyed(request, token, body)
    await patiently(parts, lambda: parts.once.do(caller.user.id, asked, work))


async def removed_once(
    request: Request,
    caller: Caller,
    parts: Parts,
    token: str,
    remove: Callable[[], Awaitable[object]],
) -> None:
    """Remove what a form is for, unless the same form has had it removed already.

    Raises:
        NotFoundError: it was not there before this form came for the first time.

    """
    asked = keyed(request, token)
    signs = (errors.NotFoundError,)
    await patiently(parts, lambda: parts.once.do(caller.user.id, asked, remove, signs))
