"""Ports for processes that tests start."""

import socket

import pytest

from tests import ports


def test_none_is_given_away_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    port = ports.free_port()
    only(port, monkeypatch)
    with pytest.raises(OSError, match="Address already in use"):
        ports.free_port()


def test_where_none_is_free_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        only(taken.getsockname()[1], monkeypatch)
        with pytest.raises(OSError, match="Address already in use"):
            ports.free_port()


def only(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave one port to be tried."""
    monkeypatch.setattr(ports, "_FIRST", port)
    monkeypatch.setattr(ports, "_LAST", port + 1)
