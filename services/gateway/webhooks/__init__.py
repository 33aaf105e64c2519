"""Webhooks as Standard Webhooks 1.0 has them: signed, tried again, and kept out of our network.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from services.gateway.webhooks.deliveries import Deliveries
from services.gateway.webhooks.dialling import Dialler, Resolver
from services.gateway.webhooks.dispatcher import Dispatcher
from services.gateway.webhooks.fan_out import FanOut
from services.gateway.webhooks.makers import Makers
from services.gateway.webhooks.queue import DeliveryQueue
from services.gateway.webhooks.sending import Sender
from services.gateway.webhooks.targets import Rules
from services.gateway.webhooks.webhooks import Webhooks

__all__ = [
    "Deliveries",
    "DeliveryQueue",
    "Dialler",
    "Dispatcher",
    "FanOut",
    "Makers",
    "Resolver",
    "Rules",
    "Sender",
    "Webhooks",
]
