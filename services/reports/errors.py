"""What can go wrong with a report, in the room's own words; the servicer knows the statuses."""


class InvalidReportError(Exception):
    """The message cannot become a report; names the field, never repeats its value."""

    def __init__(self, field: str, fault: str) -> None:
        super().__init__(f"{field}: {fault}")
        self.field = field


class TooManyWaitingError(Exception):
    """So many reports wait already that one more would only wait longer."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("too many reports wait already; try again shortly")
        self.retry_after_s = retry_after_s


class TooMuchHeldError(Exception):
    """The reports that wait or are in work hold so much that one more would not fit beside them."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("other reports take the memory that there is; try again shortly")
        self.retry_after_s = retry_after_s


class DeadlinePassedError(Exception):
    """The caller's deadline passed before a renderer was free."""

    def __init__(self) -> None:
        super().__init__("the deadline passed while the report waited")


class AbandonedError(Exception):
    """Whoever asked for the report has left, or their deadline has passed, while it was set."""

    def __init__(self) -> None:
        super().__init__("nobody waits for the report any more")


class LayoutFailedError(Exception):
    """The page could not be laid out: a fault of ours.

    Carries no cause on purpose, for the layout engine quotes the text that it choked on, and
    that may name a patient.
    """


class UnusableFontError(Exception):
    """A font that the operator named cannot be used."""

    def __init__(self, path: str, fault: str) -> None:
        super().__init__(f"the font {path} cannot be used: {fault}")
