"""The part of the composition root that builds how webhooks are told what happens."""

import ssl
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import NamedTuple

from services.gateway.database import EVERYTHING, Source, Within
from services.gateway.identity import Permission
from services.gateway.identity.permissions import roles_with
from services.gateway.metrics import Metrics
from services.gateway.security.sealing import Seal
from services.gateway.setting_lists import networks
from services.gateway.settings import Settings
from services.gateway.webhook_settings import ports
from services.gateway.webhooks import (
    Deliveries,
    DeliveryQueue,
    Dispatcher,
    FanOut,
    Makers,
    Resolver,
    Rules,
    Sender,
    Webhooks,
)

_ATTEMPT_MARGIN = timedelta(seconds=10)


class Telling(NamedTuple):
    """Webhooks, what is sent to them, and what sends it."""

    webhooks: Webhooks
    deliveries: Deliveries
    dispatcher: Dispatcher


def telling(
    records: Source, seal: Seal, settings: Settings, metrics: Metrics, stack: AsyncExitStack
) -> Telling:
    """Build how webhooks are told; nothing is sent yet.

    Args:
        records: have them.
        seal: of their secrets.
        settings: of the gateway.
        metrics: count what is sent.
        stack: closes what is opened.

    """
    rules = Rules(
        networks(settings.webhook_networks),
        ports(settings.webhook_ports),
        plain=settings.webhook_plain_http,
    )
    resolver = Resolver(rules)
    stack.callback(resolver.close)
    webhooks = Webhooks(records, rules, resolver, seal)

    # Whoever made them, in whichever organisation.
    everything = Within(records, EVERYTHING)
    timeout_s = settings.webhook_timeout_s
    sender = Sender(rules, resolver, ssl.create_default_context(), timeout_s)
    makers = Makers(roles_with(Permission.WEBHOOKS))
    queue = DeliveryQueue(everything, makers, timedelta(seconds=timeout_s) + _ATTEMPT_MARGIN)
    dispatcher = Dispatcher(FanOut(everything, makers), queue, sender, seal, metrics)
    return Telling(webhooks, Deliveries(records, webhooks), dispatcher)
