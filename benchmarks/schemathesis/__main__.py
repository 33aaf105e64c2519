"""``python -m benchmarks.schemathesis``; the package says what it is about."""

import argparse
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import machine, tables
from benchmarks.schemathesis.exploration import explored, gateway
from benchmarks.schemathesis.hooks import ADMIN, CLINICIAN
from benchmarks.schemathesis.refusals import FORESEEN_BY_NOBODY
from tests.gateway import databases


def main() -> None:
    """Try the gateway out, write the result, render the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as first,
        tempfile.TemporaryDirectory() as second,
        databases.postgres(Path(first)) as one,
        databases.postgres(Path(second)) as another,
        ThreadPoolExecutor(2) as beside,
    ):
        run = partial(_run, seconds=arguments.seconds, seed=arguments.seed)
        # Two at a time, one on each kind of database; none finds what another made.
        askers, addresses = (ADMIN, CLINICIAN, CLINICIAN, ADMIN), ("", one, "", another)
        runs = list(beside.map(run, askers, addresses))
    reasons = [f"{refusal.type}: {refusal.reason}" for refusal in FORESEEN_BY_NOBODY]
    result = {"seed": arguments.seed, "runs": runs, "refusals_that_nobody_foresees": reasons}
    machine.write("schemathesis", result, models=None)
    tables.render()


def _run(user: str, database_url: str, *, seconds: int, seed: int) -> dict[str, Any]:
    with gateway(database_url) as what:
        found = explored(what, user, seconds, seed)
    print(found["output"])
    return _summary(found, user, "PostgreSQL" if database_url else "SQLite")


def _summary(found: dict[str, Any], user: str, database: str) -> dict[str, Any]:
    return {
        "user": user,
        "database": database,
        "schemathesis": found["schemathesis_version"],
        "seconds": round(found["running_time"]),
        "operations": found["operations"]["tested"],
        "requests": found["test_cases"]["generated"],
        "failures": [{"type": each["type"], "count": each["count"]} for each in found["failures"]],
        "errors": found["errors"],
        "never_reached": found["warnings"]["missing_test_data"],
    }


if __name__ == "__main__":
    main()
