"""By which names the gateway is called."""

from starlette.datastructures import Headers

from services.gateway import errors

_BY_ANY_NAME = frozenset({"/livez", "/readyz", "/metrics"})
"""Asked for by machines that know an address and no name."""


class Hosts:
    """Refuses requests that are meant for somebody else."""

    def __init__(self, names: frozenset[str]) -> None:
        """Build with the names, in lower case and without ports; any name if there are none."""
        self._names = names

    def check(self, path: str, asked: Headers) -> None:
        """See that a request is for us.

        Args:
            path: that is asked for.
            asked: the headers of the request.

        Raises:
            MisdirectedError: it names somebody else.

        """
        if not self._names or path in _BY_ANY_NAME:
            return
        if _name(asked.get("host", "")) not in self._names:
            raise errors.MisdirectedError("This gateway does not go by the name in Host.")


def _name(host: str) -> str:
    # An IPv6 address stands in brackets and has colons of its own.
    name = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
    return name.lower()
