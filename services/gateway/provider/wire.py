"""Requests to the provider: bounded in time and size, never redirected."""

import asyncio
import json
from typing import Any

import httpx

from services.gateway import errors

TIMEOUT_S = 5.0
_MOST_BYTES = 1024 * 1024
_DOWN = "The identity provider does not answer. Try again later."


def client() -> httpx.AsyncClient:
    """Return what requests are made with; it is closed by whoever asked for it."""
    # A bound on what comes is none on what it becomes when it is unpacked.
    plain = {"Accept": "application/json", "Accept-Encoding": "identity"}
    return httpx.AsyncClient(timeout=TIMEOUT_S, headers=plain)


async def asked(
    http: httpx.AsyncClient, method: str, address: str, **options: Any
) -> tuple[int, dict[str, Any]]:
    """Ask the provider; return the status and the object that it answers with.

    Raises:
        UnavailableError: it does not answer, or says that it cannot.
        UpstreamError: its answer is no JSON object, or too large.

    """
    try:
        async with (
            asyncio.timeout(TIMEOUT_S),
            http.stream(method, address, **options) as response,
        ):
            if response.is_server_error:
                raise errors.UnavailableError(_DOWN)
            body = await _read(response)
    except (httpx.HTTPError, TimeoutError) as error:
        raise errors.UnavailableError(_DOWN) from error
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise errors.UpstreamError(
            f"the identity provider answers {response.status_code} in no JSON"
        )
    return response.status_code, told


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    async for part in response.aiter_raw():
        body += part
        if len(body) > _MOST_BYTES:
            raise errors.UpstreamError("the identity provider's answer is too large")
    return bytes(body)
