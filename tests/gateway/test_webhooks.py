"""Webhooks as records: made, changed, given new secrets, removed."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from services.gateway import records as tables
from services.gateway.boot import open_records
from services.gateway.identity import Organisations
from services.gateway.records import DEFAULT_ORGANISATION, Role
from services.gateway.security import webhook_signatures
from services.gateway.webhooks import dialling
from services.gateway.webhooks import webhooks as use_cases
from tests.gateway.cast import joined
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.timers import Timers

URL = "http://127.0.0.1:9/hook"


async def asked(admin: Client, **values: Any) -> Any:
    return await admin("POST", "/v1/webhooks", json={"url": URL} | values)


async def made(admin: Client, **values: Any) -> dict[str, Any]:
    answer = await asked(admin, **values)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_webhook_is_made_shown_listed_changed_and_removed(either: Gateway) -> None:
    admin = await either.admin()
    wished = {"description": "RIS", "kinds": ["analysis.succeeded"], "disabled": True}
    answer = await asked(admin, **wished)
    path, shown = answer.headers["Location"], answer.json()

    assert shown.items() >= {"url": URL, "disabled_because": "by_user", **wished}.items()
    assert shown.pop("secret").startswith("whsec_")
    found = await admin("GET", path)
    assert (found.json(), found.headers["ETag"]) == (shown, answer.headers["ETag"])
    assert (await admin("GET", "/v1/webhooks")).json()["items"] == [shown]

    change = {"url": "http://127.0.0.1:10", "disabled": False, "kinds": []}
    tag = {"If-Match": found.headers["ETag"]}
    changed = await admin("PATCH", path, json=change, headers=tag)
    late = await admin("PATCH", path, json={"description": "x"}, headers=tag)
    assert changed.json().items() >= {"url": "http://127.0.0.1:10/", "disabled": False}.items()
    assert changed.json()["description"] == "RIS"
    assert (changed.status_code, late.status_code) == (200, 412)

    assert (await admin("PATCH", path, json={})).status_code == 428
    assert (await admin("DELETE", path)).status_code == 428
    gone = await admin("DELETE", path, headers={"If-Match": changed.headers["ETag"]})
    assert (gone.status_code, (await admin("GET", path)).status_code) == (204, 404)


async def kept(gateway: Gateway, table: Any) -> list[Any]:
    async with open_records(gateway.settings) as records:
        return await records.read(lambda session: list(session.scalars(select(table))))


async def test_nothing_of_a_webhook_stays_when_it_is_removed(either: Gateway) -> None:
    admin = await either.admin()
    path = f"/v1/webhooks/{(await made(admin))['id']}"
    await admin("POST", f"{path}/test")

    await admin("DELETE", path, headers={"If-Match": "*"})

    for table in (tables.Webhook, tables.WebhookSecret, tables.Delivery):
        assert await kept(either, table) == []


async def test_a_secret_is_shown_once_and_kept_sealed(either: Gateway) -> None:
    admin = await either.admin()
    answer = await admin(
        "POST", "/v1/webhooks", json={"url": URL}, headers={"Idempotency-Key": "one"}
    )
    again = await admin(
        "POST", "/v1/webhooks", json={"url": URL}, headers={"Idempotency-Key": "one"}
    )

    shown = answer.json()["secret"]
    (row,) = await kept(either, tables.WebhookSecret)
    assert again.status_code == 409
    assert shown not in again.text + (await admin("GET", "/v1/webhooks")).text
    assert shown.removeprefix(webhook_signatures.PREFIX) not in str(row.model_dump())
    opened = either.parts.dispatcher._seal.open(row.sealed, row.webhook_id)
    assert webhook_signatures.shown(opened) == shown
    key = either.settings.data_dir / "sealing-key.hex"
    assert key.stat().st_mode & 0o077 == 0


async def test_a_new_secret_is_made_once_for_a_key_and_none_too_many(either: Gateway) -> None:
    admin = await either.admin()
    path = f"/v1/webhooks/{(await made(admin))['id']}/secrets"
    key = {"Idempotency-Key": "rotate"}

    first = await admin("POST", path, json={}, headers=key)
    again = await admin("POST", path, json={}, headers=key)
    more = [(await admin("POST", path, json={})).status_code for _ in range(4)]
    none_else = await admin("POST", path, json={"overlap_hours": 0})

    assert (first.status_code, again.status_code) == (201, 409)
    assert first.json()["secret"].startswith("whsec_")
    assert more == [201, 201, 201, 409]
    assert none_else.status_code == 201
    now = tables.now()
    rows = await kept(either, tables.WebhookSecret)
    assert len([row for row in rows if row.expires_at is None or row.expires_at > now]) == 1


BROKEN: list[dict[str, Any]] = [
    {"url": ""},
    {"url": "http://127.0.0.2/"},
    {"url": "http://[::1]:80/"},
    {"url": "http://localhost.invalid/"},
    {"url": "http://user@127.0.0.1/"},
    {"url": "ftp://127.0.0.1/"},
    {"url": "http://127.0.0.1/" + "x" * 2000},
    {"url": "http://127.0.0.1/\u0000"},
    {"url": 5},
    {"description": "x" * 201},
    {"kinds": ["analysis.imagined"]},
    {"kinds": "analysis.succeeded"},
    {"disabled": "yes"},
    {"secret": "whsec_mine"},
]


async def test_a_webhook_that_breaks_the_rules_is_neither_made_nor_changed_into(
    either: Gateway,
) -> None:
    admin = await either.admin()
    hook = await made(admin)
    for change in BROKEN:
        refused = await asked(admin, **change)
        unchanged = await admin(
            "PATCH", f"/v1/webhooks/{hook['id']}", json=change, headers={"If-Match": "*"}
        )

        assert (refused.status_code, unchanged.status_code) == (422, 422), change
        assert next(iter(change)) in refused.json()["detail"], change
        assert len((await admin("GET", "/v1/webhooks")).json()["items"]) == 1, change


INSIDE = [
    "https://127.0.0.1/",
    "https://localhost/",
    "https://169.254.169.254/latest/meta-data",
    "https://[::ffff:127.0.0.1]/",
    "https://0x7f.1/",
    "https://nowhere.invalid/",
]


async def test_unless_operators_allow_it_nothing_inside_is_reached_and_all_sounds_the_same(
    start: Start, database_url: str
) -> None:
    strict = {"webhook_networks": "", "webhook_ports": "443", "webhook_plain_http": False}
    async with start(database_url=database_url, **strict) as gateway:
        admin = await gateway.admin()
        for url in INSIDE:
            refused = await asked(admin, url=url)

            assert (refused.status_code, refused.json()["detail"]) == (422, use_cases._NO_WAY), url


async def test_an_organisation_has_no_more_webhooks_than_leave_room_for_others(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_cases, "MOST", 2)
    admin = await either.admin()
    async with open_records(either.settings) as records:
        colleague = await joined(either, records, Role.ADMIN, DEFAULT_ORGANISATION)

    statuses = [(await asked(who)).status_code for who in (admin, colleague, admin, colleague)]

    assert statuses == [201, 201, 409, 409]
    for who in (admin, colleague):
        assert len((await who("GET", "/v1/webhooks")).json()["items"]) == 1


async def test_who_shares_sees_webhooks_of_colleagues_and_nobody_else_does(
    either: Gateway,
) -> None:
    async with open_records(either.settings) as records:
        ours = await Organisations(records).create("ours", shared=True)
        one, other, stranger = [
            await joined(either, records, Role.ADMIN, organisation)
            for organisation in (ours.id, ours.id, DEFAULT_ORGANISATION)
        ]
    alone = await either.admin()
    path = f"/v1/webhooks/{(await made(one))['id']}"
    own = f"/v1/webhooks/{(await made(stranger))['id']}"

    everybody = (one, other, stranger, alone)
    assert [(await who("GET", path)).status_code for who in everybody] == [200, 200, 404, 404]
    assert [(await who("GET", own)).status_code for who in everybody] == [404, 404, 200, 404]


@contextlib.contextmanager
def dead_name_servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Have nobody know where names end that begin with dead; yields who was asked for them."""
    end, asked_for = threading.Event(), list[str]()

    def getaddrinfo(host: bytes, port: int, **_: object) -> list[tuple[Any, ...]]:
        if host.startswith(b"dead"):
            asked_for.append(host.decode())
            end.wait(240)
            raise socket.gaierror
        return [(0, 0, 0, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    try:
        yield asked_for
    finally:
        end.set()


async def so_many(asked_for: list[str], count: int) -> None:
    """Return when name servers were asked for so many names."""
    async with asyncio.timeout(60):
        while len(asked_for) < count:  # noqa: ASYNC110 - a thread asks
            await asyncio.sleep(0.01)


async def test_dead_name_servers_of_one_organisation_are_waited_for_by_it_alone(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups = Timers(monkeypatch, dialling)
    async with open_records(gateway.settings) as records:
        theirs = await Organisations(records).create("theirs", shared=False)
        stranger = await joined(gateway, records, Role.ADMIN, theirs.id)
    admin = await gateway.admin()
    with dead_name_servers(monkeypatch) as asked_for:
        dead = [asked(admin, url=f"http://dead{n}.example/") for n in range(40)]
        waiting = [asyncio.create_task(each) for each in dead]
        await lookups.were_asked(40)
        await so_many(asked_for, 4)

        assert (await asked(stranger, url="http://alive.example/")).status_code == 201
        # What is no name need not be looked up.
        assert (await asked(admin)).status_code == 201
        assert not any(each.done() for each in waiting)
        lookups.end()
        answers = await asyncio.gather(*waiting)

    assert {answer.status_code for answer in answers} == {503}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers)
    assert len(asked_for) == 4
    assert set(lookups.asked) == {dialling.LOOKUP_S}


async def test_a_name_that_nobody_knows_holds_up_no_other_of_its_organisation(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups = Timers(monkeypatch, dialling)
    admin = await gateway.admin()
    with dead_name_servers(monkeypatch) as asked_for:
        dead = asyncio.gather(*(asked(admin, url="http://dead.example/") for _ in range(8)))
        await lookups.were_asked(8)
        await so_many(asked_for, 1)
        lookups.end()
        answers = await dead

        assert {answer.status_code for answer in answers} == {503}
        assert (await asked(admin, url="http://alive.example/")).status_code == 201
    assert asked_for == ["dead.example"]


async def test_names_that_have_hung_before_hold_up_no_other_of_their_organisation(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups = Timers(monkeypatch, dialling)
    admin = await gateway.admin()
    urls = [f"http://dead{n}.example/" for n in range(4)]
    with dead_name_servers(monkeypatch) as asked_for:
        hanging = asyncio.gather(*(asked(admin, url=url) for url in urls))
        await so_many(asked_for, 4)
        lookups.end()
        assert {answer.status_code for answer in await hanging} == {503}
    async with asyncio.timeout(60):
        while gateway.parts.webhooks._resolver._looking:  # noqa: ASYNC110 - its threads end
            await asyncio.sleep(0.01)
    with dead_name_servers(monkeypatch) as asked_for:
        again = asyncio.gather(*(asked(admin, url=url) for url in urls))
        await lookups.were_asked(8)
        await so_many(asked_for, 2)

        assert (await asked(admin, url="http://alive.example/")).status_code == 201
        assert not again.done()
        lookups.end()
        assert {answer.status_code for answer in await again} == {503}
