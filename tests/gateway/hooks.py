"""Webhooks as tests make them, and what became of their messages."""

import asyncio
from datetime import datetime
from typing import Any

from tests.gateway.conftest import Client, Gateway
from tests.gateway.receivers import Receiver

Hook = dict[str, Any]


async def hooked(admin: Client, receiver: Receiver, **values: Any) -> Hook:
    made = await admin("POST", "/v1/webhooks", json={"url": receiver.url} | values)
    assert made.status_code == 201, made.text
    hook: Hook = made.json()
    return hook


async def sent(admin: Client, hook: Hook, times: int = 1) -> list[str]:
    """Where to see how messages went that were asked for."""
    paths = []
    for _ in range(times):
        asked = await admin("POST", f"/v1/webhooks/{hook['id']}/test")
        assert asked.status_code == 202, asked.text
        paths.append(asked.headers["Location"])
    return paths


async def settled(gateway: Gateway) -> None:
    """Return when nothing is in hand."""
    async with asyncio.timeout(60):
        while in_hand := list(gateway.parts.dispatcher._in_hand):
            await asyncio.wait(in_hand)


async def seen(admin: Client, path: str) -> dict[str, Any]:
    shown: dict[str, Any] = (await admin("GET", path)).json()
    return shown


async def went(gateway: Gateway, admin: Client, receiver: Receiver) -> dict[str, Any]:
    """How the one message to a new webhook went, after its first attempt."""
    (path,) = await sent(admin, await hooked(admin, receiver))
    await receiver.arrived()
    await settled(gateway)
    return await seen(admin, path)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
