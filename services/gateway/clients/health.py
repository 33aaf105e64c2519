"""Whether a service behind the gateway says that it is ready."""

from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc


async def trouble(channel: aio.Channel, timeout_s: float) -> str | None:
    """Return what is wrong with a service in a word or two, or None when it is ready."""
    request = health_pb2.HealthCheckRequest()
    try:
        answer = await health_pb2_grpc.HealthStub(channel).Check(request, timeout=timeout_s)
    except aio.AioRpcError as error:
        return str(error.code().name.lower().replace("_", " "))
    return None if answer.status == health_pb2.HealthCheckResponse.SERVING else "not ready"


async def is_ready(channel: aio.Channel, timeout_s: float) -> bool:
    """Say whether a service says so."""
    return await trouble(channel, timeout_s) is None
