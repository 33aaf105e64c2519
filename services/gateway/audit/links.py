"""Rows are added to the chains of their organisations, within one transaction."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway.audit.chain import GENESIS, Keys, moment
from services.gateway.database import unscoped
from services.gateway.records import DEFAULT_ORGANISATION, AuditHead, AuditRow, Record, User, now

BEGIN = "audit.begin"
"""The action that says, in the chain of the default organisation, that another chain began."""

REKEY = "audit.rekey"
"""The action that says that a chain goes on with a key, which it had not before."""

PRUNE = "audit.prune"
"""The action that says which was the last of the rows that were pruned."""

_HEADS = Record.metadata.tables["audit_heads"]


def _taking(add: Any) -> Any:
    """Return the statement that takes the head of a chain, counted up; or begins the chain."""
    head = add(_HEADS)
    more = {"sequence": _HEADS.c.sequence + head.excluded.sequence}
    taken = head.on_conflict_do_update(index_elements=["organisation_id"], set_=more)
    return taken.returning(_HEADS.c.sequence, _HEADS.c.hash)


# Built once, for every request needs them; and nobody changes a row once it is added, so none of
# what is needed for that is paid for.
_ADDITION = insert(Record.metadata.tables["audit"])
_CHANGE = update(_HEADS).where(_HEADS.c.organisation_id == bindparam("chain"))
_TAKING = {"sqlite": _taking(sqlite.insert), "postgresql": _taking(postgresql.insert)}

Fields = dict[str, Any]
_FIELDS = tuple(AuditRow.model_fields)


def add(rows: Sequence[Fields], keys: Keys, session: Session) -> list[Fields]:
    """Add rows to their chains, in their order.

    Whoever adds to the same chains waits meanwhile: the head of a chain is written to first. The
    chain of the default organisation comes last, so that no two wait for each other.

    Args:
        rows: what to add; those of nobody's organisation go to the default one.
        keys: to hash them with.
        session: of the database, in a transaction.

    Returns:
        The heads of the chains, as they are then.

    """
    chains = _by_chain(rows, session)
    last = chains.pop(DEFAULT_ORGANISATION, [])
    heads = []
    for organisation_id in sorted(chains):
        new = chains[organisation_id]
        heads.append(_extend(organisation_id, new, keys, session))
        if heads[-1]["sequence"] == len(new):
            last = [*last, _begun(organisation_id, new[0])]
    if last:
        heads.append(_extend(DEFAULT_ORGANISATION, last, keys, session))
    return heads


def rekey(keys: Keys, session: Session) -> None:
    """Go on with the current key in every chain that ends with a row without one."""
    bare = select(col(AuditHead.organisation_id)).where(col(AuditHead.key).is_(None))
    if keys.current is None:
        return
    rows = [
        {
            **dict.fromkeys(_FIELDS),
            "organisation_id": chain,
            "at": moment(now()),
            "action": REKEY,
            "operation": REKEY,
            "subject": "audit",
            "outcome": "done",
        }
        for chain in session.scalars(bare)
    ]
    if rows:
        add(rows, keys, session)


def _by_chain(rows: Sequence[Fields], session: Session) -> dict[str, list[Fields]]:
    lost = {row["user_id"] for row in rows if row["user_id"] and not row["organisation_id"]}
    known: dict[str, str] = {}
    if lost:
        asked = select(col(User.id), col(User.organisation_id)).where(col(User.id).in_(lost))
        known = {each.id: each.organisation_id for each in session.execute(asked)}
    chains: dict[str, list[Fields]] = defaultdict(list)
    for row in rows:
        whose = row["organisation_id"] or known.get(row["user_id"], DEFAULT_ORGANISATION)
        chains[whose].append(row | {"organisation_id": whose})
    return chains


def _extend(organisation_id: str, rows: list[Fields], keys: Keys, session: Session) -> Fields:
    """Add rows to one chain; return its head."""
    last, previous = _taken(organisation_id, len(rows), session)
    for sequence, row in enumerate(rows, last - len(rows) + 1):
        row |= {"sequence": sequence, "key": keys.current, "previous": previous}
        row["hash"] = previous = keys.digest(keys.current, row)
    connection = unscoped(session)
    connection.execute(_ADDITION, rows)
    head = {
        "organisation_id": organisation_id,
        "sequence": last,
        "hash": previous,
        "key": keys.current,
    }
    seal = keys.digest(keys.current, head)
    connection.execute(_CHANGE, {"chain": organisation_id, **head, "seal": seal})
    return head


def _taken(organisation_id: str, count: int, session: Session) -> tuple[int, str]:
    """Take the head of a chain, counted up, for this transaction; begin the chain if need be."""
    connection = unscoped(session)
    head = {"organisation_id": organisation_id, "sequence": count, "hash": GENESIS, "seal": ""}
    sequence, previous = connection.execute(_TAKING[connection.dialect.name], head).one()
    return int(sequence), str(previous)


def _begun(organisation_id: str, first: Fields) -> Fields:
    """Say in the chain of the default organisation that another one began."""
    return {
        **dict.fromkeys(first),
        "organisation_id": DEFAULT_ORGANISATION,
        "at": first["at"],
        "action": BEGIN,
        "operation": BEGIN,
        "subject": "organisation",
        "subject_ids": organisation_id,
        "outcome": "done",
    }
