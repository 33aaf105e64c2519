"""Chains are read again from their first row: whatever was changed, removed, moved or slipped in.

What cannot be seen from the rows and the head of a chain is that both were put back to an earlier
state; for that there are anchors, which were written down elsewhere when the chain was longer.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.gateway.audit.chain import GENESIS, Keys, UnknownKeyError
from services.gateway.audit.links import BEGIN, PRUNE

Row = Mapping[str, Any]
"""A row as it is kept."""

NEEDED = frozenset(
    {"organisation_id", "sequence", "action", "subject_ids", "detail", "key", "previous", "hash"}
)
"""Columns that every row has and that are looked at here."""

_MOST_FINDINGS = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was written.

    Attributes:
        organisation_id: whose chain it is in.
        sequence: of the row; None for the chain itself.
        what: in words.

    """

    organisation_id: str
    sequence: int | None
    what: str

    def __str__(self) -> str:
        """Say it in a line."""
        row = "" if self.sequence is None else f", row {self.sequence}"
        return f"chain {self.organisation_id}{row}: {self.what}"


@dataclass(slots=True)
class Chain:
    """What was found out of one chain so far; rows are taken one after the other.

    Attributes:
        organisation_id: whose it is.
        keys: that are at hand.
        anchors: hashes of rows that were written down elsewhere, by their numbers.
        whole: whether it must begin with the first row, or with one that a pruning left.

    """

    organisation_id: str
    keys: Keys
    anchors: dict[int, str] = field(default_factory=dict)
    whole: bool = True
    findings: list[Finding] = field(default_factory=list)
    begun: set[str] = field(default_factory=set)
    rows: int = 0
    unverified: int = 0
    first: int = 1
    sequence: int = 0
    hash: str = GENESIS
    _start: tuple[int, str] | None = None
    _key: str | None = None

    def take(self, row: Row) -> None:
        """Look at the next row."""
        sequence = row["sequence"]
        if not isinstance(sequence, int):
            self._find(None, f"a row has the number {sequence!r}")
            return
        self.rows += 1
        if self.rows == 1 and sequence > 1:
            self._start = sequence - 1, str(row["previous"])
            self.sequence, self.hash, self.first = sequence - 1, str(row["previous"]), sequence
        self._follows(sequence, row)
        self._is_itself(sequence, row)
        self._was_written_down(sequence, row)
        self._tells(sequence, row)
        self.sequence, self.hash = sequence, str(row["hash"])

    def end(self, head: Row | None) -> None:
        """See that the chain ends where its head says.

        Args:
            head: None where it is not at hand, as for rows in a file.

        """
        if self._start is not None and self.whole:
            self._find(None, f"rows 1 to {self._start[0]} are missing, and no pruning tells of it")
        for sequence in sorted(self.anchors):
            if sequence > self.sequence:
                self._find(sequence, "is missing: the chain was cut off before it")
        if self.unverified and self.whole and not self.keys.secrets:
            self._find(None, f"{self.unverified} rows are hashed with a key, which is not at hand")
        if head is None:
            return
        if head["sequence"] != self.sequence or head["hash"] != self.hash:
            self._find(
                None,
                f"its head is at row {head['sequence']}, its last row is {self.sequence}"
                if head["sequence"] != self.sequence
                else "its head has another hash than its last row",
            )
        self._sealed(head)

    def _follows(self, sequence: int, row: Row) -> None:
        if sequence < 1:
            self._find(sequence, "was slipped in before the first")
        elif sequence != self.sequence + 1:
            missing = f"{self.sequence + 1} to {sequence - 1}"
            self._find(sequence, f"rows {missing} before it are missing")
        elif row["previous"] != self.hash:
            self._find(sequence, "does not follow the row before it")

    def _is_itself(self, sequence: int, row: Row) -> None:
        content = {name: value for name, value in row.items() if name != "hash"}
        if self._key is not None and row["key"] is None:
            self._find(sequence, "is hashed without a key, and rows before it are not")
        self._key = row["key"] or self._key
        try:
            if self.keys.digest(row["key"], content) != row["hash"]:
                self._find(sequence, "was changed: its hash does not fit it")
        except UnknownKeyError:
            self.unverified += 1
            if self.keys.secrets:
                self._find(sequence, f"is hashed with a key {row['key']!r} that is not at hand")

    def _was_written_down(self, sequence: int, row: Row) -> None:
        if self.anchors.get(sequence, row["hash"]) != row["hash"]:
            self._find(sequence, "has another hash than was written down elsewhere")

    def _tells(self, sequence: int, row: Row) -> None:
        """Take note of what a row tells of chains: that one began, or was pruned."""
        if row["action"] == BEGIN:
            began = str(row["subject_ids"])
            self._began(sequence, *{began} & self.begun)
            self.begun.add(began)
        if row["action"] == PRUNE:
            told = Counter(begun_before(row["detail"]))
            self._began(sequence, *(each for each, times in told.items() if times > 1))
            self.begun.update(told)
            if self._start == _pruned(row):
                self._start = None

    def _began(self, sequence: int, *again: str) -> None:
        for each in again:
            self._find(sequence, f"chain {each} began a second time, so it was removed before")

    def _sealed(self, head: Row) -> None:
        content = {name: value for name, value in head.items() if name != "seal"}
        try:
            if self.keys.digest(head["key"], content) != head["seal"]:
                self._find(None, "its head was changed: its seal does not fit it")
        except UnknownKeyError:
            self.unverified += 1
        if self.keys.secrets and head["key"] is None:
            self._find(None, "it ends with a row that is hashed without a key")

    def _find(self, sequence: int | None, what: str) -> None:
        if len(self.findings) < _MOST_FINDINGS:
            self.findings.append(Finding(self.organisation_id, sequence, what))


def _pruned(row: Row) -> tuple[int, str] | None:
    """Return the number and hash of the last row that a pruning removed."""
    try:
        detail = json.loads(row["detail"])
        return int(detail["through"]), str(detail["hash"])
    except (KeyError, TypeError, ValueError):
        return None


def begun_before(detail: object) -> list[str]:
    """Return which chains had begun by rows that a pruning removed, as the row of it says.

    One that had begun twice is there twice.
    """
    try:
        return [str(each) for each in json.loads(str(detail))["begun"]]
    except (KeyError, TypeError, ValueError):
        return []


def anchors(lines: Iterable[str]) -> dict[str, dict[int, str]]:
    """Return what lines of JSON say of rows: logs, exports and earlier verifications all do.

    Returns:
        Hashes by the number of their row, by chain. Lines that say nothing of it are left out.

    """
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for line in lines:
        try:
            said = json.loads(line)
            found[str(said["organisation_id"])][int(said["sequence"])] = str(said["hash"])
        except (KeyError, TypeError, ValueError):
            continue
    return found
