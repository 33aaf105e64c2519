"""What a gateway of the tests begins with: settings, and a database that is migrated already."""

import shutil
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from services.gateway.settings import Settings

ADMIN_PASSWORD = "correct horse battery"


def settings_for(folder: Path, **changes: Any) -> Settings:
    """Settings as from the environment, without touching it."""
    values: dict[str, Any] = {
        "DERMSERVE_DATA_DIR": folder,
        "admin_password": ADMIN_PASSWORD,
        # No test fails because the machine has much to do; those of a bound set it themselves.
        "analysis_timeout_s": 60,
        "boot_timeout_s": 60,
        "report_timeout_s": 60,
        "webhook_networks": "127.0.0.1",
        "webhook_ports": "1-65535",
        "webhook_plain_http": True,
        **changes,
    }
    return Settings.model_validate(values)


def begin_with(migrated_file: Path, settings: Settings) -> None:
    """Spare a gateway the migrations of a database file that is not there yet."""
    address = make_url(settings.database)
    if address.get_backend_name() == "sqlite" and address.database is not None:
        path = Path(address.database)
        if path.parent == settings.data_dir.absolute() and not path.exists():
            settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(migrated_file, path)
