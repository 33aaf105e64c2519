"""What a request costs is taken of a quota before it is looked at any further."""

from fastapi.requests import HTTPConnection

from services.gateway import errors, limits, reading
from services.gateway.networks import customer


async def take(
    request: HTTPConnection, quota: limits.Quota, who: str, *, though_spent: bool = False
) -> None:
    """Take of a quota what this operation costs, then see whether it can be asked like this.

    In this order, for who asks wrongly pays too.

    Args:
        request: is asked.
        quota: is taken of.
        who: pays.
        though_spent: whether it may be asked even if not so much is left.

    Raises:
        QuotaExceededError: not so much is left.
        InvalidFieldError: a parameter or a field is unknown or there twice.
        UnsupportedMediaTypeError: the body is of another kind.

    """
    await spend(request, quota, who, though_spent=though_spent)
    await reading.plain(request)


async def spend(
    request: HTTPConnection, quota: limits.Quota, who: str, *, though_spent: bool = False
) -> None:
    """Take of a quota what this operation costs; the door says in the answer what is left.

    Raises:
        QuotaExceededError: not so much is left.

    """
    units = limits.cost(request.scope["route"].name, request.scope.get("method", "GET"))
    request.state.standing = await quota.take(who, units)
    if not though_spent:
        settle(request)


def settle(request: HTTPConnection) -> None:
    """See that as much was left as was taken.

    Raises:
        QuotaExceededError: it was not.

    """
    if not is_settled(request):
        standing: limits.Standing = request.state.standing
        raise errors.QuotaExceededError(standing.policy.name, standing.seconds)


def is_settled(request: HTTPConnection) -> bool:
    """Say whether ``settle`` lets a request through."""
    standing: limits.Standing | None = request.state.standing
    return standing is None or standing.enough


def address(request: HTTPConnection) -> str:
    """Return where a request comes from, as wide as what one customer has."""
    host = request.client.host if request.client else None
    return customer(host)
