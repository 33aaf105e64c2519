"""Batches: many pictures in one request, each analyzed when its turn comes."""

from services.gateway.batches.batches import Batches, Counted
from services.gateway.batches.intake import Intake
from services.gateway.batches.reading import Reading

__all__ = ["Batches", "Counted", "Intake", "Reading"]
