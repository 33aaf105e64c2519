"""Processor time that a process may use: what a machine of its own, of that size, would give it.

By Linux's control groups, version 1 or 2, in which only root may write.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_PERIOD_US = 20_000
"""Short, so that whoever has used up its share waits little for the next."""

_VERSION_1 = Path("/sys/fs/cgroup/cpu")
_VERSION_2 = Path("/sys/fs/cgroup")


class QuotaError(Exception):
    """This machine does not let us bound processes."""


@contextlib.contextmanager
def at_most(cores: float, pid: int) -> Iterator[None]:
    """Let a process, threads and all, use no more than so many cores while the block lasts.

    It stays without a bound after it, where it was before: at the top of the groups.

    Raises:
        QuotaError: see there.

    """
    quota_us = round(cores * _PERIOD_US)
    first = _VERSION_1.is_dir()
    top = _VERSION_1 if first else _VERSION_2
    group = top / f"dermserve-{os.getpid()}-{pid}"
    try:
        if not first:
            (top / "cgroup.subtree_control").write_text("+cpu")
        group.mkdir()
    except OSError as error:
        message = f"no group can be made below {top}: {error.strerror}"
        raise QuotaError(message) from error
    try:
        if first:
            (group / "cpu.cfs_period_us").write_text(f"{_PERIOD_US}")
            (group / "cpu.cfs_quota_us").write_text(f"{quota_us}")
        else:
            (group / "cpu.max").write_text(f"{quota_us} {_PERIOD_US}")
        (group / "cgroup.procs").write_text(f"{pid}")
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            (top / "cgroup.procs").write_text(f"{pid}")
        group.rmdir()
