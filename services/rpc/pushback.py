"""When a caller that was turned away should come back."""

import math

PUSHBACK_TRAILER = "grpc-retry-pushback-ms"


def pushback_ms(error: Exception) -> int | None:
    """Return after how long a caller should come back, if the error knows (gRFC A6)."""
    wait_s = getattr(error, "retry_after_s", None)
    return None if wait_s is None else math.ceil(wait_s * 1000)


def trailer(error: Exception) -> tuple[tuple[str, str], ...]:
    """Return the trailer that tells a caller when to come back, if the error knows."""
    wait_ms = pushback_ms(error)
    return () if wait_ms is None else ((PUSHBACK_TRAILER, str(wait_ms)),)
