"""The fields of a protobuf message, without knowing what message it is.

https://protobuf.dev/programming-guides/encoding/
"""

from typing import NamedTuple

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
_MOST_VARINT_BYTES = 10
_SEVEN_BITS = 0x7F
_MORE_FOLLOWS = 0x80


class Field(NamedTuple):
    """One field as it stands on the wire.

    Attributes:
        number: of the field.
        kind: its wire type.
        value: its bytes: of a varint as they are, of what has a length without it.

    """

    number: int
    kind: int
    value: bytes


def fields(message: bytes) -> list[Field]:
    """Take a message apart.

    Raises:
        ValueError: these bytes are no message.

    """
    found, place = [], 0
    while place < len(message):
        tag, place = _number(message, place)
        kind, begin = tag & 7, place
        if kind == VARINT:
            _, place = _number(message, place)
        elif kind == LENGTH:
            length, begin = _number(message, place)
            place = begin + length
        elif kind in (FIXED32, FIXED64):
            place += 4 if kind == FIXED32 else 8
        else:
            raise ValueError("a group, or no wire type")
        if place > len(message) or not tag >> 3:
            raise ValueError("cut off, or field number 0")
        found.append(Field(tag >> 3, kind, message[begin:place]))
    return found


def joined(parts: list[Field]) -> bytes:
    """Put a message together."""
    return b"".join(
        varint(number << 3 | kind) + (varint(len(value)) if kind == LENGTH else b"") + value
        for number, kind, value in parts
    )


def varint(number: int) -> bytes:
    """Write a number of at most 64 bits, seven bits a byte, the lowest first."""
    digits = bytearray()
    while number > _SEVEN_BITS:
        digits.append(number & _SEVEN_BITS | _MORE_FOLLOWS)
        number >>= 7
    return bytes([*digits, number])


def _number(message: bytes, place: int) -> tuple[int, int]:
    """Return the varint that stands at a place, and the place behind it."""
    number = 0
    for count, digit in enumerate(message[place : place + _MOST_VARINT_BYTES]):
        number |= (digit & _SEVEN_BITS) << 7 * count
        if not digit & _MORE_FOLLOWS:
            return number, place + count + 1
    raise ValueError("a number that does not end")
