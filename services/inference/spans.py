"""What a trace says of a row: how long it waited, how it ran, and with whom.

Rows run in batches and outside of their requests' tasks, so their steps are written when they
are over, under the span that was current where each row was asked for.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from services import telemetry
from services.inference.batch import Batch
from services.inference.line import Waiting

if TYPE_CHECKING:  # OpenTelemetry is there only where traces are wanted
    from services.telemetry.traces import Span


class RowSpans:
    """Writes the steps of the rows of one stage."""

    def __init__(self, name: str, **attributes: str) -> None:
        """Build from what the step is called, and what is known of every run of it."""
        self._name = name
        self._attributes: Mapping[str, str] = {
            f"dermserve.{key}": value for key, value in attributes.items()
        }

    def caller(self) -> Span | None:
        """Return the span that this task is in, if it is recorded."""
        return telemetry.recorded_span()

    def ran(self, batch: Batch[Any, Any], shape: int, seconds: float, *, well: bool) -> None:
        """Write a batch, for each of its rows whose request is recorded."""
        callers: list[Span] = [row.caller for row in batch.rows if row.caller is not None]
        if not callers:
            return
        attributes = self._of(batch, shape)
        for row in batch.rows:
            if row.caller is not None:
                if row.queued:
                    row.caller.step("queue", row.arrived, batch.began, self._attributes)
                row.caller.step(
                    self._name,
                    batch.began,
                    batch.began + seconds,
                    attributes,
                    failed=not well,
                    mates=[mate for mate in callers if mate is not row.caller],
                )

    def _of(self, batch: Batch[Any, Any], shape: int) -> dict[str, str | int]:
        """Return what is to be said of a run."""
        return {
            **self._attributes,
            "dermserve.batch_size": len(batch.rows),
            "dermserve.batch_rows": shape,
        }

    def left(self, row: Waiting[Any]) -> None:
        """Write that a row waited and never ran."""
        if row.caller is not None:
            # The event loop counts its time on the monotonic clock.
            now = time.monotonic()
            row.caller.step("queue", row.arrived, now, self._attributes, failed=True)


class ModelSpans(RowSpans):
    """Writes the steps of the rows of one version of a model."""

    def __init__(self, stage: str, model_version: str) -> None:
        """Build from the model's name and its version."""
        super().__init__("run", stage=stage, model_version=model_version)

    def _of(self, batch: Batch[Any, Any], shape: int) -> dict[str, str | int]:
        """Say what ran the batch too, as its answers do; without any nobody knows."""
        said = super()._of(batch, shape)
        if (outputs := batch.an_output()) is not None:
            said["dermserve.execution_provider"] = outputs.provenance.execution_provider
        return said
