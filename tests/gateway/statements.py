"""What is asked of a database: heard on the way, and how much its plan reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine


@contextmanager
def heard(*words: str) -> Iterator[list[Any]]:
    """Hear the last statement that has all these words, with its parameters."""
    last: list[Any] = []

    def hear(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if all(each in statement for each in words):
            last[:] = [statement, parameters]

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield last
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


def rows_read(plan: dict[str, Any]) -> int:
    """Return how many rows a plan read, those included that it found not to be meant."""
    own = int(plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0))
    return own + sum(map(rows_read, plan.get("Plans", [])))
