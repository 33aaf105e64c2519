"""What a running service says of itself on its metrics page."""

from collections.abc import Mapping

import httpx
from prometheus_client.parser import text_string_to_metric_families

_TIMEOUT_S = 60


def samples(address: str) -> Mapping[str, float]:
    """Return the figures of a page, summed over labels.

    Args:
        address: of the page.

    """
    page = httpx.get(address, trust_env=False, timeout=_TIMEOUT_S).raise_for_status().text
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0) + sample.value
    return found
