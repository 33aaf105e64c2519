"""Serving a room."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import grpc
from grpc import aio
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from prometheus_client import CollectorRegistry

from services import telemetry
from services.certificates import Certificates
from services.rpc import memory
from services.rpc.addresses import authority, refuse_taken
from services.rpc.door import Door
from services.rpc.drain import Drain
from services.rpc.health import LIVENESS, Health
from services.rpc.limits import MAX_MESSAGE_BYTES
from services.rpc.metrics import CallMetrics
from services.rpc.statuses import Statuses

if TYPE_CHECKING:  # OpenTelemetry is there only where traces are wanted
    from services.telemetry.traces import Traces

_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # Two processes that share a port by accident would each answer half of the calls.
    ("grpc.so_reuseport", 0),
    # Connections end now and then, so that clients find new replicas. Running calls stay, but
    # none for ever: one that was opened and never finished would hold its memory as long.
    ("grpc.max_connection_age_ms", 300_000),
    ("grpc.max_connection_age_grace_ms", 3_600_000),
    # Whoever connects and says nothing costs a socket, for as long as this.
    ("grpc.server_handshake_timeout_ms", 10_000),
    ("grpc.max_connection_idle_ms", 120_000),
    # A peer that vanished without a word is noticed within these two, and its calls end.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # What comes faster than it is looked at is held, and not ended as CANCELLED at random: we
    # say ourselves who is refused, and a flood of opened calls must not end those of others.
    ("grpc.server.max_pending_requests", 20_000),
    ("grpc.server.max_pending_requests_hard_limit", 50_000),
    # Rooms ping each other while they have nothing to say; faster than this is not welcome.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
)


class Server:
    """A gRPC server that is live once started, ready once said so, and ends in order.

    Attributes:
        grpc: where servicers are added.

    """

    def __init__(
        self,
        statuses: Statuses,
        registry: CollectorRegistry,
        room: str,
        traces: "Traces | None" = None,
    ) -> None:
        """Build a server that is not listening yet.

        Args:
            statuses: which status each domain error becomes.
            registry: where the calls are counted and timed.
            room: prefix of the metrics' names.
            traces: where calls are recorded; None for nowhere.

        """
        self._health = Health()
        self._drain = Drain()
        self._services: list[str] = []
        self._giving_back: asyncio.Task[None] | None = None
        self.grpc = aio.server(
            interceptors=[Door(statuses, CallMetrics(registry, room), self._drain, traces)],
            options=_OPTIONS,
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.grpc)

    async def start(
        self,
        host: str,
        port: int,
        services: Sequence[str],
        certificates: Certificates | None = None,
    ) -> int:
        """Listen, live but not ready.

        Args:
            host: the interface to listen on.
            port: the port to listen on; 0 takes any free one.
            services: full names of the services added to ``grpc``.
            certificates: callers are shown ours and must show one that the authority signed, for
                health too; None for plain gRPC.

        Returns:
            The port that is listened on.

        Raises:
            telemetry.ListenerError: the address cannot be listened on.

        """
        self._services = ["", *services]
        reflection.enable_server_reflection(
            (*services, health.SERVICE_NAME, reflection.SERVICE_NAME), self.grpc
        )
        await self._health.say(self._services, serving=False)
        refuse_taken(host, port)
        address = authority(host, port)
        try:
            bound = self._listen(address, certificates)
        except RuntimeError as error:
            message = f"cannot listen on {address}: is the port taken?"
            raise telemetry.ListenerError(message) from error
        await self.grpc.start()
        self._giving_back = asyncio.create_task(memory.give_back_for_ever())
        return bound

    def _listen(self, address: str, certificates: Certificates | None) -> int:
        if certificates is None:
            return self.grpc.add_insecure_port(address)
        credentials = grpc.ssl_server_credentials(
            [(certificates.key, certificates.chain)],
            root_certificates=certificates.authority,
            require_client_auth=True,
        )
        return self.grpc.add_secure_port(address, credentials)

    @property
    def is_live(self) -> bool:
        """Whether health checks are told to leave this process running."""
        return self._health.serves(LIVENESS)

    @property
    def is_ready(self) -> bool:
        """Whether health checks are told that calls are welcome."""
        return self._health.serves("")

    async def announce_ready(self) -> None:
        """Tell health checks that calls are welcome."""
        await self._health.say(self._services, serving=True)

    async def announce_end(self) -> None:
        """Tell health checks that calls should go elsewhere; they are still answered."""
        await self._health.say(self._services, serving=False)

    async def announce_defect(self) -> None:
        """Tell health checks that this process will not recover and should be replaced."""
        await self._health.say([*self._services, LIVENESS], serving=False)

    async def stop(self, grace_s: float) -> None:
        """Turn new calls away, let running ones finish, end the rest.

        Args:
            grace_s: the seconds that running calls may still take.

        """
        await self.announce_end()
        self._drain.begin()
        await self._health.end_watches()
        await self.grpc.stop(grace_s)
        if self._giving_back is not None:
            self._giving_back.cancel()
