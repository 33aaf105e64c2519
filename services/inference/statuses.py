"""The room's table of statuses: what each of its errors becomes on the wire."""

import grpc

from services import picture, rpc
from services.inference.refusal import (
    DeadlinePassedError,
    DrainingError,
    InvalidRequestError,
    RefusedError,
    UnknownModelError,
)

STATUSES: rpc.Statuses = {
    picture.PictureError: grpc.StatusCode.INVALID_ARGUMENT,
    InvalidRequestError: grpc.StatusCode.INVALID_ARGUMENT,
    UnknownModelError: grpc.StatusCode.NOT_FOUND,
    RefusedError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    DeadlinePassedError: grpc.StatusCode.DEADLINE_EXCEEDED,
    DrainingError: grpc.StatusCode.UNAVAILABLE,
}
