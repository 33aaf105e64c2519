"""The findings of an analysis in plain language."""

from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.gateway.analyses import Summary
from services.gateway.dependencies import PartsDep, ReaderDep
from services.gateway.problems import documented
from services.gateway.report_settings import Language

router = APIRouter(tags=["analyses"])


class NarrativeView(BaseModel):
    """Findings in plain language. It stands beside them and changes nothing in them."""

    text: str = Field(
        description="One paragraph of plain text.",
        examples=["The picture is not marked as suspicious."],
    )
    language: Language
    source: Literal["machine", "template"] = Field(
        description="Whether a language model wrote it, or a template was filled in."
    )
    mark: str = Field(
        description="Who wrote it, to be shown with it.",
        examples=["Written by a machine (llm-1) from the findings beside it."],
    )
    model: str | None = Field(description="That wrote it.", examples=["llm-1"])
    written_at: datetime | None = Field(description="When the model did.")
    why_template: Literal["off", "busy", "asked", "failed", "refused"] | None = Field(
        description="Why the template stands in: no model is set, it has too much to do, it is "
        "being asked just now, it failed and may be asked again after five minutes, or what it "
        "wrote may not be shown."
    )

    @classmethod
    def of(cls, summary: Summary) -> Self:
        """Show a summary."""
        return cls(
            text=summary.text,
            language=summary.language,
            source="machine" if summary.model else "template",
            mark=summary.mark,
            model=summary.model,
            written_at=summary.written_at,
            why_template=summary.why,
        )


@router.get("/v1/analyses/{analysis_id}/narrative", responses=documented(401, 403, 404, 409, 422))
async def narrative(
    analysis_id: str,
    caller: ReaderDep,
    parts: PartsDep,
    language: Annotated[Language, Query(description="To tell them in.")] = "en",
) -> NarrativeView:
    """Tell the findings of an analysis in plain language.

    Where the operators have set a language model, it is asked once for each analysis and language,
    told coded findings only, and its text is checked before it is shown. Else, and until there is
    such a text, a template stands in. No finding is ever changed by it.
    """
    record = await parts.history.get(caller.scope, analysis_id)
    return NarrativeView.of(await parts.narratives.of(caller.scope, record, language))
