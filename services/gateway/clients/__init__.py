"""The services behind the gateway: our words in, gRPC out, our errors back."""

from services.gateway.clients.evaluation import Interval
from services.gateway.clients.health import is_ready, trouble
from services.gateway.clients.inference import Answer, Inference
from services.gateway.clients.models import Evaluation, Model
from services.gateway.clients.report_contents import (
    AnalysisContents,
    BatchContents,
    Glimpse,
    LesionContents,
    Letterhead,
    Pictures,
    Told,
)
from services.gateway.clients.reports import Reports
from services.gateway.clients.rooms import dialled

__all__ = [
    "AnalysisContents",
    "Answer",
    "BatchContents",
    "Evaluation",
    "Glimpse",
    "Inference",
    "Interval",
    "LesionContents",
    "Letterhead",
    "Model",
    "Pictures",
    "Reports",
    "Told",
    "dialled",
    "is_ready",
    "trouble",
]
