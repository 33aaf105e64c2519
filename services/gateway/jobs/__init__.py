"""Analyses that are made later: kept at once, waited for in a line, made by workers."""

from services.gateway.jobs.attempt import Attempt
from services.gateway.jobs.backoff import Backoff
from services.gateway.jobs.queue import Queue
from services.gateway.jobs.reception import Reception
from services.gateway.jobs.submissions import Submissions
from services.gateway.jobs.workers import Workers

__all__ = ["Attempt", "Backoff", "Queue", "Reception", "Submissions", "Workers"]
