"""Where somebody signs in from: a network, and perhaps a device that has been here before."""

import hashlib
from dataclasses import dataclass

from services.gateway.networks import network

# What one customer of a network usually has; who has more than one of these counts as several.
_NETWORK_BITS = {4: 24, 6: 48}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from.

    Attributes:
        address: of the client; None where there is none, as on a socket in a file.
        device: the token that an earlier sign-in on the same device was given.

    """

    address: str | None = None
    device: str | None = None

    @property
    def network_digest(self) -> str:
        """Name the network, without saying which it is."""
        return digest("network", network(self.address, _NETWORK_BITS))

    @property
    def device_digest(self) -> str | None:
        """Name the device, if it says which it is."""
        return None if self.device is None else digest("device", self.device)

    @property
    def digests(self) -> list[str]:
        """Name all that is known of it."""
        return [name for name in (self.network_digest, self.device_digest) if name is not None]


def digest(*parts: str) -> str:
    """Return one name for several parts that stands for none of them."""
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
