"""Nothing that waits for a file, a socket or a lock does so on the event loop."""

import time
import traceback
from collections.abc import Iterable

import pytest
from blockbuster import BlockBuster, BlockingError, blockbuster, blockbuster_ctx

from services.gateway.boot import SIGNING_KEY
from services.gateway.records import Role
from services.gateway.security import key_ring
from tests import specimens
from tests.gateway.cast import Cast, cast
from tests.gateway.conftest import Gateway
from tests.gateway.test_auditing import lines
from tests.gateway.test_batches import finished, sent_zip, zipped
from tests.gateway.test_jobs import finished as job_finished
from tests.gateway.test_jobs import submitted
from tests.gateway.test_page_access import SHOWN, needed
from tests.gateway.walking import Operation, operations

__all__ = ["cast"]

PICTURE = specimens.lesion_jpeg((64, 48))

_FRAMES = 12
"""The last ones of a stack name what waited, and who had it wait."""

_FLEETING = ("threading.Lock.acquire", "threading.Lock.acquire_lock", "os.stat")
"""Waits for nobody: locks held to change a list, and a look whether a file is there."""

_SMALL = (
    # What the kernel tells of this process lies on no disk.
    ("prometheus_client/process_collector.py", "collect"),
)
"""Reads a few hundred bytes of figures of the process."""


def excuse(watched: BlockBuster) -> None:
    for name in _FLEETING:
        watched.functions[name].deactivate()
    for call in watched.functions.values():
        for file, function in _SMALL:
            call.can_block_in(file, function)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where something waited on the event loop, also where the error that it met was caught."""
    seen: list[str] = []

    class SeenError(BlockingError):
        def __init__(self, call: str) -> None:
            super().__init__(call)
            seen.append("".join([f"{call}\n", *traceback.format_stack()[-_FRAMES:]]))

    monkeypatch.setattr(blockbuster, "BlockingError", SeenError)
    return seen


async def test_whatever_is_asked_for_the_event_loop_waits_for_nothing(
    cast: Cast, waits: list[str]
) -> None:
    admin = cast.ours[Role.ADMIN]
    with blockbuster_ctx("services") as watched:
        excuse(watched)
        ids = await cast.with_new_records()
        await finished(admin, f"/v1/batches/{ids['batch_id']}")
        packed = await sent_zip(admin, zipped({"a.jpg": PICTURE, "b.jpg": PICTURE}))
        await finished(admin, packed.headers["Location"])
        await job_finished(admin, await submitted(admin))
        wrong = {"username": "nobody", "password": "not a password of theirs"}
        refused = await cast.gateway.anonymous("POST", "/v1/auth/token", data=wrong)
        sign_in = await cast.gateway.anonymous("GET", "/sign-in")
        exported = await lines(admin)
        shown = {
            name: (await admin("GET", path.format(**ids), params=needed(name, ids))).status_code
            for name, path in SHOWN
            if name != "page_asset"
        }
        answered = {
            operation: (await operation.tried(admin, ids)).status_code
            for operation in removals_last(operations(cast.gateway))
        }

    assert waits == []
    assert refused.status_code == 401
    assert exported
    assert sign_in.status_code == 200
    # Who is signed in is sent on, and there is no provider to come back from.
    assert (shown.pop("page_sign_in"), shown.pop("page_vouched")) == (303, 404)
    assert set(shown.values()) == {200}, shown
    done = {
        operation.name: status
        for operation, status in answered.items()
        if operation.permissions and operation.method in {"GET", "DELETE"}
    }
    # They have none.
    assert done.pop("remove_second_factor") == 409
    assert set(done.values()) == {200, 204}, done
    assert max(answered.values()) < 500, answered


def removals_last(all_of_them: Iterable[Operation]) -> list[Operation]:
    """Put those that remove last, and backwards: what belongs to something goes before it."""
    rest: list[Operation] = []
    removing: list[Operation] = []
    for each in all_of_them:
        (removing if each.method == "DELETE" else rest).append(each)
    return rest + removing[::-1]


async def test_a_new_signing_key_is_read_while_the_event_loop_goes_on(either: Gateway) -> None:
    alice = await either.signed_in()
    key_ring.rotate(either.settings.data_dir / SIGNING_KEY)
    with blockbuster_ctx("services") as watched:
        excuse(watched)
        either.parts.keys._looked = 0.0
        answer = await alice("GET", "/v1/me")
        published = (await alice("GET", "/.well-known/jwks.json")).json()["keys"]

    assert answer.status_code == 200
    assert len(published) == 2


async def test_a_call_that_waits_on_the_event_loop_is_seen() -> None:
    with blockbuster_ctx("tests"), pytest.raises(BlockingError):
        time.sleep(0.001)  # noqa: ASYNC251 - the point of the test
