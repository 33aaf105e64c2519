"""Whether the graphics card was lost, for whoever would be loaded onto it next."""


class Loss:
    """What one version learns of the card, those that come after it are to know.

    It is never taken back: a card that fails and opens again all the same may well fail again,
    and then with pictures in hand. Safe to use from several threads at once.

    Attributes:
        why: the card was given up; empty as long as it was not.

    """

    def __init__(self) -> None:
        """Begin with a card that nobody has given up."""
        self.why = ""

    def report(self, why: str) -> None:
        """Give the card up; the first reason is the one that counts."""
        self.why = self.why or why or "it failed without a reason"
