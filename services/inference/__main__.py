"""Start the inference service: ``python -m services.inference``."""

import asyncio
import sys

from services import environment, picture, telemetry
from services.inference.model_file import ModelError
from services.inference.server import serve
from services.inference.settings import Settings
from services.inference.watch import HungError


def main() -> int:
    """Run until stopped.

    Returns:
        The process's exit status: 0 after an orderly end, 2 when it could not start, 1 when
        a run hung; then one sentence on stderr says why.

    """
    picture.return_memory()
    try:
        settings = environment.read(Settings)
        telemetry.configure_logging("inference", settings.log_level)
        with telemetry.tracing("inference") as traces:
            asyncio.run(serve(settings, traces))
    except (environment.SettingsError, telemetry.ListenerError, ModelError) as error:
        sys.stderr.write(f"inference cannot start: {error}\n")
        return 2
    except HungError as error:
        sys.stderr.write(f"inference ends: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
