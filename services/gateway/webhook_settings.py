"""What operators may set about webhooks."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings

from services.gateway.setting_lists import Networks, listed

_PORTS = 65_536


def ports(text: str) -> frozenset[int]:
    """Return the ports of a list such as ``443,8000-8999``.

    Raises:
        ValueError: it is none.

    """
    found: set[int] = set()
    for each in listed(text):
        first, _, last = each.partition("-")
        low, high = int(first), int(last or first)
        if not 0 < low <= high < _PORTS:
            raise ValueError("must look like 443,8000-8999")
        found.update(range(low, high + 1))
    return frozenset(found)


def _ports(text: str) -> str:
    ports(text)
    return text


class WebhookSettings(BaseSettings):
    """Environment variables with the prefix of the gateway's settings, of which these are some."""

    webhook_timeout_s: float = Field(
        15, gt=0, le=60, description="Seconds that an attempt to deliver a webhook may take."
    )
    webhook_networks: Networks = Field(
        "",
        description="Addresses or networks, separated by commas, that webhooks may reach although "
        "they are not public.",
    )
    webhook_ports: Annotated[str, AfterValidator(_ports)] = Field(
        "443,8443",
        description="Ports, or ranges of them, separated by commas, that webhooks may reach.",
    )
    webhook_plain_http: bool = Field(
        default=False,
        description="Whether webhooks may go to http://, where others can read them on their way.",
    )
