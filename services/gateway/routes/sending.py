"""A picture that somebody sends is analyzed, once, however often it comes with its key."""

from starlette.requests import Request

from services.gateway.deadlines import Deadline
from services.gateway.identity import Caller
from services.gateway.once import Keyed
from services.gateway.parts import Parts
from services.gateway.presence import while_there
from services.gateway.records import Analysis
from services.gateway.uploads import Upload


async def analyzed(
    request: Request,
    caller: Caller,
    parts: Parts,
    upload: Upload,
    key: str | None,
    *,
    later: bool = False,
) -> Analysis:
    """Return the analysis of a picture that has arrived, or the one that is to come.

    Args:
        request: that brought it; whoever leaves before the answer wants none.
        caller: who sent it.
        parts: of this process.
        upload: the picture and what was said of it.
        key: makes it safe to send again; None for what is sent once.
        later: whether it may wait for its turn once it is kept.

    Raises:
        GatewayError: whatever ``Once.make`` and either way to an analysis raise.

    """
    # The clock starts when the picture is there: a slow line is not a slow analysis.
    deadline = Deadline.after(parts.analysis_timeout_s)
    work = parts.once.make(
        caller.user.id,
        None if key is None else Keyed(request.url.path, key, upload.parts),
        Analysis,
        lambda made: (
            parts.submissions.submit(caller.scope, made, upload)
            if later
            else parts.analyzer.analyze(caller.scope, made, upload, deadline)
        ),
        lambda made: parts.history.get(caller.scope, made),
    )
    return await while_there(request, work)
