"""What a request must be, whoever sends it: one that all who pass it on read alike.

The parser refuses what is no HTTP at all; here it is refused what proxies read in several ways.
"""

import re

from starlette.datastructures import Headers

from services.gateway import errors

_VERSIONS = frozenset({"1.0", "1.1"})
_ONCE = ("authorization", "content-type", "host", "idempotency-key", "if-match", "origin")
# A name, an IPv4 address or an IPv6 one in brackets, and perhaps a port (RFC 9110, section 7.2).
_HOST = re.compile(r"(?:[\w.~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::\d*)?", re.ASCII)


def check(version: str, asked: Headers) -> None:
    """Refuse a request that is not plain.

    Args:
        version: of HTTP.
        asked: the headers of the request.

    Raises:
        MalformedError: another version, a body in an encoding that we do not undo, no host, or
            two of what there is one of (RFC 9112, sections 3.2 and 6.1).
        UnsupportedMediaTypeError: the content is compressed.

    """
    if version not in _VERSIONS:
        raise errors.MalformedError("Speak HTTP/1.1.")
    for name in _ONCE:
        if len(asked.getlist(name)) > 1:
            raise errors.MalformedError(f"Send one {name.title()} header.")
    host = asked.get("host", "" if version == "1.0" else None)
    if host is None or _HOST.fullmatch(host) is None:
        raise errors.MalformedError("Say in Host whom the request is for.")
    coding = asked.get("transfer-encoding")
    if coding is not None and (coding.lower() != "chunked" or version == "1.0"):
        raise errors.MalformedError("Send the body with Content-Length, or chunked.")
    if asked.get("content-encoding", "identity").lower() != "identity":
        raise errors.UnsupportedMediaTypeError("Send the content as it is, without compression.")
