"""Valid messages made wrong, in the ways in which bytes on a wire go wrong."""

import random
from collections.abc import Callable, Sequence

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
    message = bytearray(rng.choice(valid))
    for _ in range(rng.randint(1, _MOST_CHANGES)):
        rng.choice(_MUTATIONS)(rng, message)
    if rng.random() < 1 / 16:
        other = rng.choice(valid)
        message[_place(rng, message) :] = other[rng.randrange(len(other) + 1) :]
    return bytes(message)


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
