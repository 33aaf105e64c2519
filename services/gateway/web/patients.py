"""Patients: found, made, changed, removed, with their lesions and analyses."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.gateway import audit, errors, paging
from services.gateway.analyses import Filters
from services.gateway.dependencies import (
    Cursor,
    EditorDep,
    PartsDep,
    ReaderDep,
    RemoverDep,
    WriterDep,
)
from services.gateway.findings import LABEL_NAMES
from services.gateway.identity import Caller
from services.gateway.parts import Parts
from services.gateway.records import Patient
from services.gateway.routes.analysis_shapes import AnalysisView
from services.gateway.routes.lesions import BODY_SITES
from services.gateway.routes.patients import NewPatient, PatientSearch, PatientView
from services.gateway.text import Text
from services.gateway.web.pages import PagesDep
from services.gateway.web.refusal import NOT_DONE, Fields, Refusal
from services.gateway.web.routing import pages_router
from services.gateway.web.sent_once import Token, keyed, new_token, parts_of, removed_once

router = pages_router()

_A_PAGE = 50
_FEW = 12
_Field = Annotated[str, Form()]
_Revision = Annotated[int, Form(ge=0)]


async def _written(
    identifier: _Field = "",
    issuer: _Field = "",
    name: _Field = "",
    birth_date: _Field = "",
    sex: _Field = "",
) -> dict[str, str]:
    return {
        "identifier": identifier,
        "issuer": issuer,
        "name": name,
        "birth_date": birth_date,
        "sex": sex,
    }


_WrittenDep = Annotated[dict[str, str], Depends(_written)]
_OF_PATIENT: Fields = {errors.ConflictError: "identifier"}
_NOBODY: paging.Page[Patient] = paging.Page([], None)
_NOTHING = dict.fromkeys(("identifier", "issuer", "name", "birth_date", "sex"), "")


@router.get("/patients")
async def page_patients(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: ReaderDep,
    cursor: Cursor = None,
) -> HTMLResponse:
    """List all patients."""
    found = await parts.patients.page(caller.scope, _A_PAGE, cursor)
    return pages.show(request, "patients.html", _list(found), caller=caller)


@router.post("/patient-search")
async def page_search_patients(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: ReaderDep,
    name: _Field = "",
    identifier: Annotated[Text, Form(max_length=64)] = "",
    cursor: Annotated[str, Form(max_length=128)] = "",
) -> HTMLResponse:
    """List patients of a number or a name; the next page is asked for as this one is.

    So no address has either.
    """
    asked = {"identifier": identifier} if identifier.strip() else {"name": name}
    try:
        found = await _found(parts, caller, cursor or None, **asked)
    except NOT_DONE as error:
        refusal = Refusal.of(error)
        shown = _list(_NOBODY, **asked, refusal=refusal.sentence)
        return pages.refuse(request, "patients.html", shown, refusal, caller=caller)
    return pages.show(request, "patients.html", _list(found, **asked), caller=caller)


@router.get("/patients/new")
async def page_new_patient(request: Request, pages: PagesDep, caller: WriterDep) -> HTMLResponse:
    """Ask who the patient is."""
    return pages.show(request, "patient_form.html", _form(_NOTHING), caller=caller)


@router.post("/patients")
async def page_create_patient(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: WriterDep,
    written: _WrittenDep,
    form: Token = "",
) -> Response:
    """Make a patient; the same form sent twice makes one."""
    try:
        values = _values(written)
        made = await parts.once.make(
            caller.user.id,
            keyed(request, form, parts_of(written)),
            Patient,
            lambda made: parts.patients.create(caller.scope, made, values),
            lambda made: parts.patients.get(caller.scope, made),
        )
    except NOT_DONE as error:
        refusal = Refusal.of(error, _OF_PATIENT)
        shown = _form(written) | refusal.again(form)
        return pages.refuse(request, "patient_form.html", shown, refusal, caller=caller)
    return RedirectResponse(f"/patients/{made.id}", 303)


@router.get("/patients/{patient_id}")
async def page_patient(
    patient_id: str, request: Request, pages: PagesDep, parts: PartsDep, caller: ReaderDep
) -> HTMLResponse:
    """Show a patient with their lesions and newest analyses."""
    shown = await shown_patient(parts, caller, patient_id)
    return pages.show(request, "patient.html", shown, caller=caller)


@router.get("/patients/{patient_id}/change")
async def page_patient_form(
    patient_id: str, request: Request, pages: PagesDep, parts: PartsDep, caller: EditorDep
) -> HTMLResponse:
    """Ask what is to be changed."""
    patient = await parts.patients.get(caller.scope, patient_id)
    shown = _form(_said(patient), patient)
    return pages.show(request, "patient_form.html", shown, caller=caller)


@router.post("/patients/{patient_id}/change")
async def page_change_patient(
    patient_id: str,
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: EditorDep,
    written: _WrittenDep,
    revision: _Revision = 0,
) -> Response:
    """Change a patient; where somebody else did meanwhile, both versions are shown."""
    try:
        meant = frozenset({revision})
        await parts.patients.change(caller.scope, patient_id, meant, _values(written))
    except (*NOT_DONE, errors.ChangedMeanwhileError) as error:
        refusal = Refusal.of(error, _OF_PATIENT)
        patient = await parts.patients.get(caller.scope, patient_id)
        changed = isinstance(error, errors.ChangedMeanwhileError)
        shown = _form(written, patient, refusal.sentence, _said(patient) if changed else None)
        return pages.refuse(request, "patient_form.html", shown, refusal, caller=caller)
    return RedirectResponse(f"/patients/{patient_id}", 303)


@router.get("/patients/{patient_id}/remove")
async def page_patient_removal(
    patient_id: str, request: Request, pages: PagesDep, parts: PartsDep, caller: RemoverDep
) -> HTMLResponse:
    """Ask whether a patient is really to be removed."""
    patient = await parts.patients.get(caller.scope, patient_id)
    shown = {"patient": patient, "revision": patient.revision, "form": new_token()}
    return pages.show(request, "patient_removal.html", shown, caller=caller)


@router.post("/patients/{patient_id}/remove")
async def page_remove_patient(
    patient_id: str,
    request: Request,
    parts: PartsDep,
    caller: RemoverDep,
    revision: _Revision = 0,
    form: Token = "",
) -> Response:
    """Remove a patient with lesions and analyses; sent twice, a form leads to the same page."""

    async def work() -> None:
        await parts.patients.remove(caller.scope, patient_id, frozenset({revision}))

    await removed_once(request, caller, parts, form, work)
    return RedirectResponse("/patients", 303)


async def shown_patient(
    parts: Parts, caller: Caller, patient_id: str, **said: str
) -> dict[str, Any]:
    """Return what the page of a patient shows, with the form of a new lesion.

    Raises:
        NotFoundError: there is none of this id within the caller's scope.

    """
    patient = await parts.patients.get(caller.scope, patient_id)
    # A form of a lesion that is refused shows them too, and its path names nobody.
    audit.list_shown((patient.id,))
    lesions = await parts.lesions.page(caller.scope, _A_PAGE, None, patient_id)
    analyses = await parts.history.page(caller.scope, Filters(patient=patient_id), _FEW, None)
    return {
        "patient": PatientView.of(patient),
        "lesions": lesions,
        "analyses": [AnalysisView.of(record) for record in analyses.items],
        "more": analyses.next_cursor is not None,
        "label_names": LABEL_NAMES,
        "sites": BODY_SITES,
        "form": new_token(),
        "refusal": "",
        "body_site": "",
        "note": "",
        **said,
    }


async def _found(
    parts: Parts, caller: Caller, cursor: str | None, name: str = "", identifier: str = ""
) -> paging.Page[Patient]:
    """Return a page of the patients of a number, or else of a name."""
    if identifier:
        return await parts.patients.page(caller.scope, _A_PAGE, cursor, identifier.strip())
    asked = PatientSearch.model_validate({"name": name}).name
    return await parts.patients.named(caller.scope, _A_PAGE, cursor, asked)


def _list(found: paging.Page[Patient], **said: str) -> dict[str, Any]:
    """Say whom a list shows, what was looked for, and why that was refused."""
    return {"patients": found, "identifier": "", "name": "", "refusal": "", **said}


def _values(written: Mapping[str, str]) -> dict[str, Any]:
    """Return what was written as it is kept; what was left empty is not known.

    Raises:
        ValidationError: it does not keep the rules.

    """
    given = {name: text for name, text in written.items() if text.strip()}
    return NewPatient.model_validate({"identifier": "", **given}).model_dump()


def _said(patient: Patient) -> dict[str, str]:
    """Return what is known of a patient as it would be written."""
    return {name: str(getattr(patient, name) or "") for name in _NOTHING}


def _form(
    written: Mapping[str, str],
    patient: Patient | None = None,
    refusal: str = "",
    theirs: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Say what a form has in it, of whom, why it was refused and what somebody else wrote."""
    return {
        "written": written,
        "patient": patient,
        "refusal": refusal,
        "theirs": theirs,
        "form": new_token(),
    }
