"""Reports of analyses, lesions and batches: put together, asked for, remembered."""

from services.gateway.reports.dossiers import Dossiers
from services.gateway.reports.reporter import Reporter
from services.gateway.reports.requests import ReportRequests, Subject
from services.gateway.reports.terms import ReportTerms
from services.gateway.reports.thumbnails import Thumbnails

__all__ = ["Dossiers", "ReportRequests", "ReportTerms", "Reporter", "Subject", "Thumbnails"]
