"""What each operation is called in the audit, by construction; and which is not in it, and why.

``docs/audit.md`` has the whole table, rendered from here and from the OpenAPI document.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

_VERBS = {
    "GET": "read",
    "HEAD": "read",
    "POST": "create",
    "PUT": "change",
    "PATCH": "change",
    "DELETE": "remove",
}
_SINGULAR = {"analyses": "analysis", "batches": "batch"}
_PARAMETER = re.compile(r"/([^/{}]+)/\{(\w+)(?::\w+)?\}")


@dataclass(frozen=True, slots=True)
class Action:
    """What an operation does.

    Attributes:
        name: of the action.
        subject: kind of what it is done to.
        parameter: of the path, which names the one that it is done to; None for lists, and for
            what is made.
        changes: whether anything may be different afterwards.

    """

    name: str
    subject: str | None
    parameter: str | None = None
    changes: bool = False


NAMED: Mapping[str, tuple[str, str]] = {
    "begin_second_factor": ("second_factor.begin", "user"),
    "change_password": ("password.change", "user"),
    "comparison": ("analyses.comparison.read", "analysis"),
    "confirm_second_factor": ("second_factor.confirm", "user"),
    "end_session": ("sign_ins.end", "session"),
    "finish_oidc": ("sign_ins.vouch", "user"),
    "issue_password_reset": ("password.reset.begin", "user"),
    "oidc_logout": ("sign_ins.end", "session"),
    "oidc_tokens": ("sign_ins.begin", "session"),
    "page_analyze": ("patients.read", "patient"),
    "page_analyze_picture": ("analyses.create", "analysis"),
    "page_api_keys": ("api_keys.read", "api_key"),
    "page_audit": ("audit.read", "audit"),
    "page_begin_second_factor": ("second_factor.begin", "user"),
    "page_begin_session": ("sign_ins.begin", "session"),
    "page_change_password": ("password.change", "user"),
    "page_begin_set_up": ("second_factor.begin", "user"),
    "page_change_user": ("users.change", "user"),
    "page_confirm_second_factor": ("second_factor.confirm", "user"),
    "page_confirm_set_up": ("second_factor.confirm", "user"),
    "page_create_api_key": ("api_keys.create", "api_key"),
    "page_create_user": ("users.create", "user"),
    "page_create_webhook": ("webhooks.create", "webhook"),
    "page_assess": ("analyses.assessment.change", "analysis"),
    "page_change_lesion": ("lesions.change", "lesion"),
    "page_change_patient": ("patients.change", "patient"),
    "page_create_webhook_secret": ("webhooks.secrets.create", "webhook"),
    "page_pause_webhook": ("webhooks.change", "webhook"),
    "page_change_webhook": ("webhooks.change", "webhook"),
    "page_comparison": ("analyses.comparison.read", "analysis"),
    "page_end_session": ("sign_ins.end", "session"),
    "page_end_sign_in": ("sign_ins.end", "session"),
    "page_check_again": ("analyses.replay", "analysis"),
    "page_account": ("sign_ins.read", "session"),
    "page_export_audit": ("audit.export", "audit"),
    "page_issue_password_reset": ("password.reset.begin", "user"),
    "page_register": ("users.register", "user"),
    "page_removal": ("analyses.read", "analysis"),
    "page_remove": ("analyses.remove", "analysis"),
    "page_reset_password": ("password.reset", "user"),
    "page_revoke_api_key": ("api_keys.remove", "api_key"),
    "page_users": ("users.read", "user"),
    "page_lesion_removal": ("lesions.read", "lesion"),
    "page_patient_form": ("patients.read", "patient"),
    "page_patient_removal": ("patients.read", "patient"),
    "page_remove_lesion": ("lesions.remove", "lesion"),
    "page_remove_patient": ("patients.remove", "patient"),
    "page_remove_webhook": ("webhooks.remove", "webhook"),
    "page_remove_own_second_factor": ("second_factor.remove", "user"),
    "page_remove_second_factor": ("second_factor.remove", "user"),
    "page_renew_recovery_codes": ("second_factor.recovery_codes.renew", "user"),
    "page_replay_delivery": ("webhooks.deliveries.replay", "delivery"),
    "page_sign_in_code": ("sign_ins.begin", "session"),
    "page_search_patients": ("patients.search", "patient"),
    "page_test_webhook": ("webhooks.test", "webhook"),
    "page_webhook": ("webhooks.deliveries.read", "webhook"),
    "page_webhook_form": ("webhooks.read", "webhook"),
    "page_webhook_removal": ("webhooks.read", "webhook"),
    "page_webhooks": ("webhooks.read", "webhook"),
    "page_vouched": ("sign_ins.begin", "session"),
    "page_withdraw_assessment": ("analyses.assessment.remove", "analysis"),
    "refresh": ("sign_ins.refresh", "session"),
    "register": ("users.register", "user"),
    "remove_own_second_factor": ("second_factor.remove", "user"),
    "remove_second_factor": ("second_factor.remove", "user"),
    "renew_recovery_codes": ("second_factor.recovery_codes.renew", "user"),
    "replay": ("analyses.replay", "analysis"),
    "replay_webhook_delivery": ("webhooks.deliveries.replay", "delivery"),
    "reset_password": ("password.reset", "user"),
    "search_patients": ("patients.search", "patient"),
    "sessions": ("sign_ins.read", "session"),
    "sign_in": ("sign_ins.begin", "session"),
    "sign_out": ("sign_ins.end", "session"),
    "test_webhook": ("webhooks.test", "webhook"),
}
"""Action and kind of subject of operations whose method and path do not say what they do."""

_LOOKS = frozenset({"page_search_patients", "search_patients"})
"""Operations that only look, though asked for with a body, so that no address names anybody."""


NOT_AUDITED: Mapping[str, str] = {
    "begin_oidc": "sends a browser to the identity provider, whoever it is",
    "live": "asked by machines every few seconds; says nothing of anybody",
    "me": "shows callers nothing but their own account",
    "metrics": "asked by machines every few seconds; has figures only",
    "models": "names models, and nobody",
    "organisation": "shows callers nothing but the name of their own organisation",
    "second_factor": "shows callers nothing but their own account",
    "usage": "shows callers how much is kept for them, and nothing of what",
    "page_administration": "shows administrators how the gateway is, and nothing of anybody",
    "page_models": "names models, and nobody",
    "page_asset": "is public",
    "page_landing": "is public",
    "page_offline": "is public",
    "page_new_patient": "is a form that nobody has filled in yet",
    "page_password_reset": "is a form that nobody has filled in yet",
    "page_sign_in": "is a form that nobody has filled in yet",
    "page_sign_up": "is a form that nobody has filled in yet",
    "public_keys": "is public",
    "system": "shows administrators how the gateway is, and nothing of anybody",
    "ready": "asked by machines every few seconds; says nothing of anybody",
}
"""Operations that leave no row, unless they are refused; with the reason."""


_PAGE = "page_"


def is_page(operation: str) -> bool:
    """Say whether an operation is a page for people, which the API's document does not have."""
    return operation.startswith(_PAGE)


@functools.lru_cache(maxsize=1024)
def action(operation: str, method: str, path: str) -> Action:
    """Return what an operation does.

    Without a name of its own, ``GET /v1/analyses/{analysis_id}/report.pdf`` is
    ``analyses.report.read``, done to the analysis that the path names.
    """
    words = [word for word in path.removeprefix("/v1").split("/") if word] or ["pages"]
    plain = [_plain(word) for word in words if "{" not in word]
    # The last one of the path is what it is done to.
    of, parameter = (_PARAMETER.findall(path) or [(plain[0], None)])[-1]
    name, subject = NAMED.get(operation) or (
        ".".join([*plain, _VERBS.get(method, method.lower())]),
        _singular(_plain(of)),
    )
    looks = method in {"GET", "HEAD"} or operation in _LOOKS
    return Action(name, subject, parameter, not looks)


def _plain(word: str) -> str:
    return word.partition(".")[0].replace("-", "_") or word.strip(".")


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return _SINGULAR.get(word) or word.removesuffix("s")
