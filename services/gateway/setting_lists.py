"""Settings that are lists, separated by commas."""

import ipaddress
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

_SHORTEST_KEY = 32


def listed(text: str) -> list[str]:
    """Return what a list holds."""
    return [each.strip() for each in text.split(",") if each.strip()]


def networks(text: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Return the networks of a list.

    Raises:
        ValueError: it is none.

    """
    return [ipaddress.ip_network(each) for each in listed(text)]


def _checked_networks(text: str) -> str:
    networks(text)
    return text


def _checked_keys(secret: SecretStr) -> SecretStr:
    """Check a list of keys, which is not repeated."""
    if any(len(key) < _SHORTEST_KEY for key in listed(secret.get_secret_value())):
        raise ValueError(f"each key must have at least {_SHORTEST_KEY} characters")
    return secret


def _checked_origins(text: str) -> str:
    """Check a list of origins, written as browsers write them."""
    for each in listed(text):
        parsed = urlsplit(each)
        named = parsed.scheme in {"http", "https"} and parsed.hostname
        if (
            not named
            or each != f"{parsed.scheme}://{parsed.netloc}".lower()
            or set(each) & set("@*")
        ):
            raise ValueError(f"{each} is no origin: write them like https://viewer.example.org")
    return text


def _checked_hosts(text: str) -> str:
    for each in listed(text):
        if urlsplit(f"//{each}").port is not None or set(each) & set("/@*?#"):
            raise ValueError(f"{each} is no host name: write them like gateway.example.org")
    return text


Networks = Annotated[str, AfterValidator(_checked_networks)]
Origins = Annotated[str, AfterValidator(_checked_origins)]
Hosts = Annotated[str, AfterValidator(_checked_hosts)]
Keys = Annotated[SecretStr, AfterValidator(_checked_keys)]
