"""How many, how often and how fast."""

from datetime import date

from dermserve_client.shapes.shape import Shape


class Rate(Shape):
    """So many of so many, with the 95 % Wilson interval of the share; no share of none."""

    count: int
    of: int
    rate: float | None
    low: float | None
    high: float | None


class Latency(Shape):
    """How long inference took, in milliseconds."""

    count: int
    median_ms: int | None
    p95_ms: int | None


class Figures(Shape):
    """What some analyses come to; a gateway of before does not tell what models waited and ran."""

    analyses: int
    status: dict[str, int]
    labels: dict[str, int]
    suspicious: Rate
    cannot_assess: Rate
    cannot_assess_reasons: dict[str, int]
    agreement: Rate
    latency: Latency
    queue_time: Latency | None = None
    run_time: Latency | None = None


class Period(Figures):
    """The same for some days, ``until`` being the day after the last."""

    since: date
    until: date


class Statistics(Shape):
    """What analyses come to, as a whole and over time."""

    since: date
    until: date
    interval: str
    time_zone: str
    records: str
    whole: Figures
    periods: list[Period]
