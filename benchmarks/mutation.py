"""Valid messages made wrong: their bytes, as on a bad wire, or their fields, as by bad clients.

Most messages with wrong bytes cannot be read at all. Those with wrong fields can, and reach what
looks at their content.
"""

import random
from collections.abc import Callable, Sequence

from benchmarks import wire
from benchmarks.wire import LENGTH, VARINT, Field

_VARINTS = (
    b"\x00",
    b"\x7f",
    b"\xff\xff\xff\xff\x0f",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\xff" * 9 + b"\x01",
    b"\xff" * 11,
)
"""Zero, the largest of 7, 32, 63 and 64 bits, and one that never ends."""

_MOST_CHANGES = 4
_DEEP = 200  # protobuf's own parsers stop at a depth of 100

Mutation = Callable[[random.Random, bytearray], None]


def mutated(rng: random.Random, valid: Sequence[bytes]) -> bytes:
    """Return one of several valid messages with a few changes.

    Args:
        rng: decides; the same state makes the same message.
        valid: serialized messages to begin from.

    """
    chosen = rng.choice(valid)
    if rng.random() < 1 / 2:
        return reshaped(rng, chosen)
    message = bytearray(chosen)
    for _ in range(rng.randint(1, _MOST_CHANGES)):
        rng.choice(_MUTATIONS)(rng, message)
    if rng.random() < 1 / 16:
        other = rng.choice(valid)
        message[_place(rng, message) :] = other[rng.randrange(len(other) + 1) :]
    return bytes(message)


def reshaped(rng: random.Random, message: bytes) -> bytes:
    """Return a message with other fields, at any depth, that can still be read as one."""
    try:
        parts = wire.fields(message)
    except ValueError:
        parts = []
    if not parts:
        return _refilled(rng, message)
    for _ in range(rng.randint(1, 2)):
        rng.choice(_RESHAPES)(rng, parts)
    return wire.joined(parts)


def _refilled(rng: random.Random, content: bytes) -> bytes:
    """Return other content in the place of text, of a picture, of a tensor."""
    other = (
        b"",
        content * 2,
        content[: len(content) // 2],
        rng.randbytes(len(content)),
        b"a" * 999,
    )
    return rng.choice(other)


def _change(rng: random.Random, parts: list[Field]) -> None:
    """Give a field another value of its kind."""
    place = rng.randrange(len(parts))
    number, kind, value = parts[place]
    if kind == LENGTH:
        change = rng.choice((reshaped, _refilled))
        parts[place] = Field(number, kind, change(rng, value))
    elif kind == VARINT:
        extreme = rng.choice((0, 1, 2**31 - 1, 2**31, 2**63 - 1, 2**64 - 1, rng.randrange(2**16)))
        parts[place] = Field(number, kind, wire.varint(extreme))
    else:
        parts[place] = Field(number, kind, rng.randbytes(len(value)))


def _drop(rng: random.Random, parts: list[Field]) -> None:
    if len(parts) > 1:
        del parts[rng.randrange(len(parts))]


def _double(rng: random.Random, parts: list[Field]) -> None:
    parts.insert(rng.randrange(len(parts) + 1), rng.choice(parts))


def _reorder(rng: random.Random, parts: list[Field]) -> None:
    rng.shuffle(parts)


def _add(rng: random.Random, parts: list[Field]) -> None:
    """Put in a number where the message may have one, or where it has none."""
    parts.append(Field(rng.randint(1, 8), VARINT, wire.varint(rng.randrange(2**32))))


_RESHAPES = (_change, _change, _change, _drop, _double, _reorder, _add)


def _place(rng: random.Random, message: bytearray) -> int:
    """Return a place, half of the time near the head, where the structure is."""
    end = len(message) if rng.random() < 1 / 2 else min(len(message), 32)
    return rng.randrange(end + 1)


def _flip(rng: random.Random, message: bytearray) -> None:
    place = _place(rng, message)
    if place < len(message):
        message[place] ^= 1 << rng.randrange(8)


def _replace(rng: random.Random, message: bytearray) -> None:
    place = _place(rng, message)
    message[place : place + 1] = rng.randbytes(1)


def _insert(rng: random.Random, message: bytearray) -> None:
    place = _place(rng, message)
    message[place:place] = rng.randbytes(rng.randint(1, 16))


def _delete(rng: random.Random, message: bytearray) -> None:
    place = _place(rng, message)
    del message[place : place + rng.randint(1, 64)]


def _cut(rng: random.Random, message: bytearray) -> None:
    del message[_place(rng, message) :]


def _repeat(rng: random.Random, message: bytearray) -> None:
    place = _place(rng, message)
    piece = message[place : place + rng.randint(1, 64)]
    message[place:place] = piece * rng.randint(1, 8)


def _number(rng: random.Random, message: bytearray) -> None:
    """Put an extreme number where a length or a value may stand."""
    place = _place(rng, message)
    message[place : place + rng.randint(0, 2)] = rng.choice(_VARINTS)


def _field(rng: random.Random, message: bytearray) -> None:
    """Put in a field of any number and wire type, known to the message or not."""
    tag = rng.randint(1, 20) << 3 | rng.randrange(8)
    place = _place(rng, message)
    message[place:place] = bytes([tag & 0x7F | 0x80, tag >> 7]) + rng.randbytes(rng.randint(0, 9))


def _nest(rng: random.Random, message: bytearray) -> None:
    """Open groups or messages in one another, deeper than any parser goes."""
    message[:0] = bytes([rng.randint(1, 6) << 3 | rng.choice((2, 3))]) * _DEEP


def _word(rng: random.Random, message: bytearray) -> None:
    """Put in text that is no UTF-8."""
    place = _place(rng, message)
    message[place : place + 2] = rng.choice((b"\xc0\x80", b"\xed\xa0\x80", b"\xff\xfe", b"\x00"))


_MUTATIONS: Sequence[Mutation] = (
    _flip,
    _replace,
    _insert,
    _delete,
    _cut,
    _repeat,
    _number,
    _field,
    _nest,
    _word,
)
