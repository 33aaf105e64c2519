"""Series of figures as tables, for spreadsheets: a line a period."""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import asdict
from enum import StrEnum

from services.gateway.findings import LABEL_NAMES
from services.gateway.records import Status, Time
from services.gateway.statistics.figures import Figures, Rate
from services.gateway.statistics.statistics import Summary


class Series(StrEnum):
    """What there is a table of."""

    STATUS = "status"
    LABELS = "labels"
    SUSPICIOUS = "suspicious"
    CANNOT_ASSESS = "cannot_assess"
    AGREEMENT = "agreement"
    LATENCY = "latency"


Cell = str | int | float | None

# What spreadsheets take for the beginning of a formula (OWASP, CSV Injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_DECIMALS = 4


def _rate(rate: Rate) -> dict[str, Cell]:
    low, high = rate.interval or (None, None)
    shares = {"rate": rate.share, "low": low, "high": high}
    rounded = {name: None if x is None else round(x, _DECIMALS) for name, x in shares.items()}
    return {"count": rate.count, "of": rate.of, **rounded}


def _status(figures: Figures, _: Figures) -> dict[str, Cell]:
    counts = {status.value: figures.status[status] for status in Status}
    return {"analyses": figures.analyses, **counts}


def _labels(figures: Figures, _: Figures) -> dict[str, Cell]:
    return {label: figures.labels[label] for label in LABEL_NAMES}


def _reasons(figures: Figures, whole: Figures) -> dict[str, Cell]:
    found = {reason: figures.reasons[reason] for reason in sorted(whole.reasons)}
    return {**_rate(figures.cannot_assess), **found}


def _suspicious(figures: Figures, _: Figures) -> dict[str, Cell]:
    return _rate(figures.suspicious)


def _agreement(figures: Figures, _: Figures) -> dict[str, Cell]:
    return _rate(figures.agreement)


def _latency(figures: Figures, _: Figures) -> dict[str, Cell]:
    parts = {Time.WHOLE: "", Time.QUEUE: "queue_", Time.RUN: "run_"}
    return {
        f"{part}{name}": value
        for time, part in parts.items()
        for name, value in asdict(figures.times[time]).items()
    }


_COLUMNS: Mapping[Series, Callable[[Figures, Figures], dict[str, Cell]]] = {
    Series.STATUS: _status,
    Series.LABELS: _labels,
    Series.SUSPICIOUS: _suspicious,
    Series.CANNOT_ASSESS: _reasons,
    Series.AGREEMENT: _agreement,
    Series.LATENCY: _latency,
}
"""Of each series, from the figures of a period and those of all."""


def lines(summary: Summary, series: Series) -> list[dict[str, Cell]]:
    """Return what a series says of each period, by the names of its columns."""
    columns = _COLUMNS[series]
    return [
        {
            "since": period.since.isoformat(),
            "until": period.until.isoformat(),
            **columns(period.figures, summary.whole),
        }
        for period in summary.periods
    ]


def table(summary: Summary, series: Series) -> str:
    """Return a series as comma-separated values (RFC 4180), the first line with the names."""
    found = lines(summary, series)
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(map(_harmless, found[0]))
    writer.writerows(map(_harmless, line.values()) for line in found)
    return written.getvalue()


def _harmless(cell: Cell) -> Cell:
    """Keep a text from being taken for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
