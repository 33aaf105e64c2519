"""Which addresses belong together."""

import ipaddress
from collections.abc import Mapping


def customer(address: str | None) -> str:
    """Return what one customer of a network has at least: an address, or 64 bits of IPv6."""
    return network(address, {4: 32, 6: 64})


def network(address: str | None, bits: Mapping[int, int]) -> str:
    """Return the network of an address, so wide as is said for each version of IP."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    return str(ipaddress.ip_network((mapped, bits[mapped.version]), strict=False))
