"""What a benchmark's figures are meant to be, beside what they are."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Aim:
    """A figure that has a bound.

    Attributes:
        what: it says.
        found: it is, in the last result.
        bound: it may reach.
        is_floor: whether it must be at least so large; else at most.
        unit: behind both, with the space before it.
        digits: behind the point.

    """

    what: str
    found: float
    bound: float
    is_floor: bool = False
    unit: str = ""
    digits: int = 2

    @property
    def is_kept(self) -> bool:
        """Whether the figure is within its bound."""
        return self.found >= self.bound if self.is_floor else self.found <= self.bound

    def __str__(self) -> str:
        """Return a line of a list; what is missed is set in bold."""
        word = "kept" if self.is_kept else "**missed**"
        side = "at least" if self.is_floor else "at most"
        found = f"{self.found:.{self.digits}f}{self.unit}"
        return f"- {self.what}: {found}; {side} {self.bound:g}{self.unit} is aimed at: {word}."


def rendered(*aims: Aim) -> str:
    """Return a list of aims, for the foot of a table."""
    return "\n".join(["", *map(str, aims), ""])
