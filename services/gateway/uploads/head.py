"""The head of a part of a form: what of it is believed stands there once.

Who reads the first and who reads the last of two would take the same part for two things.
"""

from collections.abc import Iterable

_READ = frozenset({b"content-disposition", b"content-type"})


def head(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return what the head of a part says.

    Args:
        headers: names in lower case, and values, in their order.

    Raises:
        ValueError: what is read of it is there twice; nobody minds the rest (RFC 7578, 4.8).

    """
    said: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in said and name in _READ:
            raise ValueError(f"a part has {name.decode().title()} twice")
        said[name] = value
    return said
