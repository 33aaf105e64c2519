"""How much memory the messages of reports hold that wait or are in work."""


class Held:
    """Bytes against a bound, of which long reports take at most half.

    A message larger than that is let in all the same where there is nothing else, or no long one;
    the settings have none so large, for their bound is at least twice what the wire lets through.
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
        if is_long and self._bytes[True] and self._bytes[True] + size > self._max_bytes // 2:
            return False
        return not self.bytes or self.bytes + size <= self._max_bytes

    def take(self, size: int, *, is_long: bool) -> None:
        """Count a message."""
        self._bytes[is_long] += size

    def give_back(self, size: int, *, is_long: bool) -> None:
        """Count it no more."""
        self._bytes[is_long] -= size
