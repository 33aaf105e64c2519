"""How a request's id travels from room to room."""

from __future__ import annotations  # gRPC's classes are generic for type checkers only

from collections.abc import Callable
from typing import Any

from grpc import aio

from services import telemetry
from services.rpc.metadata import with_metadata

REQUEST_ID_HEADER = "x-request-id"


class RequestIdInterceptor(aio.UnaryUnaryClientInterceptor):
    """Hands the request id in force to the room that is called."""

    async def intercept_unary_unary(
        self,
        continuation: Callable[[aio.ClientCallDetails, Any], Any],
        client_call_details: aio.ClientCallDetails,
        request: Any,
    ) -> Any:
        """Add the header to one call."""
        request_id = telemetry.current_request_id()
        if request_id is None:
            return await continuation(client_call_details, request)
        details = with_metadata(client_call_details, REQUEST_ID_HEADER, request_id)
        return await continuation(details, request)
