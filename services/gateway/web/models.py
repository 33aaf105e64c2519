"""Models and their versions, and how well they did, at the pages for administrators."""

from typing import Any, NamedTuple

from fastapi import Request
from fastapi.responses import HTMLResponse

from services.gateway import errors
from services.gateway.clients.models import Lineup, Model
from services.gateway.dependencies import AdminDep, AnalysisDeadlineDep, PartsDep
from services.gateway.findings import LABEL_NAMES
from services.gateway.web import reliability
from services.gateway.web.pages import PagesDep
from services.gateway.web.refusal import Refusal
from services.gateway.web.reliability import Diagram
from services.gateway.web.routing import pages_router

router = pages_router()


class Shown(NamedTuple):
    """A version, with its diagrams where it is a classifier that was measured."""

    model: Model
    diagrams: list[Diagram]


@router.get("/admin/models")
async def page_models(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: AdminDep,
    deadline: AnalysisDeadlineDep,
) -> HTMLResponse:
    """Show all versions of the models; that inference is down is said in their place."""
    lineup, failure = Lineup([], []), ""
    try:
        lineup = await parts.inference.lineup(deadline)
    except errors.GatewayError as error:
        failure = Refusal.of(error).sentence
    shown: dict[str, Any] = {
        "versions": [Shown(model, _diagrams(model)) for model in lineup.models],
        "pending": lineup.pending,
        "failure": failure,
        "label_names": LABEL_NAMES,
        "side": reliability.SIDE,
        "columns": reliability.COLUMNS,
    }
    return pages.show(request, "models.html", shown, caller=caller)


def _diagrams(model: Model) -> list[Diagram]:
    found = model.evaluation.classifier
    if found is None:
        return []
    of_label = "The label given was the diagnosis"
    return [
        Diagram.of("label", "Probability of the label given", of_label, found.of_label),
        Diagram.of(
            "malignant", "Malignant probability", "The lesion was malignant", found.of_malignancy
        ),
    ]
