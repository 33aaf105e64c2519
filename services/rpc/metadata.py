"""What travels with a call beside its message."""

from grpc import aio


def with_metadata(details: aio.ClientCallDetails, key: str, value: str) -> aio.ClientCallDetails:
    """Return the details of a call with one more header."""
    metadata = aio.Metadata(*(details.metadata or ()))
    metadata.add(key, value)
    return aio.ClientCallDetails(
        details.method, details.timeout, metadata, details.credentials, details.wait_for_ready
    )
