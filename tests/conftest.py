"""What every test is owed by the one before it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

# No example fails because the machine has much to do.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

_WORKSHOP = Path(__file__).parent / "weights"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the workshop: training takes minutes, for which all would wait in the end."""
    items.sort(key=lambda item: _WORKSHOP not in item.path.parents)


@contextmanager
def logging_kept() -> Iterator[None]:
    """Leave logging as it was found: a room that ran in here wrote to a stream that is gone."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    rooms = logging.getLogger("services")
    rooms_level = rooms.level
    configured, config = structlog.is_configured(), structlog.get_config()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    rooms.setLevel(rooms_level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    if configured:
        structlog.configure(**config)
    structlog.contextvars.clear_contextvars()


@pytest.fixture(autouse=True, scope="module")
def logging_of_a_module_ends_with_it() -> Iterator[None]:
    """A stack of services or a fixture of a whole file may change logging for its file."""
    with logging_kept():
        yield


@pytest.fixture(autouse=True)
def logging_of_a_test_ends_with_it() -> Iterator[None]:
    """A test may change logging for itself."""
    with logging_kept():
        yield
