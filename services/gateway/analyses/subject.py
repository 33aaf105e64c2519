"""Whose skin and which spot: what the sender may say about a picture."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from services.gateway import errors, faults
from services.gateway.text import Text


def _none_if_blank(text: object) -> object:
    return None if isinstance(text, str) and not text.strip() else text


_Blank = BeforeValidator(_none_if_blank)


class Subject(BaseModel):
    """The optional text fields beside a picture."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    patient: Annotated[Text | None, _Blank] = Field(
        None, max_length=32, description="Id of a patient of yours, made at `/v1/patients`."
    )
    lesion: Annotated[Text | None, _Blank] = Field(
        None, max_length=32, description="Id of a lesion of yours, which says the patient too."
    )
    patient_id: Annotated[Text | None, _Blank] = Field(None, max_length=64)
    patient_name: Annotated[Text | None, _Blank] = Field(None, max_length=200)
    lesion_id: Annotated[Text | None, _Blank] = Field(None, max_length=64)
    body_site: Annotated[Text | None, _Blank] = Field(None, max_length=100)
    note: Annotated[Text | None, _Blank] = Field(None, max_length=2000)

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> Self:
        """Check text fields.

        Raises:
            InvalidRequestError: one is unknown, too long or unprintable; the sentence names it.

        """
        try:
            return cls.model_validate(dict(fields))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            name = str(first["loc"][0])
            if first["type"] == "extra_forbidden":
                known = ", ".join(cls.model_fields)
                sentence = f"There is no field {name[:64]!r}. Beside pictures there are {known}."
            else:
                sentence = f"{name}: {faults.message(first)}."
            raise errors.InvalidRequestError(sentence) from error
