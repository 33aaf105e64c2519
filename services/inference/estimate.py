"""A figure that was measured on a sample, and how sure it is."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, FiniteFloat, model_validator

FROZEN = ConfigDict(frozen=True)


class Interval(BaseModel):
    """The 95 % interval of a figure, bootstrapped by lesion."""

    model_config = FROZEN

    low: FiniteFloat
    high: FiniteFloat

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low > self.high:
            raise ValueError("an interval ends before it begins")
        return self


class Estimate(Interval):
    """A figure with its 95 % interval, which need not be around it: some figures are biased."""

    value: FiniteFloat


def _defined(written: object) -> object:
    undefined = isinstance(written, Mapping) and None in written.values()
    return None if undefined else written


MaybeEstimate = Annotated[Estimate | None, BeforeValidator(_defined)]
"""A figure; None where it is not defined, as a sensitivity is without a positive case."""


def estimate(written: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return a figure as it was written; None where it is not defined or not written at all."""
    return written if written and _defined(written) else None
