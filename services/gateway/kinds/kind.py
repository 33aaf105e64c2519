"""How an error looks from outside."""

from typing import NamedTuple


class Kind(NamedTuple):
    """What programs and people are told of an error.

    Attributes:
        status: of HTTP.
        slug: names the kind of problem for programs.
        title: names it for people; the same at every occurrence.
        help: what to do about it, on the page that explains the kinds.
        detail: what is said instead of the error's own sentence, where that is not for
            the caller's eyes.

    """

    status: int
    slug: str
    title: str
    help: str
    detail: str | None = None
