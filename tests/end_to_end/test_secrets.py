"""Whoever runs the services learns of a secret in what they write."""

from pathlib import Path

import pytest

from tests import tiny_models, watched
from tests.watched import Search


def test_a_secret_that_a_service_writes_fails_whoever_ran_it(tmp_path: Path) -> None:
    models = tiny_models.write_models(tmp_path / "models")
    said = "gateway is ready"
    settings = {
        "DERMSERVE_INFERENCE_MODEL_DIR": str(models),
        "DERMSERVE_GATEWAY_ADMIN_PASSWORD": said,
    }

    with pytest.raises(AssertionError, match=said), watched.running(**settings):
        pass


@pytest.mark.parametrize(
    "secret",
    [
        "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIwMTkyIn0.c2lnbmF0dXJl",
        f"dsk_{'4Xa9' * 12}s",
        f"whsec_{'Zm9v' * 10}Zm8=",
        "Yk3vQm0Zr8sT1uLw6xNc4bHd9eJf2gKp7aRi5oVt0sM",
    ],
)
def test_what_was_invented_on_the_way_is_known_by_its_shape(secret: str) -> None:
    search = Search()
    search.write(f'{{"hash": "{"1f" * 32}", "id": "{"0c" * 16}", "at": "/v1/{"a-" * 30}"}}')
    assert list(search.leaks()) == []

    search.write(f'{{"told": "{secret}"}}')

    assert [found for found, _ in search.leaks()] == [secret]
