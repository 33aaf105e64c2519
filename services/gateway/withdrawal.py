"""What nobody wants analyzed any more leaves the line at once."""

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway.records import Analysis, Job, now


def leave_the_line(session: Session, *which: ColumnElement[bool]) -> None:
    """Take analyses out of the line, in the caller's transaction.

    Whoever works on one of them is left alone, and finds out in the end.

    Args:
        session: in which they are removed or withdrawn next; what is removed is out of its sight.
        which: conditions that such an analysis meets.

    """
    theirs = select(col(Analysis.id)).where(*which)
    idle = or_(col(Job.holder).is_(None), col(Job.due_at) <= now())
    # In one order for all, so that two never wait for each other.
    held = (
        select(col(Job.analysis_id))
        .where(col(Job.analysis_id).in_(theirs), idle)
        .order_by(col(Job.analysis_id))
        .with_for_update()
    )
    leaving = delete(Job).where(col(Job.analysis_id).in_(held))
    session.execute(leaving.execution_options(synchronize_session=False))
