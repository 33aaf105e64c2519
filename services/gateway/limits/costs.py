"""What each operation costs in units of a quota."""

_READ = 1
_CHANGE = 2

COSTS = {
    "analyze": 4,
    "batch_report": 40,
    "explanation": 2,
    "lesion_report": 8,
    "narrative": 2,
    "overlay": 2,
    "page_analyze_picture": 4,
    "page_check_again": 4,
    "page_register": 4,
    "page_statistics": 4,
    "register": 4,
    "replay": 4,
    "report": 4,
    "reset_password": 4,
    "send_batch": 40,
    "statistics": 4,
    "statistics_table": 4,
}
"""Operations that cost more than others of their kind: they run models, draw, hash or count."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def cost(operation: str, method: str) -> int:
    """Return the units that an operation takes of its caller's quota."""
    return COSTS.get(operation, _READ if method in _SAFE else _CHANGE)
