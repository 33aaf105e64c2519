"""Analyses: made, looked at, reported, removed."""

from services.gateway.analyses.analyze import Analyzer, Limits
from services.gateway.analyses.arrears import AnalysisArrears
from services.gateway.analyses.assessments import Assessments
from services.gateway.analyses.comparison import GOOD_OVERLAP, Change, Comparison, Comparisons
from services.gateway.analyses.files import Files
from services.gateway.analyses.flat import Flat
from services.gateway.analyses.history import SORTS, Filters, History, Outcome
from services.gateway.analyses.leftovers import Leftovers
from services.gateway.analyses.narratives import Author, Narratives, Summary
from services.gateway.analyses.replay import Replays
from services.gateway.analyses.retention import Retention
from services.gateway.analyses.subject import Subject
from services.gateway.analyses.views import THUMBNAIL_PX, Views

__all__ = [
    "GOOD_OVERLAP",
    "SORTS",
    "THUMBNAIL_PX",
    "AnalysisArrears",
    "Analyzer",
    "Assessments",
    "Author",
    "Change",
    "Comparison",
    "Comparisons",
    "Files",
    "Filters",
    "Flat",
    "History",
    "Leftovers",
    "Limits",
    "Narratives",
    "Outcome",
    "Replays",
    "Retention",
    "Subject",
    "Summary",
    "Views",
]
