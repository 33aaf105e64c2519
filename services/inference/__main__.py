"""Start the inference service: ``python -m services.inference``."""

import asyncio
import sys

from services import environment, picture, telemetry
from services.inference.onnx_model import ModelError
from services.inference.server import serve
from services.inference.settings import Settings


def main() -> int:
    """Run until stopped.

    Returns:
        The process's exit status: 0 after an orderly end, 2 when it could not start; then
        one sentence on stderr says why.

    """
    picture.return_memory()
    try:
        settings = environment.read(Settings)
        telemetry.configure_logging("inference", settings.log_level)
        asyncio.run(serve(settings))
    except (environment.SettingsError, telemetry.ListenerError, ModelError) as error:
        sys.stderr.write(f"inference cannot start: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
