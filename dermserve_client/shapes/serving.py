"""What answers, and how it is."""

from datetime import datetime

from pydantic import Field

from dermserve_client.shapes.shape import Shape


class Interval(Shape):
    """The 95 % interval of a figure."""

    low: float
    high: float


class Evaluation(Shape):
    """How well a model did, and on what.

    ``intervals`` has those that are known, by the names of ``metrics``; a gateway of before tells
    none.
    """

    evaluated_on: str
    metrics: dict[str, float]
    intervals: dict[str, Interval] = Field(default_factory=dict)


class Model(Shape):
    """A version of a model that answers now."""

    name: str
    version: str
    version_label: str
    traffic_share: float
    sha256: str
    labels: list[str]
    execution_provider: str
    evaluation: Evaluation


class Readiness(Shape):
    """What can be done now: ``ready``, or ``degraded`` where something is down."""

    status: str
    checks: dict[str, str]


class Line(Shape):
    """Pictures that wait for their analysis, and those that are being analyzed."""

    queued: int
    running: int
    oldest_at: datetime | None


class System(Shape):
    """How a gateway is, for administrators."""

    version: str
    started_at: datetime
    database: str
    checks: dict[str, str]
    line: Line
