"""Whether content is what its name says."""

import hashlib
import re

from services.gateway import errors

_ORGANISATION = re.compile(r"[0-9a-f]{32}", re.ASCII)
_NAME = re.compile(r"[0-9a-f]{64}", re.ASCII)


def digest(content: bytes) -> str:
    """Return the name under which content is kept."""
    return hashlib.sha256(content).hexdigest()


def intact(name: str, content: bytes) -> bytes:
    """Return the content of a name.

    Raises:
        DamagedPictureError: it is the content of another.

    """
    if digest(content) != name:
        raise errors.DamagedPictureError(name)
    return content


def is_ours(organisation_id: str, name: str) -> bool:
    """Say whether something that lies there can be one of our objects; others are left alone."""
    return bool(_ORGANISATION.fullmatch(organisation_id) and _NAME.fullmatch(name))
