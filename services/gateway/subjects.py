"""The records that paths name, for whoever may see them."""

from typing import Annotated

from fastapi import Depends

from services.gateway.dependencies import PartsDep, ReaderDep
from services.gateway.records import Analysis, Batch, Lesion


async def the_analysis(analysis_id: str, caller: ReaderDep, parts: PartsDep) -> Analysis:
    """Return it; raises as ``History.get`` does."""
    return await parts.history.get(caller.scope, analysis_id)


async def the_batch(batch_id: str, caller: ReaderDep, parts: PartsDep) -> Batch:
    """Return it; raises as ``Batches.find`` does."""
    return await parts.batches.find(caller.scope, batch_id)


async def the_lesion(lesion_id: str, caller: ReaderDep, parts: PartsDep) -> Lesion:
    """Return it; raises as ``Lesions.get`` does."""
    return await parts.lesions.get(caller.scope, lesion_id)


AnalysisDep = Annotated[Analysis, Depends(the_analysis)]
BatchDep = Annotated[Batch, Depends(the_batch)]
LesionDep = Annotated[Lesion, Depends(the_lesion)]
