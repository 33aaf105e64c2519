"""Which of our languages somebody would rather read."""

import re
from typing import get_args

from services.gateway.report_settings import Language

LANGUAGES: tuple[Language, ...] = get_args(Language)

_RANGE = re.compile(
    r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9]{1,8})*\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?"
)


def preferred(accepted: str, default: Language) -> Language:
    """Choose by the header Accept-Language (RFC 9110, section 12.5.4).

    A language is good for all its variants, so ``de-AT`` is ``de``. What cannot be read is as good
    as not said, and who accepts none of ours gets the default: better than nothing at all.
    """
    wanted: dict[str, float] = {}
    for each in accepted.split(","):
        found = _RANGE.fullmatch(each)
        if found is not None:
            name, weight = found[1].lower(), float(found[2] or 1)
            wanted[name] = max(weight, wanted.get(name, 0))
    return max(
        (language for language in LANGUAGES if wanted.get(language)),
        key=lambda language: (wanted[language], language == default),
        default=default,
    )
