"""The peers' results as tables. Pure functions from a result to Markdown."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.peers.catalogue import PEERS

Figures = Mapping[str, Any]
CLIENTS = ("1", "8", "32")

_NONE = "-"
_OUTCOMES = ("right", "wrong", "refused", "timed_out", "failed")
_ALL_BUT_FEW = 0.99


@dataclass(frozen=True, slots=True)
class Measure:
    """Something that is compared: its key, its name, and whether more of it is better."""

    key: str
    name: str
    more_is_better: bool = False

    def lead(self, ours: Figures, theirs: Figures) -> float | None:
        """Return how many times better we are; below 1 we are behind.

        None where one of the two left callers without an answer: who refuses is quick for those
        who are left, and that is no lead.
        """
        mine, other = ours[self.key], theirs[self.key]
        if not mine or not other or min(_answered(ours), _answered(theirs)) < _ALL_BUT_FEW:
            return None
        return float(mine / other if self.more_is_better else other / mine)


def _answered(figures: Figures) -> float:
    """Return the share of the requests that was answered rightly."""
    return float(figures["right"] / max(1, sum(figures[name] for name in _OUTCOMES)))


MEASURES = (
    Measure("pictures_a_second", "throughput", more_is_better=True),
    Measure("p50_ms", "p50"),
    Measure("p99_ms", "p99"),
)


def rendered(result: Figures) -> str:
    """Return all tables of a result, one after the other."""
    rows = list(_rows(result))
    measured = (_leads(rows), _speeds(rows), _overloads(rows), _behind(rows), _source(result, rows))
    parts = [*(measured if rows else ()), *_not_run(result)] or [["Not run yet."]]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


@dataclass(frozen=True, slots=True)
class _Side:
    """A server as it was measured once, or several times beside different peers."""

    measured: Sequence[Figures]

    def figure(self, path: str) -> float | None:
        """Return a figure, of several the median."""
        known = [value for value in self._all(path) if value is not None]
        return statistics.median(known) if known else None

    def count(self, path: str) -> int:
        """Return how often something happened, over all."""
        return sum(value or 0 for value in self._all(path))

    def _all(self, path: str) -> Iterator[Any]:
        for figures in self.measured:
            found: Any = figures
            for key in path.split("."):
                found = found[key]
            yield found


@dataclass(frozen=True, slots=True)
class _Row:
    """One setup of one peer."""

    name: str
    setup: str
    summary: str
    figures: Figures

    @property
    def head(self) -> str:
        return f"| {self.name} | {self.setup}: {self.summary} |"

    @property
    def peer(self) -> _Side:
        return _Side([self.figures["peer"]])


def _ours(rows: Sequence[_Row]) -> _Side:
    return _Side([row.figures["dermserve"] for row in rows])


def _rows(result: Figures) -> Iterator[_Row]:
    for key, peer in PEERS.items():
        for setup, how in peer.setups.items():
            figures = result["peers"].get(key, {}).get(setup)
            if figures and "peer" in figures:
                yield _Row(peer.name, setup, how.summary, figures)


def _head(*groups: tuple[str, ...]) -> list[str]:
    columns = [column for group in groups for column in group]
    return [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]


def _leads(rows: Sequence[_Row]) -> list[str]:
    columns = tuple(f"{measure.name}, 1 / 8 / 32 clients" for measure in MEASURES)
    lines = _head(("dermserve to", "setup"), columns)
    for row in rows:
        cells = [" / ".join(_lead(lead) for _, lead in _by_clients(row, m)) for m in MEASURES]
        lines.append(f"{row.head} {' | '.join(cells)} |")
    return lines


def _by_clients(row: _Row, measure: Measure) -> list[tuple[str, float | None]]:
    ours, theirs = (row.figures[side]["clients"] for side in ("dermserve", "peer"))
    return [(clients, measure.lead(ours[clients], theirs[clients])) for clients in CLIENTS]


def _lead(lead: float | None) -> str:
    if lead is None:
        return _NONE
    return f"{lead:.2f}" if lead >= 1 else f"**{lead:.2f}**"


def _speeds(rows: Sequence[_Row]) -> list[str]:
    lines = _head(
        ("server", "setup", "pictures/s, 1 / 8 / 32", "p50 ms", "p99 ms", "CPU ms a picture"),
        ("memory (PSS)", "idle cores", "wrong answers"),
    )
    lines += [f"{row.head} {_speed(row.peer)} |" for row in rows]
    return [*lines, f"| dermserve | median beside all of these | {_speed(_ours(rows))} |"]


def _speed(side: _Side) -> str:
    cells = [
        " / ".join(
            _number(side.figure(f"clients.{clients}.{measure.key}"), digits) for clients in CLIENTS
        )
        for measure, digits in zip(MEASURES, (1, 0, 0), strict=True)
    ]
    wrong = sum(side.count(f"clients.{clients}.wrong") for clients in CLIENTS)
    cells += [
        _number(side.figure("clients.8.cpu_ms_a_picture"), 1),
        f"{_number(side.figure('memory.pss_mb'))} MB",
        _number(side.figure("idle_cores"), 2),
        _number(wrong + side.count("overload.wrong")),
    ]
    return " | ".join(cells)


def _overloads(rows: Sequence[_Row]) -> list[str]:
    lines = _head(
        ("server at twice its capacity", "setup", "offered/s", "goodput/s", "of capacity"),
        ("refused", "timed out", "failed", "refusal after", "CPU ms a right answer"),
        ("well again after",),
    )
    lines += [f"{row.head} {_overload(row.peer)} |" for row in rows]
    return [*lines, f"| dermserve | median beside all of these | {_overload(_ours(rows))} |"]


def _overload(side: _Side) -> str:
    counts = {name: side.count(f"overload.{name}") for name in _OUTCOMES}
    total = sum(counts.values()) or 1
    refused, recovered = (side.figure(f"overload.{key}") for key in _AFTER)
    cells = [
        _number(side.figure("overload.offered_a_second")),
        _number(side.figure("overload.goodput_a_second"), 1),
        _number(side.figure("overload.goodput_to_capacity"), 2),
        *(f"{counts[name] / total:.0%}" for name in ("refused", "timed_out", "failed")),
        _NONE if refused is None else f"{refused:.0f} ms",
        _number(side.figure("overload.cpu_ms_a_right_answer"), 1),
        "not in 30 s" if recovered is None else f"{recovered:.1f} s",
    ]
    return " | ".join(cells)


_AFTER = ("refusal_p50_ms", "recovered_s")


def _behind(rows: Sequence[_Row]) -> list[str]:
    places = [
        f"{row.name} ({row.setup}), {measure.name} at {clients} "
        f"client{'' if clients == '1' else 's'}: {lead:.2f}"
        for row in rows
        for measure in MEASURES
        for clients, lead in _by_clients(row, measure)
        if lead is not None and lead < 1
    ]
    if not places:
        return ["dermserve is ahead in every cell of the first table."]
    return ["dermserve is behind here:", "", *(f"- {place}" for place in places)]


def _source(result: Figures, rows: Sequence[_Row]) -> list[str]:
    machines = {
        f"{machine['cores']} cores of {machine['processor']}, commit {machine['commit']}"
        for machine in (row.figures["machine"] for row in rows)
    }
    client = _Side([row.figures[side] for row in rows for side in ("peer", "dermserve")])
    took = _number(client.figure("clients.8.client_cpu_ms_a_picture"), 1)
    source = (
        f"Pictures: {result['picture']}. {'; '.join(sorted(machines))}. The client took "
        f"{took} ms of processor a picture (median) on the same cores."
    )
    return [source]


def _not_run(result: Figures) -> list[list[str]]:
    return [
        [f"{PEERS[key].name} ({setup}) was not run: {figures['not_run']}"]
        for key, setups in result["peers"].items()
        for setup, figures in setups.items()
        if "not_run" in figures
    ]


def _number(value: float | None, digits: int = 0) -> str:
    return _NONE if value is None else f"{value:.{digits}f}"
