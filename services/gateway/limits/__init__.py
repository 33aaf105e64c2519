"""How much each caller may ask for in a minute, counted by all replicas together."""

from services.gateway.limits.costs import cost
from services.gateway.limits.policy import Policy, Standing
from services.gateway.limits.quota import Quota

__all__ = ["Policy", "Quota", "Standing", "cost"]
