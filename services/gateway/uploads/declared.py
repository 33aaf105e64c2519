"""Whether a file is of the kind that it is said to be: by its type and its name's extension.

Neither is believed, for the content decides; but a file that contradicts itself is not taken
(OWASP ASVS 5.0, 5.2.2).
"""

import posixpath
from mimetypes import MimeTypes

from services.gateway import errors

_MAGIC = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
_SAYS_NOTHING = frozenset({"", "application/octet-stream"})
_OTHER_NAMES = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}

# A table of its own, whatever the machine has.
_TABLE = MimeTypes()
_PACKED = {extension.lower() for extension in (*_TABLE.encodings_map, *_TABLE.suffix_map)}
_BY_EXTENSION = {**_TABLE.types_map[True], **dict.fromkeys(_PACKED, "packed")}


def see_that_it_is(picture: bytes, kind: str = "", file_name: str = "") -> None:
    """See that a picture is what is said of it.

    Args:
        picture: the file; what is neither JPEG nor PNG is told elsewhere.
        kind: its media type, if any was said.
        file_name: its name, if any was said; one with an unknown extension says nothing.

    Raises:
        InvalidPictureError: it is something else.

    """
    is_kind = next((kind for magic, kind in _MAGIC.items() if picture.startswith(magic)), None)
    if is_kind is None:
        return
    named = kind.partition(";")[0].strip().lower()
    by_type = None if named in _SAYS_NOTHING else _OTHER_NAMES.get(named, named)
    for said, by in ((by_type, "type"), (_by_extension(file_name), "extension")):
        if said not in {None, is_kind}:
            raise errors.InvalidPictureError(
                f"The file is {is_kind}, and something else by its {by}. Send it as what it is."
            )


def _by_extension(file_name: str) -> str | None:
    """Return what a file is by the last extension of its name; None if that says nothing."""
    # Dots and spaces at the end of a name are none of it on Windows.
    _, extension = posixpath.splitext(file_name.lower().rstrip(". "))
    return _BY_EXTENSION.get(extension)
