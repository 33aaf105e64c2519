"""The tables: what the gateway remembers. They import nothing of ours."""

from sqlalchemy.orm import configure_mappers

from services.gateway.records.accounts import (
    RefreshToken,
    Role,
    SignIn,
    SignInMethod,
    User,
    is_username,
)
from services.gateway.records.analysis import (
    UNFILLED,
    UNFINISHED,
    Analysis,
    Status,
    Time,
    kept_times,
)
from services.gateway.records.api_keys import ApiKey
from services.gateway.records.assessments import REASON_LENGTH, Assessment, Verdict, agrees
from services.gateway.records.attempts import FailedAttempts, FamiliarPlace
from services.gateway.records.audit import AuditHead, AuditRow
from services.gateway.records.base import Record, is_id, new_id, now
from services.gateway.records.batches import Batch
from services.gateway.records.clinical import UNWORDED, Editable, Lesion, Patient, PatientWord
from services.gateway.records.events import EVENT_MEANING, Event, EventCount, EventKind
from services.gateway.records.jobs import Job, new_holder
from services.gateway.records.keeping import Removal, Usage
from services.gateway.records.keyed_requests import KeyedRequest
from services.gateway.records.linked_identities import LinkedIdentity, VouchedSignIn
from services.gateway.records.narratives import Narrative, NarrativeState
from services.gateway.records.organisation import (
    DEFAULT_ORGANISATION,
    Belonging,
    Made,
    Organisation,
    Owned,
)
from services.gateway.records.password_resets import PasswordReset
from services.gateway.records.quota_use import QuotaUse
from services.gateway.records.reports import ReportRequest
from services.gateway.records.second_factors import RecoveryCode, SecondFactor, SignInTicket
from services.gateway.records.stream_tickets import StreamTicket
from services.gateway.records.webhooks import (
    Delivery,
    DeliveryState,
    Disabled,
    Webhook,
    WebhookSecret,
)

__all__ = [
    "DEFAULT_ORGANISATION",
    "EVENT_MEANING",
    "REASON_LENGTH",
    "UNFILLED",
    "UNFINISHED",
    "UNWORDED",
    "Analysis",
    "ApiKey",
    "Assessment",
    "AuditHead",
    "AuditRow",
    "Batch",
    "Belonging",
    "Delivery",
    "DeliveryState",
    "Disabled",
    "Editable",
    "Event",
    "EventCount",
    "EventKind",
    "FailedAttempts",
    "FamiliarPlace",
    "Job",
    "KeyedRequest",
    "Lesion",
    "LinkedIdentity",
    "Made",
    "Narrative",
    "NarrativeState",
    "Organisation",
    "Owned",
    "PasswordReset",
    "Patient",
    "PatientWord",
    "QuotaUse",
    "Record",
    "RecoveryCode",
    "RefreshToken",
    "Removal",
    "ReportRequest",
    "Role",
    "SecondFactor",
    "SignIn",
    "SignInMethod",
    "SignInTicket",
    "Status",
    "StreamTicket",
    "Time",
    "Usage",
    "User",
    "Verdict",
    "VouchedSignIn",
    "Webhook",
    "WebhookSecret",
    "agrees",
    "is_id",
    "is_username",
    "kept_times",
    "new_holder",
    "new_id",
    "now",
]

# Records that are made plainly (`model_construct`) can be read from then on, also where no
# database is ever asked.
configure_mappers()
