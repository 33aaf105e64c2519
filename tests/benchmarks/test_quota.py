"""Processes that are given a share of a core."""

import subprocess
import sys
import time

import pytest

from benchmarks import quota
from benchmarks.processor import Meter

_BUSY = "while True: pass"
_SHARE = 0.2


def test_a_process_gets_its_share_of_a_core_and_no_more() -> None:
    with subprocess.Popen([sys.executable, "-c", _BUSY]) as busy:
        try:
            with quota.at_most(_SHARE, busy.pid):
                meter, began = Meter([busy.pid]), time.monotonic()
                used = meter.seconds()
                while time.monotonic() < began + 1:
                    time.sleep(0.1)
                share = (meter.seconds() - used) / (time.monotonic() - began)
        except quota.QuotaError as error:
            pytest.skip(f"processes cannot be bound here: {error}")
        finally:
            busy.kill()
    assert 0 < share < 1.5 * _SHARE


def test_a_process_that_has_ended_leaves_no_group_behind() -> None:
    with subprocess.Popen([sys.executable, "-c", _BUSY]) as busy:
        try:
            with quota.at_most(_SHARE, busy.pid):
                busy.kill()
                busy.wait()
            with quota.at_most(_SHARE, busy.pid):
                pytest.fail("a process that is gone was bound")
        except quota.QuotaError as error:
            pytest.skip(f"processes cannot be bound here: {error}")
        except ProcessLookupError:
            pass  # the second group could be made, and has gone too
        finally:
            busy.kill()
