"""Callers work beside services, and not on their cores."""

import os

import pytest

from benchmarks import cores


def test_cores_are_shared_out_and_given_back() -> None:
    before = os.sched_getaffinity(0)

    with cores.apart() as shared_out:
        shared_out.serve()
        serving = os.sched_getaffinity(0)
        shared_out.call()
        calling = os.sched_getaffinity(0)

    assert serving == set(shared_out.services)
    assert calling == set(shared_out.callers)
    assert serving | calling == before
    assert len(before) == 1 or not serving & calling
    assert os.sched_getaffinity(0) == before


def test_a_benchmark_that_fails_gives_the_cores_back_too() -> None:
    before = os.sched_getaffinity(0)

    def measured() -> None:
        with cores.apart() as shared_out:
            shared_out.call()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        measured()

    assert os.sched_getaffinity(0) == before
