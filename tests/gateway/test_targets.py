"""Webhooks go to public addresses only, however an address is spelt and whatever a name says."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import httpcore
import pytest

from services.gateway import errors
from services.gateway.webhooks import Dialler, Resolver, Rules
from services.gateway.webhooks.dialling import ForbiddenTargetError
from tests.gateway.receivers import receiving

STRICT = Rules([], {443})
OURS = "our organisation's id"
LENIENT = Rules([], range(1, 65536), plain=True)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("https://example.org", "https://example.org/"),
        ("https://EXAMPLE.org:443/Ä?q=ü#f", "https://example.org/%C3%84?q=%C3%BC"),
        ("https://example.org./hook", "https://example.org/hook"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://ⓔxample.org/", "https://example.org/"),
        ("https://[2606:4700::1111]/", "https://[2606:4700::1111]/"),
        ("http://127.1/", "http://127.0.0.1/"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://0x7f000001/", "http://127.0.0.1/"),
        ("http://2130706433/", "http://127.0.0.1/"),
        ("http://0177.0.0.01/", "http://127.0.0.1/"),
        ("http://127.0.0.1./", "http://127.0.0.1/"),
        ("http://%31%32%37.0.0.1/", "http://127.0.0.1/"),
        ("http://\uff11\uff12\uff17.0.0.1/", "http://127.0.0.1/"),
        ("http://0/", "http://0.0.0.0/"),
        ("http://ho\tst/", "http://host/"),
        ("http:\\\\host\\path", "http://host/path"),
        ("http://[::ffff:127.0.0.1]:80/", "http://[::ffff:7f00:1]/"),
        ("http://host:8080/", "http://host:8080/"),
    ],
)
def test_every_spelling_of_an_address_becomes_one(written: str, read: str) -> None:
    assert LENIENT.target(written).url == read
    assert LENIENT.target(read).url == read


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "https://example.org:8443/",
        "https://example.org:80/",
        "https://example.org:0/",
        "https://example.org:65536/",
        "https://user@example.org/",
        "https://user:password@example.org/",
        "https://:password@example.org/",
        "https://example.org:443@127.0.0.1/",
        "https://[fe80::1%25eth0]/",
        "https://256.1.1.1/",
        "https://exa mple.org/",
        "https://example.org%00.evil/",
        "https://./",
        "https://",
        "//example.org/",
        "example.org",
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "javascript:alert(1)",
        "",
        "https://example.org/" + "a" * 2000,
        "https://example.org/" + "ä" * 700,
    ],
)
def test_what_is_no_address_for_webhooks_is_refused(url: str) -> None:
    with pytest.raises(errors.InvalidRequestError, match=r"^url: "):
        STRICT.target(url)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - listens nowhere
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
        "100::1",
        "2001::1",
        "2001:0:7f00:1::",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    ],
)
def test_an_address_that_is_not_public_is_not_reached(address: str) -> None:
    assert not STRICT.may_reach(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "100.63.255.255", "172.32.0.1", "193.0.0.1", "2606:4700::1111"]
)
def test_a_public_address_is_reached(address: str) -> None:
    assert STRICT.may_reach(ipaddress.ip_address(address))


def test_operators_allow_networks_of_theirs_and_nothing_beside_them() -> None:
    rules = Rules(map(ipaddress.ip_network, ("10.1.0.0/16", "fd00:1::/32")), {443})

    allowed = ("10.1.2.3", "fd00:1::5", "8.8.8.8")
    others = ("10.2.0.1", "127.0.0.1", "::ffff:10.1.2.3", "fd00:2::5", "64:ff9b::a01:203")
    assert all(rules.may_reach(ipaddress.ip_address(each)) for each in allowed)
    assert not any(rules.may_reach(ipaddress.ip_address(each)) for each in others)


Say = Callable[..., list[list[str]]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Say:
    """Makes the machine resolve every name as told, one answer after the other."""

    def say(*answers: list[str]) -> list[list[str]]:
        left = list(answers)

        def getaddrinfo(_host: object, port: int, **_: object) -> list[tuple[Any, ...]]:
            found = left.pop(0)
            if not found:
                raise socket.gaierror
            return [(0, 0, 0, "", (address, port)) for address in found]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return left

    return say


async def test_of_what_a_name_leads_to_only_what_may_be_reached_is_kept(names: Say) -> None:
    resolver = Resolver(STRICT)
    names(["10.0.0.1", "8.8.8.8", "8.8.8.8", "::1"], ["127.0.0.1"], [])

    assert list(map(str, await resolver.addresses("mixed", 443, OURS))) == ["8.8.8.8"]
    with pytest.raises(ForbiddenTargetError):
        await resolver.addresses("inside", 443, OURS)
    with pytest.raises(socket.gaierror):
        await resolver.addresses("nowhere", 443, OURS)


async def test_an_address_is_checked_though_nobody_resolves_it() -> None:
    for host in ("127.0.0.1", "::1", "169.254.169.254"):
        with pytest.raises(ForbiddenTargetError):
            await Resolver(STRICT).addresses(host, 443, OURS)


async def test_the_address_that_was_checked_is_dialled_and_the_name_not_looked_up_again(
    names: Say,
) -> None:
    dialler = Dialler(Resolver(Rules([ipaddress.ip_network("127.0.0.1")], range(65536))), OURS)
    async with receiving() as receiver:
        # A second lookup would lead elsewhere.
        left = names(["10.0.0.1", "127.0.0.1"], ["127.0.0.2"])
        stream = await dialler.connect_tcp("rebinding.example", receiver.port, timeout=60)
        peer = stream.get_extra_info("server_addr")
        await stream.aclose()

    assert peer == ("127.0.0.1", receiver.port)
    assert left == [["127.0.0.2"]]


async def test_the_next_address_is_tried_where_the_first_does_not_answer(names: Say) -> None:
    dialler = Dialler(Resolver(Rules([ipaddress.ip_network("127.0.0.0/8")], range(65536))), OURS)
    async with receiving() as receiver:
        names(["127.0.0.2", "127.0.0.1"])
        stream = await dialler.connect_tcp("two.example", receiver.port, timeout=60)
        await stream.aclose()

    names(["127.0.0.2", "127.0.0.1", "127.0.0.3"])
    with socket.socket() as nobody:
        # Taken, so that nobody else listens there meanwhile.
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(httpcore.ConnectError):
            await dialler.connect_tcp("down.example", nobody.getsockname()[1], timeout=60)


async def test_a_lookup_that_hangs_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang(*_: object, **__: object) -> list[object]:
        going_on = asyncio.run_coroutine_threadsafe(go_on.wait(), loop)
        loop.call_soon_threadsafe(asked.set)
        going_on.result()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    resolver = Resolver(STRICT)
    looking = asyncio.create_task(resolver.addresses("slow.example", 443, OURS))
    await asyncio.wait_for(asked.wait(), 60)
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    go_on.set()
    resolver.close()
