"""`python -m services.reports`: run the report service until told to stop."""

import asyncio
import sys

from services import environment, telemetry
from services.reports.errors import UnusableFontError
from services.reports.server import serve
from services.reports.settings import Settings


def main() -> int:
    """Serve, or say in one sentence why not.

    Returns:
        The exit code: 0 after an orderly end, 2 when the environment is at fault,
        130 when interrupted before anything was served.

    """
    try:
        asyncio.run(serve(environment.read(Settings)))
    except (environment.SettingsError, telemetry.ListenerError, UnusableFontError) as error:
        sys.stderr.write(f"reports cannot start: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
