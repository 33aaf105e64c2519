"""Analyses: made, looked at, reported, removed."""

from services.gateway.analyses.analyze import Analyzer
from services.gateway.analyses.files import Files
from services.gateway.analyses.history import Filters, History
from services.gateway.analyses.subject import Subject
from services.gateway.analyses.views import Views

__all__ = ["Analyzer", "Files", "Filters", "History", "Subject", "Views"]
