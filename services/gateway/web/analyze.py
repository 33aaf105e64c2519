"""Sending pictures to be analyzed."""

import asyncio
import contextlib
import hashlib
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import RedirectResponse, Response

from services.gateway import audit, errors, tolls
from services.gateway.analyses import Subject
from services.gateway.dependencies import EditorDep, PartsDep, SenderDep
from services.gateway.identity import Caller
from services.gateway.parts import Parts
from services.gateway.records import Analysis, Lesion, Patient, new_id
from services.gateway.routes.sending import analyzed
from services.gateway.uploads import Upload
from services.gateway.web.body_map import BODY_SITES, ELSEWHERE, REGIONS
from services.gateway.web.pages import PagesDep
from services.gateway.web.refusal import Refusal
from services.gateway.web.routing import pages_router
from services.gateway.web.sent_once import patiently

router = pages_router()

_KEY = "key"
"""The hidden field that makes a form safe to send twice."""

_KEY_LENGTH = 64

_LAST = "note"
"""The last text field of the form: with it, all that was written has arrived."""

_CHOSEN = ("patient", "lesion")
_CHOICES = 100
_Id = Annotated[str, Query(pattern=r"^[0-9a-f]{32}$")]


@router.get("/analyze")
async def page_analyze(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: EditorDep,
    patient: _Id | None = None,
    lesion: _Id | None = None,
) -> Response:
    """Ask for pictures, and for what there is to say of them."""
    fields = {name: value for name, value in (("patient", patient), ("lesion", lesion)) if value}
    values = await _form(caller, parts, fields)
    return pages.show(request, "analyze.html", values, caller=caller)


@router.post("/analyze")
async def page_analyze_picture(
    request: Request, pages: PagesDep, parts: PartsDep, caller: SenderDep
) -> Response:
    """Analyze one picture, for browsers without scripts; they are led to the result."""
    heard: dict[str, str] | None = None
    try:
        tolls.settle(request)
        with parts.places.taken(caller.user.id):
            heard = {}
            upload = await parts.bodies.read(request, heard)
            record = await _analyzed(request, caller, parts, upload)
    except errors.GatewayError as error:
        if heard is None:
            heard = await parts.bodies.texts(request, caller.user.id)
        refusal = Refusal.of(error)
        values = await _refused(request, caller, parts, heard, refusal.sentence)
        if heard.get(_KEY) and not isinstance(error, errors.KeySpentError):
            # The same picture may be about to be analyzed; another one is known by itself.
            values["key"] = values["fields"][_KEY][:_KEY_LENGTH]
        return pages.refuse(request, "analyze.html", values, refusal, caller=caller)
    return RedirectResponse(f"/analyses/{record.id}", 303)


async def _analyzed(request: Request, caller: Caller, parts: Parts, sent: Upload) -> Analysis:
    """Return the analysis of what a form brought, or the one that the same form has made."""
    said = {name: text for name, text in sent.fields.items() if name != _KEY and text.strip()}
    # A lesion names its patient: whoever is typed beside it may be another.
    if {"patient", "lesion"} & said.keys() and {"patient_id", "patient_name"} & said.keys():
        raise errors.InvalidRequestError(
            "Choose a patient or one of their lesions, or type number and name, not both."
        )
    upload = Upload(sent.picture, said)
    key = sent.fields.get(_KEY)
    if key:
        # Whoever comes back to the form and sends something else with it means something else.
        key = f"{key[:_KEY_LENGTH]}.{await asyncio.to_thread(_digest, upload)}"
    return await patiently(parts, lambda: analyzed(request, caller, parts, upload, key or None))


def _digest(upload: Upload) -> str:
    told = hashlib.sha256()
    for part in upload.parts:
        told.update(len(part).to_bytes(8))
        told.update(part)
    return told.hexdigest()


async def _refused(
    request: Request, caller: Caller, parts: Parts, heard: Mapping[str, str], sentence: str
) -> dict[str, Any]:
    """Return what the form shows again: what was said, as far as it was heard."""
    # Some charsets make surrogates, which no page can have.
    fields = {name: text.encode(errors="replace").decode() for name, text in heard.items()}
    told = {"refusal": sentence, "heard_all": _LAST in fields}
    if tolls.is_settled(request):
        return await _form(caller, parts, fields) | told
    # Who has spent their quota is looked up nothing: what was chosen is kept without its name.
    kept = {name: fields[name] for name in _CHOSEN if fields.get(name)}
    return _shown(parts, fields, [], {}) | told | {"kept": kept}


async def _form(caller: Caller, parts: Parts, fields: Mapping[str, str]) -> dict[str, Any]:
    """Return what the form shows: what may be chosen, and what was said."""
    return _shown(parts, fields, *await _choices(caller, parts, fields))


def _shown(
    parts: Parts,
    fields: Mapping[str, str],
    patients: list[Patient],
    lesions: dict[str, list[Lesion]],
) -> dict[str, Any]:
    max_bytes, max_pixels, max_side = parts.picture_limits
    site = fields.get("body_site", "")
    return {
        "fields": {**dict.fromkeys(Subject.model_fields, ""), **fields},
        "patients": patients,
        "lesions": lesions,
        "regions": REGIONS,
        "elsewhere": ELSEWHERE if site in ("", *BODY_SITES) else (*ELSEWHERE, site),
        "max_bytes": max_bytes,
        "max_pixels": max_pixels,
        "max_side": max_side,
        "key": new_id(),
        "kept": {},
        "refusal": "",
    }


async def _choices(
    caller: Caller, parts: Parts, fields: Mapping[str, str]
) -> tuple[list[Patient], dict[str, list[Lesion]]]:
    """Return the newest patients, and their newest lesions by patient; with those that are meant.

    What is meant and is not there is not offered. Of a patient who is meant, there are as many of
    their own lesions, however many newer ones others have.
    """
    scope = caller.scope
    lesions = (await parts.lesions.page(scope, _CHOICES, None)).items
    patients = (await parts.patients.page(scope, _CHOICES, None)).items
    meant = fields.get("lesion")
    if meant and meant not in {each.id for each in lesions}:
        with contextlib.suppress(errors.NotFoundError):
            lesions.insert(0, await parts.lesions.get(scope, meant))
    owners = {fields.get("patient", ""), *(each.patient for each in lesions if each.id == meant)}
    for owner in owners - {""}:
        listed = {each.id for each in lesions}
        theirs = (await parts.lesions.page(scope, _CHOICES, None, owner)).items
        lesions += [each for each in theirs if each.id not in listed]
    for missing in owners - {each.id for each in patients} - {""}:
        with contextlib.suppress(errors.NotFoundError):
            patients.insert(0, await parts.patients.get(scope, missing))
    audit.list_shown(each.id for each in (*patients, *lesions))
    return patients, {
        patient.id: theirs
        for patient in patients
        if (theirs := [each for each in lesions if each.patient == patient.id])
    }
