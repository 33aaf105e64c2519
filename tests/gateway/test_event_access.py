"""Who is told of what: over WebSocket no more than their lists have."""

import asyncio
import contextlib

from websockets.asyncio.client import ClientConnection

from services.gateway.boot import open_records
from services.gateway.identity import Organisations
from services.gateway.records import Role
from tests.gateway.cast import joined
from tests.gateway.conftest import Client, Served
from tests.gateway.watching import patient, socket_of, ticket, told


async def test_each_is_told_over_a_socket_only_what_their_lists_have(served: Served) -> None:
    gateway = served.gateway
    async with open_records(gateway.settings) as records:
        shared = await Organisations(records).create("shared", shared=True)
        who_share = [await joined(gateway, records, Role.CLINICIAN, shared.id) for _ in range(2)]
    # The organisation that people register in is private.
    everybody = [await gateway.signed_in("alice"), await gateway.signed_in("bob"), *who_share]
    async with contextlib.AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(socket_of(served.url, await ticket(each)))
            for each in everybody
        ]
        made = [await patient(each, number) for number, each in enumerate(everybody)]
        # The last that each may be told of: whatever else they are told comes before it.
        ends = [await patient(each, 9) for each in (*everybody[:2], everybody[3])]
        seen = await asyncio.gather(*map(up_to, sockets, (*ends, ends[-1])))
    lists = [await listed(each) for each in everybody]

    assert seen[:2] == [[made[0], ends[0]], [made[1], ends[1]]]
    assert seen[2:] == [[made[2], made[3], ends[2]]] * 2
    assert lists == [set(each) for each in seen]


async def up_to(connection: ClientConnection, last: str) -> list[str]:
    """What somebody is told of, up to this."""
    subjects: list[str] = []
    while last not in subjects:
        subjects.append((await told(connection))["subject_id"])
    return subjects


async def listed(client: Client) -> set[str]:
    """The patients that somebody sees."""
    return {each["id"] for each in (await client("GET", "/v1/patients")).json()["items"]}
