"""What routes take and give, as JSON."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field

from services.gateway.clients import Model
from services.gateway.findings import Classification, ModelVersion, Quality, Segmentation, Timings
from services.gateway.identity import TokenPair
from services.gateway.records import Analysis, Organisation, Role, User
from services.gateway.security import passwords

Label = Literal["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]

NewPassword = Annotated[
    str,
    Field(
        min_length=passwords.MIN_LENGTH,
        max_length=passwords.MAX_LENGTH,
        description="Any characters. Refused when it is among the first that others would try.",
    ),
]


class Registration(BaseModel):
    """A new account."""

    username: str = Field(
        min_length=1,
        max_length=64,
        description="Letters, digits and . _ @ + -; upper and lower case are the same.",
    )
    password: NewPassword


class PasswordChange(BaseModel):
    """A new password, and the one that it replaces."""

    model_config = {"extra": "forbid"}

    current_password: str = Field(max_length=passwords.MAX_LENGTH)
    new_password: NewPassword


class RefreshRequest(BaseModel):
    """A refresh token: to exchange it, or to end its sign-in."""

    refresh_token: str = Field(max_length=256)


class Tokens(BaseModel):
    """Proof of who the caller is."""

    access_token: str = Field(description="Send it as `Authorization: Bearer …`.")
    refresh_token: str = Field(description="Good for one use at `/v1/auth/refresh`.")
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - its name in OAuth 2
    expires_in: int = Field(description="Seconds that the access token is good for.")

    @classmethod
    def of(cls, pair: TokenPair) -> Self:
        """Show a pair of tokens."""
        return cls(
            access_token=pair.access_token,
            refresh_token=pair.refresh_token,
            expires_in=pair.expires_in,
        )


class UserView(BaseModel):
    """A user."""

    id: str
    organisation_id: str
    username: str
    role: Role
    roles: list[Role]
    disabled: bool
    created_at: datetime

    @classmethod
    def of(cls, user: User) -> Self:
        """Show a user, without the password's hash."""
        return cls(
            id=user.id,
            organisation_id=user.organisation_id,
            username=user.username,
            role=Role(user.role),
            roles=[Role(user.role)],
            disabled=user.disabled,
            created_at=user.created_at,
        )


class NewUser(Registration):
    """An account that an administrator makes."""

    model_config = {"extra": "forbid"}

    role: Role = Role.CLINICIAN


class OrganisationView(BaseModel):
    """Those who work together."""

    id: str
    name: str
    shared: bool = Field(
        description="Whether its users see each other's records, or only their own."
    )
    created_at: datetime

    @classmethod
    def of(cls, organisation: Organisation) -> Self:
        """Show an organisation."""
        return cls.model_validate(organisation.model_dump())


class UserChange(BaseModel):
    """What to change of a user; what is left out stays."""

    model_config = {"extra": "forbid"}

    role: Role | None = None
    disabled: bool | None = None


class UserPage(BaseModel):
    """Some users, newest first."""

    items: list[UserView]
    next_cursor: str | None


class ImageView(BaseModel):
    """The picture as it is kept: upright, and without anything but pixels."""

    sha256: str
    width: int
    height: int
    format: Literal["jpeg", "png"]


class AnalysisView(BaseModel):
    """Our whole answer about one picture."""

    id: str
    created_at: datetime
    status: Literal["queued", "running", "succeeded", "failed"]
    outcome: Literal["assessed", "cannot_assess"]
    image: ImageView
    patient_id: str | None
    patient_name: str | None
    lesion_id: str | None
    body_site: str | None
    note: str | None
    classification: Classification | None
    segmentation: Segmentation | None
    quality: Quality
    models: list[ModelVersion]
    timings: Timings
    notice: str

    @classmethod
    def of(cls, record: Analysis) -> Self:
        """Show an analysis."""
        return cls.model_validate(
            {
                "id": record.id,
                "created_at": record.created_at,
                "status": record.status,
                "outcome": record.outcome,
                "image": {
                    "sha256": record.image_sha256,
                    "width": record.width,
                    "height": record.height,
                    "format": record.image_format,
                },
                "patient_id": record.patient_id,
                "patient_name": record.patient_name,
                "lesion_id": record.lesion_id,
                "body_site": record.body_site,
                "note": record.note,
                **record.findings,
            }
        )


class AnalysisPage(BaseModel):
    """Some analyses, newest first."""

    items: list[AnalysisView]
    next_cursor: str | None


class EvaluationView(BaseModel):
    """How well a model did, and on what."""

    evaluated_on: str
    metrics: dict[str, float]


class ModelView(BaseModel):
    """A version of a model that answers now: the stable one, or a canary for some pictures."""

    name: str
    version: str
    version_label: str
    traffic_share: float
    sha256: str
    labels: list[str]
    execution_provider: str
    evaluation: EvaluationView

    @classmethod
    def of(cls, model: Model) -> Self:
        """Show a model."""
        return cls(
            name=model.name,
            version=model.version,
            version_label=model.version_label,
            traffic_share=model.traffic_share,
            sha256=model.sha256,
            labels=model.labels,
            execution_provider=model.execution_provider,
            evaluation=EvaluationView(evaluated_on=model.evaluated_on, metrics=dict(model.metrics)),
        )


class ModelPage(BaseModel):
    """The models that answer now."""

    items: list[ModelView]
    next_cursor: None = None
