"""What routes give of statistics, as JSON."""

from dataclasses import asdict
from datetime import date
from typing import Literal, Self

from pydantic import BaseModel, Field

from services.gateway.findings import LABEL_NAMES
from services.gateway.records import Status
from services.gateway.statistics import Figures, Interval, Latency, Rate, Summary, Time

_LABELS = dict.fromkeys(LABEL_NAMES, 0)


class RateView(BaseModel):
    """So many of so many, and where the true share may lie; no share of none."""

    count: int = Field(examples=[12])
    of: int = Field(examples=[80])
    rate: float | None = Field(description="`count` of `of`, 0..1.", examples=[0.15])
    low: float | None = Field(description="Of the 95 % Wilson interval.", examples=[0.0879])
    high: float | None = Field(description="Of the same.", examples=[0.2441])

    @classmethod
    def of_rate(cls, rate: Rate) -> Self:
        """Show a rate."""
        low, high = rate.interval or (None, None)
        return cls(count=rate.count, of=rate.of, rate=rate.share, low=low, high=high)


class LatencyView(BaseModel):
    """How long some analyses took inference."""

    count: int = Field(description="Analyses with an answer whose time was kept.", examples=[80])
    median_ms: int | None = Field(description="In milliseconds.", examples=[46])
    p95_ms: int | None = Field(description="19 of 20 took no longer.", examples=[71])

    @classmethod
    def of(cls, latency: Latency) -> Self:
        """Show how long some took."""
        return cls(**asdict(latency))


class FiguresView(BaseModel):
    """What some analyses come to. What was removed is not counted."""

    analyses: int = Field(examples=[84])
    status: dict[str, int] = Field(
        description="How many are so far.",
        examples=[{"queued": 0, "running": 1, "succeeded": 82, "failed": 1}],
    )
    labels: dict[str, int] = Field(
        description="Of the assessed ones, by the label with the highest probability.",
        examples=[{**_LABELS, "nv": 68, "mel": 12}],
    )
    suspicious: RateView = Field(
        description="Of the assessed ones, those at or above the model's operating point."
    )
    cannot_assess: RateView = Field(
        description="Of those with an answer, those whose picture must not be judged."
    )
    cannot_assess_reasons: dict[str, int] = Field(
        description="Why not; one picture may have several reasons.", examples=[{"blurred": 2}]
    )
    agreement: RateView = Field(
        description="Of the assessed ones to which a clinician gave one of the seven labels, those "
        "where it is the same. Nobody chose them at random, so this is no figure of accuracy."
    )
    latency: LatencyView = Field(
        description="From a picture's arrival at inference to its answer, waits included."
    )
    queue_time: LatencyView = Field(
        description="Of it, what the models waited for a free runner, summed over them; they wait "
        "side by side."
    )
    run_time: LatencyView = Field(
        description="Of it, what the models ran, summed over them; they run side by side. Reading "
        "the picture and drawing what was found is in neither. Counted as `queue_time` is."
    )

    @classmethod
    def of(cls, figures: Figures) -> Self:
        """Show figures."""
        return cls.model_validate(_shown(figures))


class PeriodView(FiguresView):
    """The same for some days."""

    since: date
    until: date = Field(description="The day after the last.")


class StatisticsView(BaseModel):
    """What analyses come to from a day on, until before another, as a whole and over time."""

    since: date
    until: date = Field(description="The day after the last.")
    interval: Interval
    time_zone: Literal["UTC"] = "UTC"
    records: Literal["organisation", "own"] = Field(
        description="Whose analyses these are: all of an organisation that shares, or one's own."
    )
    whole: FiguresView
    periods: list[PeriodView] = Field(
        description="Oldest first; the first and the last may be cut off by `since` and `until`."
    )

    @classmethod
    def of(cls, summary: Summary, *, shared: bool) -> Self:
        """Show statistics."""
        return cls(
            since=summary.span.since,
            until=summary.span.until,
            interval=summary.span.interval,
            records="organisation" if shared else "own",
            whole=FiguresView.of(summary.whole),
            periods=[
                PeriodView.model_validate(
                    {**_shown(each.figures), "since": each.since, "until": each.until}
                )
                for each in summary.periods
            ],
        )


def _shown(figures: Figures) -> dict[str, object]:
    return {
        "analyses": figures.analyses,
        "status": {status.value: figures.status[status] for status in Status},
        "labels": {label: figures.labels[label] for label in LABEL_NAMES},
        "suspicious": RateView.of_rate(figures.suspicious),
        "cannot_assess": RateView.of_rate(figures.cannot_assess),
        "cannot_assess_reasons": dict(figures.reasons.most_common()),
        "agreement": RateView.of_rate(figures.agreement),
        "latency": LatencyView.of(figures.times[Time.WHOLE]),
        "queue_time": LatencyView.of(figures.times[Time.QUEUE]),
        "run_time": LatencyView.of(figures.times[Time.RUN]),
    }
