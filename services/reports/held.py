"""How much memory the messages of reports hold that wait or are in work."""


class Held:
    """Bytes against a bound, of which long reports take at most half.

    The settings have it at least twice as large as what the wire lets through, so there is room
    for any message where there is nothing else.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = {False: 0, True: 0}
        """Of short reports and of long ones."""

    @property
    def bytes(self) -> int:
        """All that is held."""
        return sum(self._bytes.values())

    def has_room(self, size: int, *, is_long: bool) -> bool:
        """Say whether a message may be held beside the others."""
        if is_long and self._bytes[True] + size > self._max_bytes // 2:
            return False
        return self.bytes + size <= self._max_bytes

    def take(self, size: int, *, is_long: bool) -> None:
        """Count a message."""
        self._bytes[is_long] += size

    def give_back(self, size: int, *, is_long: bool) -> None:
        """Count it no more."""
        self._bytes[is_long] -= size
