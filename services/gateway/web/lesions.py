"""A lesion over time: its pictures side by side and aligned, and what has changed."""

from typing import Annotated, Any

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from services.gateway import audit, errors
from services.gateway.analyses import SORTS, Comparison, Filters
from services.gateway.dependencies import (
    EditorDep,
    PartsDep,
    ReaderDep,
    RemoverDep,
)
from services.gateway.findings import LABEL_NAMES
from services.gateway.identity import Caller
from services.gateway.parts import Parts
from services.gateway.records import UNFINISHED, Analysis, Lesion, Status
from services.gateway.routes.analysis_shapes import AnalysisView
from services.gateway.routes.comparisons import MomentView
from services.gateway.routes.lesions import BODY_SITES, LesionChange, LesionView, NewLesion
from services.gateway.subjects import LesionDep
from services.gateway.web.pages import PagesDep
from services.gateway.web.patients import shown_patient
from services.gateway.web.plots import Plot
from services.gateway.web.refusal import NOT_DONE, Refusal
from services.gateway.web.routing import pages_router
from services.gateway.web.sent_once import Token, keyed, new_token, removed_once

router = pages_router()

_MOMENTS = 12
"""How many of the newest pictures are laid over each other on a page."""

_Field = Annotated[str, Form()]
_Id = Annotated[str, Form(pattern=r"^[0-9a-f]{32}$")]
_Revision = Annotated[int, Form(ge=0)]


@router.post("/lesions")
async def page_create_lesion(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: EditorDep,
    patient: _Id,
    body_site: _Field = "",
    note: _Field = "",
    form: Token = "",
) -> Response:
    """Make a lesion of a patient; the same form sent twice makes one."""
    try:
        new = NewLesion.model_validate(
            {"patient": patient, "body_site": body_site or None, "note": note.strip() or None}
        )
        lesion = await parts.once.make(
            caller.user.id,
            keyed(request, form, (new.model_dump_json().encode(),)),
            Lesion,
            lambda made: parts.lesions.create(caller.scope, made, new.model_dump()),
            lambda made: parts.lesions.get(caller.scope, made),
        )
    except NOT_DONE as error:
        refusal = Refusal.of(error)
        written = {"body_site": body_site, "note": note}
        again = refusal.again(form) | written
        shown = await shown_patient(parts, caller, patient, **again)
        return pages.refuse(request, "patient.html", shown, refusal, caller=caller)
    return RedirectResponse(f"/lesions/{lesion.id}", 303)


@router.get("/lesions/{lesion_id}")
async def page_lesion(
    request: Request, pages: PagesDep, parts: PartsDep, caller: ReaderDep, lesion: LesionDep
) -> HTMLResponse:
    """Show a lesion over time."""
    shown = await _shown(parts, caller, lesion)
    return pages.show(request, "lesion.html", shown, caller=caller)


@router.post("/lesions/{lesion_id}/change")
async def page_change_lesion(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: EditorDep,
    lesion: LesionDep,
    revision: _Revision = 0,
    body_site: _Field = "",
    note: _Field = "",
) -> Response:
    """Change where a lesion is and what is noted of it."""
    try:
        change = LesionChange.model_validate(
            {"body_site": body_site or None, "note": note.strip() or None}
        )
        meant = frozenset({revision})
        await parts.lesions.change(caller.scope, lesion.id, meant, change.model_dump())
    except (ValidationError, errors.ChangedMeanwhileError) as error:
        refusal = Refusal.of(error)
        found = await parts.lesions.get(caller.scope, lesion.id)
        written = {"body_site": body_site, "note": note}
        shown = await _shown(parts, caller, found, refusal=refusal.sentence, **written)
        return pages.refuse(request, "lesion.html", shown, refusal, caller=caller)
    return RedirectResponse(f"/lesions/{lesion.id}", 303)


@router.get("/lesions/{lesion_id}/remove")
async def page_lesion_removal(
    request: Request, pages: PagesDep, caller: RemoverDep, lesion: LesionDep
) -> HTMLResponse:
    """Ask whether a lesion is really to be removed."""
    shown = {"lesion": lesion, "revision": lesion.revision, "form": new_token()}
    return pages.show(request, "lesion_removal.html", shown, caller=caller)


@router.post("/lesions/{lesion_id}/remove")
async def page_remove_lesion(
    lesion_id: str,
    request: Request,
    parts: PartsDep,
    caller: RemoverDep,
    revision: _Revision = 0,
    patient: Annotated[str, Form(pattern=r"^([0-9a-f]{32})?$")] = "",
    form: Token = "",
) -> Response:
    """Remove a lesion with its analyses; the same form sent twice leads to the same page."""

    async def work() -> None:
        await parts.lesions.remove(caller.scope, lesion_id, frozenset({revision}))

    await removed_once(request, caller, parts, form, work)
    # Whose it was is not known any more but to the form.
    return RedirectResponse(f"/patients/{patient}" if patient else "/patients", 303)


async def _shown(parts: Parts, caller: Caller, lesion: Lesion, **said: str) -> dict[str, Any]:
    patient = await parts.patients.get(caller.scope, lesion.patient)
    audit.list_shown((patient.id,))
    answered = Filters(lesion=lesion.id, status=Status.SUCCEEDED)
    newest = await parts.history.page(caller.scope, answered, _MOMENTS, None, SORTS["-created_at"])
    records = newest.items[::-1]
    coming = [
        each
        for status in UNFINISHED
        for each in (
            await parts.history.page(
                caller.scope, Filters(lesion=lesion.id, status=status), _MOMENTS, None
            )
        ).items
    ]
    return {
        "lesion": LesionView.of(lesion),
        "revision": lesion.revision,
        "patient": patient,
        "moments": [MomentView.of(record) for record in records],
        "analyses": [AnalysisView.of(record) for record in records],
        "coming": [AnalysisView.of(record) for record in coming],
        "comparisons": await _compared(parts, records),
        "plots": _plots(records),
        "earlier": newest.next_cursor is not None,
        "label_names": LABEL_NAMES,
        "sites": BODY_SITES,
        "refusal": "",
        "body_site": lesion.body_site,
        "note": lesion.note or "",
        **said,
    }


async def _compared(parts: Parts, records: list[Analysis]) -> list[Comparison]:
    """Compare each with the first one that has an outline, onto which it is laid."""
    if not records:
        return []
    base = next((each for each in records if each.mask_sha256), records[0])
    return [await parts.comparisons.compare(base, each) for each in records]


def _plots(records: list[Analysis]) -> list[Plot]:
    moments = [MomentView.of(record) for record in records]
    if not moments:
        return []
    figures = {
        "Malignant probability": ("malignant_probability", 1.0),
        "Share of the picture": ("area_fraction", None),
        "Variety of colours": ("color_variegation", 1.0),
    }
    return [
        Plot.of(title, [(each.created_at, getattr(each, name)) for each in moments], most)
        for title, (name, most) in figures.items()
    ]
