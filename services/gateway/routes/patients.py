"""Patients."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from services.gateway import name_words
from services.gateway.dependencies import (
    Cursor,
    EditorDep,
    KeyedDep,
    Limit,
    PartsDep,
    ReaderDep,
    RemoverDep,
    WriterDep,
)
from services.gateway.problems import documented
from services.gateway.records import Patient
from services.gateway.routes.revision import RevisionsDep, etag
from services.gateway.text import FilledText, Text

router = APIRouter(tags=["patients"])

Sex = Literal["male", "female", "other", "unknown"]
_OLDEST = date(1850, 1, 1)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _spelled_out(born: object) -> object:
    """Refuse numbers and moments, which would be cut down to a day."""
    if isinstance(born, str) and _DATE.fullmatch(born):
        return born
    raise ValueError("must be a date, as RFC 3339 writes it")


def _in_the_past(born: date) -> date:
    # Somewhere it is tomorrow already.
    if not _OLDEST <= born <= datetime.now(UTC).date() + timedelta(days=1):
        raise ValueError("must be between 1850 and today")
    return born


_Identifier = Annotated[FilledText, Field(max_length=64)]
_Issuer = Annotated[Text, Field(max_length=200)]
_Name = Annotated[Text, Field(max_length=name_words.NAME_LENGTH)]
_BirthDate = Annotated[date, BeforeValidator(_spelled_out), AfterValidator(_in_the_past)]


class NewPatient(BaseModel):
    """A patient."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    identifier: _Identifier = Field(description="The patient's number.", examples=["4711"])
    issuer: _Issuer = Field(
        "", description="Who gave the number; empty for the organisation itself."
    )
    name: _Name | None = None
    birth_date: _BirthDate | None = None
    sex: Sex | None = Field(None, description="FHIR's administrative gender.")


class PatientChange(BaseModel):
    """What to change of a patient; what is left out stays."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    # What is not sent is not looked at; a default would say what it is taken for.
    identifier: _Identifier = Field(default_factory=str, description="The patient's number.")
    issuer: _Issuer = Field(default_factory=str, description="Who gave the number.")
    name: _Name | None = None
    birth_date: _BirthDate | None = None
    sex: Sex | None = None


def _to_be_looked_for(name: str) -> str:
    name_words.asked(name)
    return name


class PatientSearch(BaseModel):
    """Whom to look for."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: Annotated[
        FilledText,
        Field(
            max_length=name_words.NAME_LENGTH,
            description="Words, or their beginnings: each must begin a word of the name, in any "
            "order. Neither case nor accents count. At least "
            f"{name_words.LEAST_ASKED} characters, or one of a writing without case; at most "
            f"{name_words.MOST_ASKED} words.",
            examples=["exam"],
        ),
        AfterValidator(_to_be_looked_for),
    ]


class PatientView(BaseModel):
    """A patient."""

    id: str
    created_at: datetime
    identifier: str
    issuer: str
    name: str | None
    birth_date: date | None
    sex: Sex | None

    @classmethod
    def of(cls, patient: Patient) -> Self:
        """Show a patient."""
        return cls.model_validate(patient.model_dump())


class PatientPage(BaseModel):
    """Some patients, newest first."""

    items: list[PatientView]
    next_cursor: str | None


@router.post("/v1/patients", status_code=201, responses=documented(401, 403, 409, 413, 422))
async def create_patient(
    new: NewPatient, response: Response, caller: WriterDep, parts: PartsDep, keyed: KeyedDep
) -> PatientView:
    """Make a patient; there is one of each identifier and issuer."""
    patient = await parts.once.make(
        caller.user.id,
        keyed,
        Patient,
        lambda made: parts.patients.create(caller.scope, made, new.model_dump()),
        lambda made: parts.patients.get(caller.scope, made),
    )
    response.headers["Location"] = f"/v1/patients/{patient.id}"
    response.headers["ETag"] = etag(patient)
    return PatientView.of(patient)


@router.get("/v1/patients", responses=documented(401, 403, 422))
async def patients(
    caller: ReaderDep,
    parts: PartsDep,
    limit: Limit = 50,
    cursor: Cursor = None,
    identifier: Annotated[
        Text | None, Query(max_length=64, description="Only those with this number.")
    ] = None,
    issuer: Annotated[
        Text | None, Query(max_length=200, description="Only those with a number of this issuer.")
    ] = None,
) -> PatientPage:
    """List patients, newest first."""
    page = await parts.patients.page(caller.scope, limit, cursor, identifier, issuer)
    items = [PatientView.of(patient) for patient in page.items]
    return PatientPage(items=items, next_cursor=page.next_cursor)


@router.post("/v1/patient-search", responses=documented(401, 403, 413, 422))
async def search_patients(
    search: PatientSearch,
    caller: ReaderDep,
    parts: PartsDep,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PatientPage:
    """List patients of a name, newest first; it changes nothing.

    The name goes in the body, so that no address has it, and no log of one on the way.
    """
    page = await parts.patients.named(caller.scope, limit, cursor, search.name)
    items = [PatientView.of(patient) for patient in page.items]
    return PatientPage(items=items, next_cursor=page.next_cursor)


@router.get("/v1/patients/{patient_id}", responses=documented(401, 403, 404))
async def patient(
    patient_id: str, response: Response, caller: ReaderDep, parts: PartsDep
) -> PatientView:
    """Show a patient; `ETag` names the revision."""
    found = await parts.patients.get(caller.scope, patient_id)
    response.headers["ETag"] = etag(found)
    return PatientView.of(found)


_CHANGE: dict[str, Any] = {"responses": documented(401, 403, 404, 409, 412, 413, 422, 428)}


@router.patch("/v1/patients/{patient_id}", **_CHANGE)
async def change_patient(
    patient_id: str,
    change: PatientChange,
    response: Response,
    # Who calls is asked before what the change is meant for.
    caller: EditorDep,
    revisions: RevisionsDep,
    parts: PartsDep,
) -> PatientView:
    """Change a patient, if it is still of the revision that `If-Match` names."""
    values = change.model_dump(exclude_unset=True)
    changed = await parts.patients.change(caller.scope, patient_id, revisions, values)
    response.headers["ETag"] = etag(changed)
    return PatientView.of(changed)


@router.delete(
    "/v1/patients/{patient_id}",
    status_code=204,
    responses=documented(401, 403, 404, 412, 422, 428),
)
async def delete_patient(
    patient_id: str, caller: RemoverDep, revisions: RevisionsDep, parts: PartsDep
) -> None:
    """Remove a patient with their lesions and analyses.

    They are gone from every answer at once, and for good with the next purge after the retention.
    """
    await parts.patients.remove(caller.scope, patient_id, revisions)
