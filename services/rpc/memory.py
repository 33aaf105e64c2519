"""What messages leave behind: memory that nobody uses, and that malloc keeps for a later time.

gRPC puts a message together from small blocks, which lie among others. After some hundred
megabytes of messages glibc keeps nearly all of it for good, since it gives back by itself what lies
at the end of an arena and nothing between. Asked to, it gives back all of it.
"""

import asyncio
import ctypes
import mmap
import sys
from pathlib import Path
from typing import Any

MOST_KEPT_BYTES = 256 * 1024 * 1024
"""Less is left to malloc: to fetch memory anew for every picture costs time."""

_LOOK_EVERY_S = 10

_STATM = Path("/proc/self/statm")


class _MallInfo(ctypes.Structure):
    """``struct mallinfo2`` (mallinfo(3))."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    )


async def give_back_for_ever() -> None:
    """Look now and then whether malloc keeps too much, and have it give that back.

    It is done in a thread: to go through a gigabyte of small blocks takes a moment. Elsewhere than
    on Linux with glibc nothing is done.
    """
    process: Any = ctypes.CDLL(None)
    if sys.platform != "linux" or not hasattr(process, "mallinfo2"):
        return
    process.mallinfo2.restype = _MallInfo
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        await asyncio.to_thread(_give_back, process)


def _give_back(process: Any) -> None:
    if _kept_bytes(process) > MOST_KEPT_BYTES:
        process.malloc_trim(0)


def _kept_bytes(process: Any) -> int:
    """Return about how much of the process's memory is malloc's and in nobody's use."""
    _, resident, shared, *_ = map(int, _STATM.read_text().split())
    found = process.mallinfo2()
    return (resident - shared) * mmap.PAGESIZE - int(found.uordblks) - int(found.hblkhd)
