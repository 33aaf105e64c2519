"""What a gateway's audit says, and whether its chains hold."""

from typing import Any

from services.gateway.audit import Asked
from services.gateway.audit.verification import Chain
from services.gateway.boot import audit_keys
from services.gateway.database import EVERYTHING
from tests.gateway.conftest import Gateway

Row = dict[str, Any]


async def rows(gateway: Gateway, **said: object) -> list[Row]:
    """Every row that says this, oldest first, of all chains."""
    ledger = gateway.parts.ledger
    found = [
        dict(row)
        for chain in await ledger.chains()
        async for some in ledger.stream(EVERYTHING, Asked(), chain)
        for row in some
    ]
    return [row for row in found if said.items() <= row.items()]


async def last(gateway: Gateway, **said: object) -> Row:
    """The newest row that says this."""
    return max(await rows(gateway, **said), key=lambda row: str(row["at"]))


async def verified(gateway: Gateway) -> list[Chain]:
    """What verifying all chains finds."""
    return await gateway.parts.ledger.verify(audit_keys(gateway.settings))


async def findings(gateway: Gateway) -> list[str]:
    """What is not as it was written."""
    return [str(finding) for chain in await verified(gateway) for finding in chain.findings]
