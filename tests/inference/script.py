"""What can happen in a random scene, and where."""

from dataclasses import dataclass

from services.inference.priority import Priority


@dataclass(frozen=True)
class Ask:
    """A request comes in, for one batcher or for one after the other."""

    way: tuple[int, ...]
    rows: int
    time_s: float
    priority: Priority


@dataclass(frozen=True)
class Leave:
    """A caller leaves, whether it was answered or not."""

    who: int


@dataclass(frozen=True)
class Pass:
    """Time passes; zero is one turn of the event loop."""

    seconds: float


@dataclass(frozen=True)
class Stall:
    """The event loop is held up: time passes, and nobody notices."""

    seconds: float


@dataclass(frozen=True)
class Close:
    """A batcher takes no more."""

    batcher: int


Step = Ask | Leave | Pass | Stall | Close


@dataclass(frozen=True)
class Run:
    """What becomes of a batch.

    Attributes:
        seconds: that it runs.
        rows_lost: outputs that are missing; negative, that are too many.
        error: that it ends with.
        mute: places of the rows that have no output, while others have.

    """

    seconds: float
    rows_lost: int = 0
    error: type[BaseException] | None = None
    mute: tuple[int, ...] = ()


@dataclass(frozen=True)
class House:
    """What the batchers are built with."""

    runners: int
    places: int
    known_s: float | None
    padded: bool
    delay_s: float
