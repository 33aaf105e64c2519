"""Whoever looks at a page leaves a row that says whose data it showed, as the API's callers do."""

import re
from collections.abc import Mapping

import pytest

from services.gateway.audit.actions import NOT_AUDITED
from services.gateway.records import Role
from tests.gateway.audited import Row, last, rows
from tests.gateway.cast import Cast, cast, made
from tests.gateway.conftest import Gateway
from tests.gateway.test_audit_operations import rows_since
from tests.gateway.test_page_access import OPEN, SHOWN, needed
from tests.gateway.test_page_sessions import entered

__all__ = ["cast"]

LOOKS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "page_account": ("sign_ins.read", ()),
    "page_analyze": ("patients.read", ("patient_id", "lesion_id")),
    "page_api_keys": ("api_keys.read", ("key_id",)),
    "page_audit": ("audit.read", ()),
    "page_batch": ("batches.read", ("batch_id",)),
    "page_comparison": ("analyses.comparison.read", ("analysis_id",)),
    "page_export_audit": ("audit.export", ()),
    "page_history": ("analyses.read", ("analysis_id",)),
    "page_lesion": ("lesions.read", ("lesion_id", "patient_id", "analysis_id")),
    "page_lesion_removal": ("lesions.read", ("lesion_id",)),
    "page_patient": ("patients.read", ("patient_id", "lesion_id", "analysis_id")),
    "page_patient_form": ("patients.read", ("patient_id",)),
    "page_patient_removal": ("patients.read", ("patient_id",)),
    "page_patients": ("patients.read", ("patient_id",)),
    "page_removal": ("analyses.read", ("analysis_id",)),
    "page_result": ("analyses.read", ("analysis_id",)),
    "page_statistics": ("statistics.read", ()),
    "page_users": ("users.read", ("user_id",)),
    "page_webhook": ("webhooks.deliveries.read", ("webhook_id", "delivery_id")),
    "page_webhook_form": ("webhooks.read", ("webhook_id",)),
    "page_webhook_removal": ("webhooks.read", ("webhook_id",)),
    "page_webhooks": ("webhooks.read", ("webhook_id",)),
}
"""What the row of each page says: its action, and which of our things it showed."""

PATIENT = "Ada Example"


def shown(row: Row) -> list[str]:
    """Return the ids that a row has."""
    return str(row["subject_ids"] or "").split()


def test_every_page_that_shows_something_is_tried_here() -> None:
    assert {name for name, _ in SHOWN} - OPEN - NOT_AUDITED.keys() == LOOKS.keys()


async def test_a_look_at_a_page_leaves_a_row_with_the_ids_of_all_that_it_showed(
    cast: Cast,
) -> None:
    admin = cast.ours[Role.ADMIN]
    me = (await admin("GET", "/v1/me")).json()["id"]
    for name, path in SHOWN:
        if name not in LOOKS:
            continue
        known = await rows(cast.gateway)
        page = await admin("GET", path.format(**cast.ids), params=needed(name, cast.ids))
        (row,) = await rows_since(cast.gateway, known)

        done, things = LOOKS[name]
        said = (row["operation"], row["action"], row["outcome"], row["status"], row["user_id"])
        assert said == (name, done, "done", 200, me), page.text
        ids = shown(row)
        assert {cast.ids[each] for each in things} <= {*ids}, name
        assert {*re.findall(r'href="/analyses/([0-9a-f]{32})"', page.text)} <= {*ids}, name
        assert len({*ids}) == len(ids), name


async def test_the_form_of_a_picture_tells_also_of_whom_it_was_opened_for(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.web.analyze._CHOICES", 1)
    alice = await gateway.signed_in()
    browser = await entered(gateway)
    patients, lesions = [], []
    for number in "12":
        patients.append(made(await alice("POST", "/v1/patients", json={"identifier": number})))
        lesions.append(made(await alice("POST", "/v1/lesions", json={"patient": patients[-1]})))

    page = await gateway.http.get("/analyze", params={"lesion": lesions[0]}, headers=browser)

    assert patients[0] in page.text
    assert {*shown(await last(gateway, operation="page_analyze"))} == {*patients, *lesions}


async def test_a_form_that_is_refused_tells_of_the_patient_that_it_shows_again(
    gateway: Gateway,
) -> None:
    alice = await gateway.signed_in()
    browser = await entered(gateway)
    patient = made(await alice("POST", "/v1/patients", json={"identifier": "1", "name": PATIENT}))

    form = {"patient": patient, "body_site": "nowhere"}
    page = await gateway.http.post("/lesions", data=form, headers=browser)

    row = await last(gateway, operation="page_create_lesion")
    assert PATIENT in page.text
    assert (page.status_code, row["outcome"], shown(row)) == (422, "refused", [patient])
