"""The identity provider of a hospital, as OpenID Connect has it: asked who somebody is."""

from services.gateway.provider.discovery import Discovery
from services.gateway.provider.provider import Answer, Provider
from services.gateway.provider.rules import Rules
from services.gateway.provider.transaction import Transaction
from services.gateway.provider.voucher import Leaving, Voucher

__all__ = ["Answer", "Discovery", "Leaving", "Provider", "Rules", "Transaction", "Voucher"]
