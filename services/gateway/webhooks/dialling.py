"""Connections to receivers: a name is resolved once, and what was checked is what is dialled."""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

import httpcore
from httpcore import SOCKET_OPTION, AsyncNetworkBackend, AsyncNetworkStream

from services.gateway.webhooks.targets import Address, Rules

LOOKUP_S = 6.0
"""How long a name may take: one server that does not answer costs 5 s (resolv.conf(5))."""

_LOOKUPS_AT_ONCE = 64
_LOOKUPS_OF_ONE = 4
"""Lookups of an organisation at the same time, until the machine gives them up."""

_SUSPECTS_OF_ONE = 2
"""Beside them, those of names that hung and have not been found since."""

_SUSPECTS_KEPT = 1000

_ADDRESSES_TRIED = 2

_Asked = tuple[str, str, int]
"""Whose webhook asks, for which name and port."""


class ForbiddenTargetError(Exception):
    """A name leads only to where webhooks may not go."""


class Resolver:
    """Resolves names as the machine does, and keeps what webhooks may reach.

    A lookup in a thread cannot be stopped. Who has waited long enough goes on; the thread ends when
    the machine gives the lookup up. Until then only lookups of its organisation wait for it, as
    each has a few threads of many; and of these only those of as many names that hang at once, as
    all who ask for a name wait for the same thread. A name that has hung waits for others that
    have, and so holds up no good one a second time.
    """

    def __init__(self, rules: Rules) -> None:
        """Build over the rules of what may be reached."""
        self._rules = rules
        self._threads = ThreadPoolExecutor(_LOOKUPS_AT_ONCE, "webhook-lookup")
        self._turns: dict[tuple[str, int], asyncio.Semaphore] = {}
        self._suspects: dict[_Asked, None] = {}
        self._looking: dict[_Asked, Future[list[Address]]] = {}

    async def addresses(self, host: str, port: int, organisation_id: str) -> list[Address]:
        """Return the addresses of a host that webhooks may reach, in the machine's order.

        Args:
            host: a name or an address.
            port: to be reached there.
            organisation_id: whose webhook asks.

        Raises:
            ForbiddenTargetError: there are addresses, and none of them may be reached.
            OSError: there is none.
            TimeoutError: nobody knows, in time.

        """
        asked = organisation_id, host, port
        try:
            async with asyncio.timeout(LOOKUP_S):
                found = await self._found(asked)
        except TimeoutError:
            self._suspect(asked)
            raise
        self._suspects.pop(asked, None)
        allowed = [address for address in found if self._rules.may_reach(address)]
        if not allowed:
            raise ForbiddenTargetError(host)
        return allowed

    def _suspect(self, asked: _Asked) -> None:
        """Remember that a name hung; one that only waited for others did not."""
        if asked in self._looking:
            self._suspects[asked] = None
        if len(self._suspects) > _SUSPECTS_KEPT:
            del self._suspects[next(iter(self._suspects))]

    async def _found(self, asked: _Asked) -> list[Address]:
        organisation_id, host, _ = asked
        with contextlib.suppress(ValueError):
            return [ipaddress.ip_address(host)]
        if asked not in self._looking:
            most = _SUSPECTS_OF_ONE if asked in self._suspects else _LOOKUPS_OF_ONE
            turn = self._turns.setdefault((organisation_id, most), asyncio.Semaphore(most))
            await turn.acquire()
            if asked in self._looking:
                # Somebody else had a turn first.
                turn.release()
            else:
                self._begin(asked, turn)
        # Who leaves takes it from nobody who waits on.
        return await asyncio.shield(asyncio.wrap_future(self._looking[asked]))

    def _begin(self, asked: _Asked, turn: asyncio.Semaphore) -> None:
        """Look a name up in a thread; the turn is over when the thread is."""
        loop = asyncio.get_running_loop()

        def end() -> None:
            del self._looking[asked]
            turn.release()

        def ended(_: object) -> None:
            # Nobody waits any more where the loop has ended.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(end)

        _, host, port = asked
        self._looking[asked] = self._threads.submit(_look_up, host, port)
        self._looking[asked].add_done_callback(ended)

    def close(self) -> None:
        """Take no further lookups; whoever waits for one is left."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class Dialler(AsyncNetworkBackend):
    """Opens the connections of ``httpcore``; the host stays what TLS is checked against."""

    def __init__(self, resolver: Resolver, organisation_id: str) -> None:
        """Dial for an organisation."""
        self._resolver = resolver
        self._organisation_id = organisation_id
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        """Connect to an address that was checked.

        Raises:
            ForbiddenTargetError: there is none of this host.
            OSError: the host does not resolve.
            TimeoutError: nobody knows, in time.
            httpcore.ConnectError: no address answers.

        """
        addresses = await self._resolver.addresses(host, port, self._organisation_id)
        for address in addresses[:_ADDRESSES_TRIED]:
            with contextlib.suppress(httpcore.ConnectError):
                return await self._network.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
        raise httpcore.ConnectError("no address answers")


def _look_up(host: str, port: int) -> list[Address]:
    # As bytes, or Python would change the name once more.
    found = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
    # The same address may come more than once.
    return list(dict.fromkeys(ipaddress.ip_address(each[4][0]) for each in found))
