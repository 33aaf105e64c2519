"""``python -m services.gateway.purge``: remove for good what was removed long enough ago.

For containers, which have no other command line; elsewhere it is ``dermserve records purge``.
"""

import asyncio
import sys
from datetime import timedelta

from services import environment
from services.gateway import audit
from services.gateway.analyses import Leftovers, Retention
from services.gateway.boot import BootError, audit_trail, open_records, picture_store
from services.gateway.database import Database
from services.gateway.errors import GatewayError
from services.gateway.records import now
from services.gateway.settings import Settings


async def purge(records: Database, settings: Settings) -> str:
    """Remove what was removed before the retention; return what is to be said of it."""
    retention = Retention(records, Leftovers(records, picture_store(settings)))
    trail = audit_trail(records, settings)
    async with audit.commanded(
        trail, "dermserve records purge", "records.purge", "analysis"
    ) as note:
        gone = await retention.purge(now() - timedelta(days=settings.retention_days))
        note.detail["analyses"] = gone
    return f"{gone} analyses are gone for good"


def main() -> int:
    """Do it; return the exit status."""
    try:
        said = asyncio.run(_purge(environment.read(Settings)))
    except (environment.SettingsError, BootError, GatewayError) as error:
        sys.stderr.write(f"dermserve: {error}\n")
        return 2
    sys.stdout.write(f"{said}\n")
    return 0


async def _purge(settings: Settings) -> str:
    async with open_records(settings) as records:
        return await purge(records, settings)


if __name__ == "__main__":
    sys.exit(main())
