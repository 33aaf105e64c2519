"""The rooms behind the gateway, dialled as long as it is there."""

import contextlib
from collections.abc import AsyncIterator

from grpc import aio

from services import rpc
from services.certificates import Certificates


@contextlib.asynccontextmanager
async def dialled(
    certificates: Certificates | None, *addresses: str
) -> AsyncIterator[list[aio.Channel]]:
    """Dial rooms, and hang up in the end.

    Args:
        certificates: by which they and the gateway know each other; None for plain gRPC.
        addresses: of the rooms, a channel each in their order.

    """
    async with contextlib.AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(rpc.dial(address, certificates))
            for address in addresses
        ]
