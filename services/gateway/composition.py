"""The composition root: reads, from top to bottom, as the list of what the process owns."""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

from services.gateway import audit, database, limits, narrating, routes, signing_in, vouching
from services.gateway.analyses import (
    AnalysisArrears,
    Analyzer,
    Assessments,
    Comparisons,
    Flat,
    History,
    Replays,
    Views,
)
from services.gateway.arrears import Arrears
from services.gateway.batches import Batches, Intake, Reading
from services.gateway.boot import (
    SEALING_KEY,
    SIGNING_KEY,
    audit_keys,
    breached_passwords,
    make_folder,
    open_database,
    read_key,
    read_logo,
    welcome,
)
from services.gateway.clients import Inference, Letterhead, Reports, dialled, is_ready
from services.gateway.clinical import Lesions, NameArrears, Patients
from services.gateway.evaluations import Evaluations
from services.gateway.events import Feed, Streams
from services.gateway.exposition import Exposition, Worker
from services.gateway.health import Health
from services.gateway.identity import (
    Access,
    Accounts,
    ApiKeys,
    Attempts,
    Idleness,
    LastUse,
    OwnSignIns,
    PasswordResets,
    Passwords,
    PasswordsFor,
    Tickets,
)
from services.gateway.jobs import Attempt, Backoff, Queue, Reception, Submissions, Workers
from services.gateway.keeping import keeping
from services.gateway.metrics import Metrics
from services.gateway.once import Once
from services.gateway.outflow import Terms
from services.gateway.parts import Parts
from services.gateway.places import Places
from services.gateway.reports import Dossiers, Reporter, ReportRequests, ReportTerms, Thumbnails
from services.gateway.security import key_ring, sealing, tokens
from services.gateway.settings import Settings
from services.gateway.statistics import Statistics
from services.gateway.store import Folder
from services.gateway.system import System
from services.gateway.telling import telling
from services.gateway.threads import Threads
from services.gateway.uploads import Bodies

_LEASE_MARGIN = timedelta(seconds=30)
# Each holds one picture in memory. Who is alone sends half as many at once.
_BATCHES_AT_ONCE = 8
# Each keeps a connection to the database busy, on a large installation for a second.
_STATISTICS_AT_ONCE = 4
_HEALTH_TIMEOUT_S = 1.0
# How long a request waits for its quota to be counted.
_QUOTA_PATIENCE_S = 0.25
# What is not done by then goes back into the line, and is not lost.
_JOBS_DRAIN_S = 5.0
_DOWN = Backoff(first_s=0.25, longest_s=5)
_AT_FAULT = Backoff(first_s=1, longest_s=300)


@contextlib.asynccontextmanager
async def opened(
    settings: Settings, metrics: Metrics, worker: Worker | None
) -> AsyncIterator[Parts]:
    """Open all that the process owns, and close it in the end.

    Args:
        settings: checked already.
        metrics: of the process.
        worker: which of several processes this is; None where it is the only one.

    Raises:
        BootError: the gateway cannot start.

    """
    make_folder(settings.data_dir)
    ring = read_key(key_ring.KeyRing, settings.data_dir / SIGNING_KEY)
    seal = read_key(sealing.Seal.from_file, settings.data_dir / SEALING_KEY)
    async with contextlib.AsyncExitStack() as stack:
        records = await stack.enter_async_context(open_database(settings))
        # Who is calling is found out across organisations.
        everything = database.Within(records, database.EVERYTHING)
        inference_channel, reports_channel = await stack.enter_async_context(
            dialled(settings.certificates, settings.inference_address, settings.reports_address)
        )

        trail = audit.Trail(everything, audit_keys(settings), metrics)
        await trail.open()
        stack.push_async_callback(trail.close)
        refusals = audit.Refusals(trail)
        stack.push_async_callback(refusals.close)
        drawing = Threads(settings.max_drawings)
        access_tokens = tokens.AccessTokens(ring, settings.access_token_s)
        attempts = Attempts(everything)
        known = breached_passwords(settings)
        passwords = Passwords(everything, attempts, settings.max_password_checks, known)
        accounts = Accounts(everything, passwords)
        idleness = Idleness.of(settings.idle_s, settings.access_token_s)
        last_use = LastUse(everything)
        stack.push_async_callback(last_use.close)
        address_quota, bad_token_quota, caller_quota = (
            limits.Quota(everything, limits.Policy(name, units), _QUOTA_PATIENCE_S)
            for name, units in (
                ("address", settings.address_quota),
                ("bad_token", settings.address_quota),
                ("caller", settings.caller_quota),
            )
        )
        for quota in (address_quota, bad_token_quota, caller_quota):
            stack.push_async_callback(quota.close)
        kept = keeping(records, settings, metrics)
        inference = Inference(inference_channel)
        evaluations = Evaluations(inference)
        views = Views(kept.store, drawing)
        signed = signing_in.signing_in(
            everything, passwords, attempts, access_tokens, seal, settings
        )
        bounds = (settings.max_upload_bytes, settings.max_pixels, settings.max_side)
        access = Access(everything, access_tokens, last_use, idleness)
        feed = Feed(records, timedelta(days=settings.event_days))
        streams = await stack.enter_async_context(_streams(feed, access, settings, records))
        queue = Queue(
            records, settings.max_queued_pictures, timedelta(seconds=settings.job_lease_s), metrics
        )
        attempt = Attempt(
            everything,
            queue,
            kept.files,
            inference,
            metrics,
            settings.analysis_timeout_s,
            _AT_FAULT,
        )
        reception = Reception(kept.files, drawing, bounds, metrics)
        workers = Workers(
            queue,
            attempt,
            metrics,
            partial(is_ready, inference_channel, _HEALTH_TIMEOUT_S),
            settings.job_lease_s,
            _DOWN,
        )

        health = Health(
            everything,
            {"inference": inference_channel, "reports": reports_channel},
            kept.store,
            kept.space,
        )

        if worker is None or worker.number == 1:
            if isinstance(kept.store, Folder):
                await Flat(records, kept.store).deal_out()
            await kept.leftovers.clear_at_boot()
            await stack.enter_async_context(_arrears(records, settings).being_done())
        narratives = await narrating.narratives(records, settings, metrics, stack)
        told = telling(records, seal, settings, metrics, stack)

        await welcome(accounts, settings)
        await stack.enter_async_context(workers.working(settings.job_workers, _JOBS_DRAIN_S))
        await stack.enter_async_context(told.dispatcher.running())
        yield Parts(
            access=access,
            accounts=accounts,
            address_quota=address_quota,
            analyzer=Analyzer(inference, kept.files, trail, drawing, bounds, metrics),
            api_keys=ApiKeys(records),
            assessments=Assessments(records),
            bad_token_quota=bad_token_quota,
            batch_places=Places(
                _BATCHES_AT_ONCE, "Too many batches are arriving. Try again shortly."
            ),
            batches=Batches(records),
            bodies=Bodies(settings.max_upload_bytes),
            caller_quota=caller_quota,
            comparisons=Comparisons(views, drawing),
            evaluations=evaluations,
            exposition=await stack.enter_async_context(
                Exposition(metrics.registry, worker).shown()
            ),
            feed=feed,
            deliveries=told.deliveries,
            dispatcher=told.dispatcher,
            # Whoever reads slowly leaves half of all places to pictures that come in.
            downloads=Places(
                max(1, settings.max_pictures // 2),
                "Too many pictures are on their way out. Try again shortly.",
            ),
            health=health,
            history=History(records),
            inference=inference,
            intake=Intake(records, kept.files, queue, reception, workers.wake),
            keys=ring,
            ledger=audit.Ledger(records),
            lesions=Lesions(records),
            metrics=metrics,
            narratives=narratives,
            new_reading=partial(
                Reading,
                settings.data_dir / "incoming",
                kept.space,
                settings.max_batch_pictures,
                settings.max_batch_bytes,
                settings.max_upload_bytes,
            ),
            once=_once(everything, settings),
            own_sign_ins=OwnSignIns(everything, idleness),
            password_resets=PasswordResets(everything, passwords),
            password_sign_ins=signed.by_password,
            passwords=passwords,
            patients=Patients(records),
            picture_limits=bounds,
            places=Places(
                settings.max_pictures, "Too many pictures are in work. Try again shortly."
            ),
            refusals=refusals,
            replays=Replays(inference, views, drawing),
            report_requests=ReportRequests(records, drawing),
            report_terms=ReportTerms(
                settings.report_language,
                settings.report_timeout_s,
                settings.batch_report_timeout_s,
            ),
            reporter=Reporter(
                Dossiers(records),
                views,
                Thumbnails(kept.store, drawing),
                evaluations,
                narratives,
                Reports(reports_channel, _letterhead(settings), drawing),
            ),
            second_factors=signed.second_factors,
            sign_ins=signed.sign_ins,
            space=kept.space,
            statistics=Statistics(
                records, Places(_STATISTICS_AT_ONCE, "Too many statistics are being counted.")
            ),
            storage_quotas=kept.quotas,
            stream_terms=Terms(settings.heartbeat_s, settings.event_patience_s, settings.origins),
            streams=streams,
            submissions=Submissions(kept.files, queue, reception, workers.wake),
            system=System(records, health),
            tickets=Tickets(everything, access),
            trail=trail,
            views=views,
            vouched_sign_ins=await vouching.vouched_sign_ins(
                everything, signed.sign_ins, settings, routes.oidc.CALLBACK, stack
            ),
            webhooks=told.webhooks,
            analysis_timeout_s=settings.analysis_timeout_s,
            registration_open=settings.registration_open
            and vouching.passwords_for(settings) != PasswordsFor.NONE,
        )


def _letterhead(settings: Settings) -> Letterhead:
    logo = read_logo(settings.institution_logo)
    return Letterhead(settings.institution, logo, settings.public_url)


def _arrears(records: database.Database, settings: Settings) -> Arrears:
    build = partial(database.build_indexes, settings.database)
    return Arrears(NameArrears(records).do, AnalysisArrears(records, build).do)


def _once(records: database.Database, settings: Settings) -> Once:
    # Analyses take longest; what else a request does, the database bounds.
    lease = timedelta(seconds=settings.analysis_timeout_s) + _LEASE_MARGIN
    return Once(records, timedelta(seconds=settings.idempotency_key_s), lease)


@contextlib.asynccontextmanager
async def _streams(
    feed: Feed, access: Access, settings: Settings, source: database.Source
) -> AsyncIterator[Streams]:
    most = settings.max_streams, settings.max_streams_of_user
    streams = Streams(feed, access.still_reading, *most, settings.event_buffer)
    async with streams.running(source):
        yield streams
