"""Bytes that come as messages, and are none."""

from collections.abc import Callable
from typing import Any

from google.protobuf.message import DecodeError


class MalformedError(Exception):
    """The bytes cannot be read as the message that the method takes."""

    def __init__(self) -> None:
        super().__init__("the message cannot be read: it is not what this method takes")


class Malformed:
    """Stands where a message should be; gRPC would end the call as a fault of ours."""


def tolerant(deserialize: Callable[[bytes], Any] | None) -> Callable[[bytes], Any] | None:
    """Return a deserializer that answers ``Malformed`` where it could not read."""
    if deserialize is None:
        return None

    def read(encoded: bytes) -> Any:
        try:
            return deserialize(encoded)
        except DecodeError:
            return Malformed()

    return read
