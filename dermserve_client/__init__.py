"""A client of the gateway's REST API: typed answers, typed errors, retries that make nothing twice.

It imports nothing of the services: what it knows of them is the OpenAPI document, which the tests
hold its shapes against.
"""

from dermserve_client.client import Client
from dermserve_client.credentials import Bearer, Password
from dermserve_client.errors import ClientError, ProblemError, UnreachableError
from dermserve_client.shapes import (
    Analysis,
    ApiKey,
    Assessment,
    AssessmentStep,
    Batch,
    Comparison,
    Delivery,
    Event,
    Lesion,
    Missed,
    Model,
    Moment,
    Patient,
    Replay,
    ReportRequest,
    Statistics,
    User,
    Webhook,
)

__all__ = [
    "Analysis",
    "ApiKey",
    "Assessment",
    "AssessmentStep",
    "Batch",
    "Bearer",
    "Client",
    "ClientError",
    "Comparison",
    "Delivery",
    "Event",
    "Lesion",
    "Missed",
    "Model",
    "Moment",
    "Password",
    "Patient",
    "ProblemError",
    "Replay",
    "ReportRequest",
    "Statistics",
    "UnreachableError",
    "User",
    "Webhook",
]
