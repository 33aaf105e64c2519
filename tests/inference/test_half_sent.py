"""Messages of which half came, against a real process: what they held is given back."""

import asyncio
import contextlib
import socket
import struct
from pathlib import Path

import psutil
import pytest

from services import rpc
from services.pb import inference_pb2_grpc
from services.rpc import memory
from tests.inference.processes import Replica, replica
from tests.inference.test_bad_clients import (
    DATA,
    END_HEADERS,
    GOOD,
    HEADERS,
    HELLO,
    frame,
    headers,
    until,
)

HALF = rpc.MAX_MESSAGE_BYTES - 1_000_000
CALLERS = 20
FRAME = 16_384
WINDOW = 65_535
SETTINGS, WINDOW_UPDATE = 4, 8
INITIAL_WINDOW_SIZE, ACK = 4, 1


class Caller:
    """Sends a message as fast as the service takes it, and stops before its end."""

    def __init__(self, service: Replica, method: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", service.port))
        self._windows = {0: WINDOW, 1: WINDOW}
        self._initial = WINDOW
        self.socket.sendall(HELLO + frame(HEADERS, END_HEADERS, headers(method)))

    def send_half(self) -> None:
        content = struct.pack(">BI", 0, rpc.MAX_MESSAGE_BYTES) + bytes(HALF)
        sent = 0
        while sent < len(content):
            while (room := min(FRAME, len(content) - sent, *self._windows.values())) <= 0:
                self._listen()
            self.socket.sendall(frame(DATA, 0, content[sent : sent + room]))
            self._windows = {stream: left - room for stream, left in self._windows.items()}
            sent += room

    def _listen(self) -> None:
        """Take one frame and note how far the windows are open (RFC 9113, 6.9)."""
        head = self.socket.recv(9, socket.MSG_WAITALL)
        size, kind, stream = int.from_bytes(head[:3]), head[3], int.from_bytes(head[5:])
        body = self.socket.recv(size, socket.MSG_WAITALL) if size else b""
        if kind == WINDOW_UPDATE:
            self._windows[stream] += int.from_bytes(body)
        elif kind == SETTINGS and not head[4] & ACK:
            self.socket.sendall(frame(SETTINGS, ACK, b"", 0))
            said = dict(struct.iter_unpack(">HI", body))
            self._windows[1] += said.get(INITIAL_WINDOW_SIZE, self._initial) - self._initial
            self._initial = said.get(INITIAL_WINDOW_SIZE, self._initial)


@pytest.mark.parametrize("method", ["Analyze", "AnalyzeStream"])
async def test_what_half_sent_messages_held_is_given_back_once_their_callers_are_gone(
    model_dir: Path, method: str
) -> None:
    with replica(model_dir) as service, contextlib.ExitStack() as owned:
        async with rpc.dial(service.address) as channel:
            stub = inference_pb2_grpc.InferenceServiceStub(channel)
            await stub.Analyze(GOOD, timeout=60, wait_for_ready=True)
            process = psutil.Process(service.process.pid)
            before = process.memory_info().rss
            for _ in range(CALLERS):
                caller = Caller(service, method)
                owned.callback(caller.socket.close)
                await asyncio.to_thread(caller.send_half)
            assert process.memory_info().rss > before + CALLERS * HALF * 0.9
            await stub.Analyze(GOOD, timeout=60)
            owned.close()
            await until(lambda: process.memory_info().rss < before + 1.2 * memory.MOST_KEPT_BYTES)
            await stub.Analyze(GOOD, timeout=60)
