"""What is counted and timed, in a registry of the process's own."""

import functools

from prometheus_client import Counter, Gauge, Histogram

from services import telemetry

_KIB = 1024


class Metrics:
    """The gateway's figures. No label ever names a user, a patient, a path or a picture."""

    def __init__(self) -> None:
        self.registry = telemetry.new_registry()
        requests = Counter(
            "gateway_requests_total",
            "Requests answered, by method, route template and status.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        request_seconds = Histogram(
            "gateway_request_seconds",
            "Time from a request's head to the end of its answer.",
            ["method", "route"],
            registry=self.registry,
            buckets=telemetry.SECONDS,
        )
        analyses = Counter(
            "gateway_analyses_total",
            "Analyses recorded, by outcome.",
            ["outcome"],
            registry=self.registry,
        )
        self.audit_rows = Counter(
            "gateway_audit_rows_total", "Audit rows written.", registry=self.registry
        )
        self.audit_failures = Counter(
            "gateway_audit_failures_total",
            "Audit rows that could not be written; what they told of was refused.",
            registry=self.registry,
        )
        jobs = Counter(
            "gateway_jobs_total",
            "Pictures whose turn came: succeeded, failed, or dropped as nobody wants them. "
            "What is withdrawn or removed before its turn is not counted.",
            ["outcome"],
            registry=self.registry,
        )
        job_retries = Counter(
            "gateway_job_retries_total",
            "Pictures put back into the line: refused by inference, slow, failed, or trouble here.",
            ["reason"],
            registry=self.registry,
        )
        self.jobs_waiting = Gauge(
            "gateway_jobs_waiting",
            "Pictures in the line that nobody works on, for all replicas together.",
            registry=self.registry,
        )
        self.jobs_running = Gauge(
            "gateway_jobs_running",
            "Pictures in the line that somebody works on, for all replicas together.",
            registry=self.registry,
        )
        self.jobs_age_seconds_max = Gauge(
            "gateway_jobs_age_seconds_max",
            "Age of the picture that has been in the line for longest; 0 when it is empty.",
            registry=self.registry,
        )
        storage_quota_refusals = Counter(
            "gateway_storage_quota_refusals_total",
            "Pictures refused because enough are kept: whose quota (user or organisation), and "
            "of what (bytes or pictures).",
            ["holder", "of"],
            registry=self.registry,
        )
        free_bytes = Gauge(
            "gateway_free_bytes",
            "Room on the disk of the pictures or of the SQLite database.",
            ["disk"],
            registry=self.registry,
        )
        least_free_bytes = Gauge(
            "gateway_least_free_bytes",
            "Room below which new pictures are refused.",
            ["disk"],
            registry=self.registry,
        )
        self.refuses_for_space = Gauge(
            "gateway_refuses_for_space",
            "1 while new pictures are refused because a disk is nearly full.",
            registry=self.registry,
        )
        narratives = Counter(
            "gateway_narratives_total",
            "Summaries that a machine was to write: written, refused for what it wrote, failed, or "
            "not asked for because it was busy.",
            ["outcome"],
            registry=self.registry,
        )
        self.narrative_seconds = Histogram(
            "gateway_narrative_seconds",
            "Time that a machine took for a summary, or to fail.",
            registry=self.registry,
            buckets=telemetry.SECONDS,
        )
        streams = Gauge(
            "gateway_event_streams",
            "Clients that watch events now, by protocol.",
            ["protocol"],
            registry=self.registry,
        )
        events_sent = Counter(
            "gateway_events_sent_total",
            "Events sent to clients that watch, by protocol.",
            ["protocol"],
            registry=self.registry,
        )
        streams_dropped = Counter(
            "gateway_event_streams_dropped_total",
            "Clients that were dropped because they took too long to take events, by protocol.",
            ["protocol"],
            registry=self.registry,
        )
        # Looking labels up costs more than counting: each is looked up once.
        self.requests = functools.cache(requests.labels)
        self.request_seconds = functools.cache(request_seconds.labels)
        self.analyses = functools.cache(analyses.labels)
        self.jobs = functools.cache(jobs.labels)
        self.job_retries = functools.cache(job_retries.labels)
        self.storage_quota_refusals = functools.cache(storage_quota_refusals.labels)
        self.free_bytes = functools.cache(free_bytes.labels)
        self.least_free_bytes = functools.cache(least_free_bytes.labels)
        self.narratives = functools.cache(narratives.labels)
        self.streams = functools.cache(streams.labels)
        self.events_sent = functools.cache(events_sent.labels)
        self.streams_dropped = functools.cache(streams_dropped.labels)
        self.upload_bytes = Histogram(
            "gateway_upload_bytes",
            "Size of the picture files that arrived.",
            registry=self.registry,
            buckets=tuple(_KIB * 4**exponent for exponent in range(2, 8)),
        )
        attempts = Counter(
            "gateway_webhook_attempts_total",
            "Attempts to deliver a webhook, by outcome: delivered, or what went wrong.",
            ["outcome"],
            registry=self.registry,
        )
        self.webhook_attempts = functools.cache(attempts.labels)
        self.webhooks_waiting = Gauge(
            "gateway_webhook_deliveries_waiting",
            "Deliveries of webhooks that wait for their next attempt, of all replicas together.",
            registry=self.registry,
        )
        self.webhooks_oldest_seconds = Gauge(
            "gateway_webhook_oldest_waiting_seconds",
            "How long the oldest delivery of a webhook waits already.",
            registry=self.registry,
        )
