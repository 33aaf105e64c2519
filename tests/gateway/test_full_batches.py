"""A batch of as many pictures as it may have, on the bounds that operators begin with."""

import random

from PIL import Image

from tests import specimens
from tests.gateway.conftest import Start
from tests.gateway.test_batches import sent_zip, zipped
from tests.gateway.test_storage_quotas import usage

MOST = 1000


def tiny() -> dict[str, bytes]:
    """One picture more than a batch may have, no two of them the same."""
    grain = random.Random(1)  # noqa: S311 - no secret
    pictures = (
        Image.frombytes("RGB", (16, 16), grain.randbytes(16 * 16 * 3)) for _ in range(MOST + 1)
    )
    return {f"{n}.png": specimens.encoded(each, "PNG") for n, each in enumerate(pictures)}


async def test_a_thousand_pictures_are_taken_in_at_once_and_one_more_is_refused(
    start: Start,
) -> None:
    files = tiny()
    # Nobody analyzes them; all else is as it is unless set.
    async with start(job_workers=0) as gateway:
        alice = await gateway.signed_in()

        refused = await sent_zip(alice, zipped(files))
        kept = (await usage(alice))["user"]["pictures"]
        files.popitem()
        taken = await sent_zip(alice, zipped(files))
        shown = (await alice("GET", taken.headers["Location"])).json()

        assert (refused.status_code, kept) == (413, 0)
        assert "at most 1,000" in refused.json()["detail"]
        assert (taken.status_code, shown["pictures"], shown["queued"]) == (202, MOST, MOST)
        assert (await usage(alice))["user"]["pictures"] == MOST
