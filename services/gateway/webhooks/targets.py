"""Where webhooks may go: which addresses of the web, and which of the network behind them.

A receiver's address is chosen by a user and asked by us, from inside. So it must not lead to what
only we can reach (server-side request forgery, CWE-918): the metadata of a cloud, the database, the
services behind the gateway. Names say nothing about that; what they resolve to does.
"""

import ipaddress
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pydantic import AnyHttpUrl, TypeAdapter, ValidationError

from services.gateway import errors

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_URL = TypeAdapter(AnyHttpUrl)
_LONGEST = 2000
_PORTS = {"https": 443, "http": 80}

_NOT_PUBLIC = [
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by the customers of a carrier
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, and the metadata of clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4, given up
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "2001::/23",  # protocol assignments, Teredo and ORCHID among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: holds an IPv4 address
        "3fff::/20",  # documentation
    )
]
"""From IANA's registries of special-purpose addresses.

https://www.iana.org/assignments/iana-ipv4-special-registry and its sister for IPv6. The standard
library's ``is_global`` follows them too, but differently in each version of Python.
"""

_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""All of IPv6 that is given out to networks (RFC 4291, 2.4, and IANA).

Outside lie loopback, link-local, unique local and multicast addresses, and those that hold an IPv4
address: mapped (::ffff:0:0/96), compatible (::/96) and NAT64 (64:ff9b::/96, 64:ff9b:1::/48).
"""


@dataclass(frozen=True, slots=True)
class Target:
    """A receiver's address in its parts.

    Attributes:
        scheme: ``https`` or ``http``.
        host: a name, in ASCII, or an address without brackets.
        port: of the receiver.
        path: with the query.

    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What goes into the header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole address, in its normal form."""
        return f"{self.scheme}://{self.authority}{self.path}"


class Rules:
    """What operators allow."""

    def __init__(
        self, allowed: Iterable[Network], ports: Collection[int], *, plain: bool = False
    ) -> None:
        """Build the rules.

        Args:
            allowed: networks that are not public and may be reached all the same.
            ports: that may be reached.
            plain: whether http will do.

        """
        self._allowed = tuple(allowed)
        self._ports = ports
        self._schemes = {"https", "http"} if plain else {"https"}

    def target(self, url: str) -> Target:
        """Return a receiver's address in its parts; nothing is resolved.

        It is read as browsers read it (WHATWG URL), so that every spelling of an IPv4 address
        becomes the address, and every other alphabet ASCII.

        Raises:
            InvalidRequestError: webhooks may not go there.

        """
        try:
            parsed = _URL.validate_python(url)
        except ValidationError:
            raise errors.InvalidRequestError("url: this is no address of the web.") from None
        if parsed.scheme not in self._schemes:
            raise errors.InvalidRequestError("url: must begin with https://.")
        if parsed.username is not None or parsed.password is not None:
            raise errors.InvalidRequestError("url: must not hold a username or password.")
        # A fragment is for browsers; it is not sent.
        path = parsed.path or "/"
        target = Target(
            parsed.scheme,
            (parsed.host or "").strip("[]").rstrip("."),
            parsed.port or 0,
            f"{path}?{parsed.query}" if parsed.query else path,
        )
        if target.port not in self._ports:
            raise errors.InvalidRequestError(f"url: webhooks do not go to port {target.port}.")
        if not target.host or len(target.url) > _LONGEST:
            raise errors.InvalidRequestError("url: this is no address of the web.")
        return target

    def may_reach(self, address: Address) -> bool:
        """Say whether an address of the network is public, or allowed."""
        if any(address in network for network in self._allowed):
            return True
        if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
            return False
        return not any(address in network for network in _NOT_PUBLIC)
