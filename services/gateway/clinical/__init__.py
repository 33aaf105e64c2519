"""Patients and lesions: made, found, changed, removed."""

from services.gateway.clinical.arrears import NameArrears
from services.gateway.clinical.lesions import Lesions
from services.gateway.clinical.patients import Patients

__all__ = ["Lesions", "NameArrears", "Patients"]
