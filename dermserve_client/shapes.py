"""What the gateway answers, typed. What a later gateway says beside it is let pass."""

from datetime import date, datetime
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Editable(_Shape):
    """A record that can be changed.

    ``etag`` names the revision that was seen; None in lists, which do not tell it.
    """

    etag: str | None = Field(None, exclude=True)

    def if_match(self) -> dict[str, str]:
        """Return the header of a change that is meant for what was seen."""
        if self.etag is None:
            raise ValueError("get the record first: a list does not tell its revision")
        return {"If-Match": self.etag}


_Item = TypeVar("_Item", bound=_Shape)


class Page(_Shape, Generic[_Item]):
    """Some of a list."""

    items: list[_Item]
    next_cursor: str | None


class Tokens(_Shape):
    """Proof of who is asking."""

    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int


class User(_Shape):
    """A user."""

    id: str
    organisation_id: str
    username: str
    role: str
    roles: list[str]
    disabled: bool
    created_at: datetime


class ApiKey(_Shape):
    """A key of a service; ``key`` is told only when it was just made."""

    id: str
    user_id: str
    name: str
    beginning: str
    permissions: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    key: str | None = None


class Patient(_Editable):
    """A patient."""

    id: str
    created_at: datetime
    identifier: str
    issuer: str
    name: str | None
    birth_date: date | None
    sex: str | None


class Lesion(_Editable):
    """A lesion of a patient."""

    id: str
    created_at: datetime
    patient: str
    body_site: str | None
    note: str | None


class Image(_Shape):
    """A picture as it is kept."""

    sha256: str
    width: int
    height: int
    format: str


class Classification(_Shape):
    """Calibrated probabilities of the seven labels; a prediction, not a diagnosis."""

    label: str
    label_name: str
    probabilities: dict[str, float]
    malignant_probability: float
    suspicious: bool
    suspicious_threshold: float


class Segmentation(_Shape):
    """Measures of the outlined lesion; the box is x, y, width, height in pixels."""

    area_fraction: float
    bounding_box: tuple[int, int, int, int]
    asymmetry: float
    border_irregularity: float
    color_variegation: float


class Quality(_Shape):
    """Whether the picture may be judged, and why not."""

    acceptable: bool
    reasons: list[str]


class ModelVersion(_Shape):
    """Which model it was, and what ran it."""

    name: str
    version: str
    sha256: str
    execution_provider: str | None = None
    precision: str | None = None
    variant_of: str | None = None


class Method(_Shape):
    """How the picture was prepared and judged."""

    preprocessing: str
    thresholds: dict[str, float]


class Timings(_Shape):
    """Where inference spent its time, in milliseconds."""

    queue_ms: float
    run_ms: float
    total_ms: float


class Findings(_Shape):
    """What is found in a picture."""

    classification: Classification | None
    segmentation: Segmentation | None
    quality: Quality
    models: list[ModelVersion]
    method: Method | None = None
    timings: Timings
    notice: str


class Failure(_Shape):
    """Why there is no answer, as ``ProblemError`` would have said it."""

    type: str
    title: str
    status: int
    detail: str


class Assessment(_Editable):
    """What a clinician says of an answer, beside it."""

    verdict: str
    agrees: bool
    reason: str | None
    username: str
    assessed_at: datetime
    revision: int


class AssessmentStep(_Shape):
    """One step in the history of an assessment; ``verdict`` is None where it was withdrawn."""

    id: str
    created_at: datetime
    user_id: str
    username: str
    verdict: str | None
    reason: str | None


class Analysis(_Shape):
    """The whole answer about one picture; what only an answer has is None until there is one."""

    id: str
    created_at: datetime
    status: str
    outcome: str | None
    problem: Failure | None
    batch: str | None
    file_name: str | None
    image: Image | None
    patient: str | None
    lesion: str | None
    patient_id: str | None
    patient_name: str | None
    lesion_id: str | None
    body_site: str | None
    note: str | None
    classification: Classification | None
    segmentation: Segmentation | None
    quality: Quality | None
    models: list[ModelVersion]
    method: Method | None = None
    timings: Timings | None
    assessment: Assessment | None = None
    notice: str | None


class Batch(_Shape):
    """Pictures that came together, and how many of them are how far."""

    id: str
    created_at: datetime
    pictures: int
    finished: bool
    queued: int
    running: int
    succeeded: int
    failed: int


class Event(_Shape):
    """Something that happened to the record ``subject_id``."""

    id: str
    kind: str
    subject_id: str
    created_at: datetime


class Missed(_Shape):
    """Stands for events that are not told, if there were any: read the lists."""


class Ticket(_Shape):
    """What opens one WebSocket within some seconds: ``/v1/events?ticket=…``."""

    ticket: str
    expires_in: int


class Narrative(_Shape):
    """Findings told in a paragraph; ``mark`` says who wrote it and is to be shown with it."""

    text: str
    language: str
    source: str
    mark: str
    model: str | None
    written_at: datetime | None
    why_template: str | None


class Line(_Shape):
    """Pictures that wait for their analysis, and those that are being analyzed."""

    queued: int
    running: int
    oldest_at: datetime | None


class System(_Shape):
    """How a gateway is, for administrators."""

    version: str
    started_at: datetime
    database: str
    checks: dict[str, str]
    line: Line


class ResetCode(_Shape):
    """What somebody who forgot their password chooses another one with, once."""

    code: str
    expires_at: datetime


class Webhook(_Editable):
    """A receiver that is told what happens; ``secret`` is told only when it was just made."""

    id: str
    created_at: datetime
    url: str
    description: str
    kinds: list[str]
    disabled: bool
    disabled_because: str | None
    failing_since: datetime | None
    secret: str | None = None


class WebhookSecret(_Shape):
    """What messages of a webhook are signed with."""

    id: str
    created_at: datetime
    secret: str


class Delivery(_Shape):
    """A message for a webhook, and how far it is."""

    id: str
    message_id: str
    kind: str
    subject_id: str | None
    occurred_at: datetime
    created_at: datetime
    state: str
    attempts: int
    attempted_at: datetime | None
    status_code: int | None
    error: str | None
    next_at: datetime | None


class ReportRequest(_Shape):
    """A report that somebody asked for: ``given``, or ``refused`` with the type of the problem."""

    id: str
    created_at: datetime
    user_id: str
    outcome: str
    sha256: str | None
    size_bytes: int | None
    problem: str | None


class Tolerance(_Shape):
    """How far two answers may differ and still agree."""

    probability: float
    mask: float


class Replay(_Shape):
    """A second answer beside the first; differences are null where there is nothing to compare."""

    analysis_id: str
    agrees: bool
    picture_intact: bool
    same_method: bool
    same_outcome: bool
    probability_difference: float | None
    mask_difference: float | None
    tolerance: Tolerance
    now: Findings | None


class Interval(_Shape):
    """The 95 % interval of a figure."""

    low: float
    high: float


class Evaluation(_Shape):
    """How well a model did, and on what.

    ``intervals`` has those that are known, by the names of ``metrics``; a gateway of before tells
    none.
    """

    evaluated_on: str
    metrics: dict[str, float]
    intervals: dict[str, Interval] = Field(default_factory=dict)


class Model(_Shape):
    """A version of a model that answers now."""

    name: str
    version: str
    version_label: str
    traffic_share: float
    sha256: str
    labels: list[str]
    execution_provider: str
    evaluation: Evaluation


class Readiness(_Shape):
    """What can be done now: ``ready``, or ``degraded`` where something is down."""

    status: str
    checks: dict[str, str]


class Rate(_Shape):
    """So many of so many, with the 95 % Wilson interval of the share; no share of none."""

    count: int
    of: int
    rate: float | None
    low: float | None
    high: float | None


class Latency(_Shape):
    """How long inference took, in milliseconds."""

    count: int
    median_ms: int | None
    p95_ms: int | None


class Figures(_Shape):
    """What some analyses come to; a gateway of before does not tell what models waited and ran."""

    analyses: int
    status: dict[str, int]
    labels: dict[str, int]
    suspicious: Rate
    cannot_assess: Rate
    cannot_assess_reasons: dict[str, int]
    agreement: Rate
    latency: Latency
    queue_time: Latency | None = None
    run_time: Latency | None = None


class Period(Figures):
    """The same for some days, ``until`` being the day after the last."""

    since: date
    until: date


class Statistics(_Shape):
    """What analyses come to, as a whole and over time."""

    since: date
    until: date
    interval: str
    time_zone: str
    records: str
    whole: Figures
    periods: list[Period]
