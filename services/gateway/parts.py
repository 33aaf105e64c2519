"""All that a process of the gateway owns."""

from collections.abc import Callable
from dataclasses import dataclass

from services.gateway import audit, limits
from services.gateway.analyses import (
    Analyzer,
    Assessments,
    Comparisons,
    History,
    Limits,
    Narratives,
    Replays,
    Views,
)
from services.gateway.batches import Batches, Intake, Reading
from services.gateway.clients import Inference
from services.gateway.clinical import Lesions, Patients
from services.gateway.evaluations import Evaluations
from services.gateway.events import Feed, Streams
from services.gateway.exposition import Exposition
from services.gateway.health import Health
from services.gateway.identity import (
    Access,
    Accounts,
    ApiKeys,
    OwnSignIns,
    PasswordResets,
    Passwords,
    PasswordSignIns,
    SecondFactors,
    SignIns,
    Tickets,
    VouchedSignIns,
)
from services.gateway.jobs import Submissions
from services.gateway.metrics import Metrics
from services.gateway.once import Once
from services.gateway.outflow import Terms
from services.gateway.places import Places
from services.gateway.reports import Reporter, ReportRequests, ReportTerms
from services.gateway.security.key_ring import KeyRing
from services.gateway.space import Space
from services.gateway.statistics import Statistics
from services.gateway.storage_quotas import StorageQuotas
from services.gateway.system import System
from services.gateway.uploads import Bodies
from services.gateway.webhooks import Deliveries, Dispatcher, Webhooks


@dataclass(frozen=True, slots=True)
class Parts:
    """All that the process owns and routes use."""

    access: Access
    accounts: Accounts
    address_quota: limits.Quota
    analyzer: Analyzer
    api_keys: ApiKeys
    assessments: Assessments
    bad_token_quota: limits.Quota
    batch_places: Places
    batches: Batches
    bodies: Bodies
    caller_quota: limits.Quota
    comparisons: Comparisons
    evaluations: Evaluations
    exposition: Exposition
    feed: Feed
    deliveries: Deliveries
    dispatcher: Dispatcher
    downloads: Places
    health: Health
    history: History
    inference: Inference
    intake: Intake
    keys: KeyRing
    ledger: audit.Ledger
    lesions: Lesions
    metrics: Metrics
    narratives: Narratives
    new_reading: Callable[[], Reading]
    once: Once
    own_sign_ins: OwnSignIns
    password_resets: PasswordResets
    password_sign_ins: PasswordSignIns
    passwords: Passwords
    patients: Patients
    picture_limits: Limits
    places: Places
    refusals: audit.Refusals
    replays: Replays
    report_requests: ReportRequests
    report_terms: ReportTerms
    reporter: Reporter
    second_factors: SecondFactors
    sign_ins: SignIns
    space: Space
    statistics: Statistics
    storage_quotas: StorageQuotas
    stream_terms: Terms
    streams: Streams
    submissions: Submissions
    system: System
    tickets: Tickets
    trail: audit.Trail
    views: Views
    vouched_sign_ins: VouchedSignIns | None
    webhooks: Webhooks
    analysis_timeout_s: float
    registration_open: bool
