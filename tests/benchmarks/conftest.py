from pathlib import Path

import pytest

from tests import tiny_models


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models so small that a benchmark of them takes a moment."""
    return tiny_models.write_models(tmp_path_factory.mktemp("models"))
