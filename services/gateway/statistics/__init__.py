"""What analyses come to over time: counts, and rates with their uncertainty."""

from services.gateway.records import Time
from services.gateway.statistics.figures import Figures, Latency, Rate
from services.gateway.statistics.series import Series, lines, table
from services.gateway.statistics.span import MOST_PERIODS, Interval, Span
from services.gateway.statistics.statistics import Period, Statistics, Summary

__all__ = [
    "MOST_PERIODS",
    "Figures",
    "Interval",
    "Latency",
    "Period",
    "Rate",
    "Series",
    "Span",
    "Statistics",
    "Summary",
    "Time",
    "lines",
    "table",
]
