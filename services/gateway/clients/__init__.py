"""The services behind the gateway: our words in, gRPC out, our errors back."""

from services.gateway.clients.health import trouble
from services.gateway.clients.inference import Answer, Inference, Model
from services.gateway.clients.reports import Reports

__all__ = ["Answer", "Inference", "Model", "Reports", "trouble"]
