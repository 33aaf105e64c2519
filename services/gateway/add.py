"""``python -m services.gateway.add USERNAME``: make an account where registration is closed.

For containers, which have no other command line; elsewhere ``dermserve users`` does more.
"""

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Sequence

from services import environment
from services.gateway import audit
from services.gateway.boot import BootError, audit_trail, open_accounts, open_records
from services.gateway.errors import GatewayError
from services.gateway.records import Role
from services.gateway.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the account; return the exit status."""
    parser = argparse.ArgumentParser("services.gateway.add", description="Make an account.")
    parser.add_argument("username")
    parser.add_argument("--admin", action="store_true", help="make an administrator")
    asked = parser.parse_args(arguments)
    # Never an argument: those can be read by whoever sees the processes.
    password = os.environ.get("DERMSERVE_NEW_PASSWORD") or getpass.getpass("Password: ")
    try:
        asyncio.run(_add(asked.username, password, Role.ADMIN if asked.admin else Role.CLINICIAN))
    except (environment.SettingsError, BootError, GatewayError) as error:
        sys.stderr.write(f"dermserve: {error}\n")
        return 2
    return 0


async def _add(username: str, password: str, role: Role) -> None:
    settings = environment.read(Settings)
    async with open_records(settings) as records, open_accounts(settings) as accounts:
        trail = audit_trail(records, settings)
        async with audit.commanded(trail, "services.gateway.add", "users.create", "user"):
            await accounts.create(username, password, role)


if __name__ == "__main__":
    sys.exit(main())
