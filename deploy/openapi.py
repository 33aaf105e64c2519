"""Write docs/openapi.json from the routes: ``python -m deploy.openapi``."""

import json
from pathlib import Path
from typing import Any

from services.gateway.app import create_app
from services.gateway.settings import Settings

PAGE = Path(__file__).resolve().parents[1] / "docs" / "openapi.json"


def main() -> None:
    """Write the document."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the document as it lies in the folder."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def document() -> dict[str, Any]:
    """Return the document as a gateway gives it at ``/openapi.json``, whatever its settings."""
    return create_app(Settings()).openapi()


if __name__ == "__main__":
    main()
