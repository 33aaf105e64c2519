"""What reports are made of, as the report service takes it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from services.gateway.clients.models import Evaluation
from services.gateway.clients.report_contents import (
    AnalysisContents,
    BatchContents,
    Evaluated,
    Glimpse,
    LesionContents,
    Letterhead,
    Told,
)
from services.gateway.clients.report_failures import NOT_YET, failure
from services.gateway.findings import (
    LABEL_NAMES,
    NOTICE,
    Findings,
    ModelVersion,
    Segmentation,
)
from services.gateway.records import UNFINISHED, Analysis, Patient, agrees, now
from services.gateway.report_settings import Language
from services.pb import reports_pb2 as pb

_MOST = 20
"""Models and figures that the service takes of each."""

_SENSITIVITY, _SPECIFICITY = "suspicious_sensitivity", "suspicious_specificity"

_NO_PICTURE = {
    "out_of_time": pb.AnalysisSummary.NO_PICTURE_OUT_OF_TIME,
    "lost": pb.AnalysisSummary.NO_PICTURE_LOST,
}


def of_analysis(contents: AnalysisContents, head: Letterhead) -> pb.AnalysisReport:
    """Return the message of one analysis."""
    record, pictures = contents.record, contents.pictures
    findings = Findings.model_validate(record.findings)
    return pb.AnalysisReport(
        analysis_id=record.id,
        created_at=_rfc3339(record.created_at),
        requested_at=_rfc3339(now()),
        institution=head.institution,
        logo=head.logo,
        record_url=head.link(f"/analyses/{record.id}"),
        patient=_patient(contents.patient, record),
        lesion_id=record.lesion_id or record.lesion or "",
        body_site=_body_site(contents),
        note=record.note or "",
        image=pictures.image,
        mask_png=pictures.mask_png,
        explanation_png=pictures.explanation_png,
        image_sha256=record.image_sha256 or "",
        mask_sha256=record.mask_sha256 or "",
        preprocessing=findings.method.preprocessing if findings.method else "",
        classification=_classification(findings, contents.evaluated),
        segmentation=_segmentation(findings.segmentation),
        quality=pb.Quality(
            acceptable=findings.quality.acceptable, reasons=findings.quality.reasons
        ),
        models=_models(findings.models, contents.evaluated),
        assessment=_assessment(record),
        earlier=map(_summary, contents.earlier),
        narrative=_narrative(contents.told),
        notice=findings.notice,
    )


def of_lesion(contents: LesionContents, head: Letterhead) -> pb.LesionReport:
    """Return the message of a lesion."""
    lesion, latest = contents.lesion, contents.analyses[-1].record
    findings = _findings(contents.analyses)
    return pb.LesionReport(
        lesion_id=lesion.id,
        created_at=_rfc3339(now()),
        institution=head.institution,
        logo=head.logo,
        record_url=head.link(f"/lesions/{lesion.id}"),
        patient=_patient(contents.patient, latest),
        body_site=lesion.body_site or latest.body_site or "",
        analyses=map(_summary, contents.analyses),
        models=_all_models(findings, contents.evaluated),
        notice=findings[-1].notice,
    )


def of_batch(contents: BatchContents, head: Letterhead, language: Language) -> pb.BatchReport:
    """Return the message of a batch."""
    findings = _findings(contents.rows)
    return pb.BatchReport(
        batch_id=contents.batch.id,
        created_at=_rfc3339(now()),
        institution=head.institution,
        logo=head.logo,
        record_url=head.link(f"/batches/{contents.batch.id}"),
        rows=(
            _row(each, contents.patients.get(each.record.patient or ""), language)
            for each in contents.rows
        ),
        models=_all_models(findings, contents.evaluated),
        notice=findings[-1].notice if findings else NOTICE,
    )


def _row(shown: Glimpse, patient: Patient | None, language: Language) -> pb.BatchRow:
    record = shown.record
    row = pb.BatchRow(
        name=record.file_name or "",
        patient_id=patient.identifier if patient else record.patient_id or "",
        lesion_id=record.lesion_id or "",
        body_site=record.body_site or "",
    )
    if record.status in UNFINISHED:
        row.failure = NOT_YET[language]
    elif record.findings is None:
        row.failure = failure(record.problem or {}, language)
    else:
        row.analysis.CopyFrom(_summary(shown))
    return row


def _summary(shown: Glimpse) -> pb.AnalysisSummary:
    record = shown.record
    findings = Findings.model_validate(record.findings)
    found, outlined = findings.classification, findings.segmentation
    return pb.AnalysisSummary(
        analysis_id=record.id,
        created_at=_rfc3339(record.created_at),
        image=shown.pictures.image,
        mask_png=shown.pictures.mask_png,
        prediction=pb.Prediction(
            label=found.label,
            label_name=found.label_name,
            malignant_probability=found.malignant_probability,
            suspicious=found.suspicious,
        )
        if found
        else None,
        quality_reasons=findings.quality.reasons,
        area_fraction=outlined.area_fraction if outlined else None,
        assessment=_assessment(record),
        no_picture=_NO_PICTURE[shown.no_picture] if shown.no_picture else None,
    )


def _assessment(record: Analysis) -> pb.Assessment | None:
    """Return what a clinician says of an answer, if anybody does."""
    if record.verdict is None or record.assessed_at is None:
        return None
    return pb.Assessment(
        clinician=record.assessed_by or "",
        assessed_at=_rfc3339(record.assessed_at),
        agrees=agrees(record.verdict, record.label),
        label=record.verdict,
        label_name=LABEL_NAMES.get(record.verdict, ""),
        reason=record.verdict_reason or "",
    )


def _narrative(told: Told | None) -> pb.Narrative | None:
    if told is None:
        return None
    by = pb.Narrative.AUTHOR_MACHINE if told.model else pb.Narrative.AUTHOR_TEMPLATE
    return pb.Narrative(text=told.text, author=by, written_by=told.model or "")


def _patient(patient: Patient | None, record: Analysis) -> pb.Patient | None:
    """Return what is known of a patient; of one that nobody made, what was sent."""
    if patient is not None:
        return pb.Patient(
            id=patient.identifier,
            name=patient.name or "",
            birth_date=patient.birth_date.isoformat() if patient.birth_date else "",
            sex=patient.sex or "",
        )
    if not (record.patient_id or record.patient_name):
        return None
    return pb.Patient(id=record.patient_id or "", name=record.patient_name or "")


def _body_site(contents: AnalysisContents) -> str:
    lesion = contents.lesion
    return contents.record.body_site or (lesion.body_site if lesion else None) or ""


def _classification(findings: Findings, evaluated: Evaluated) -> pb.Classification | None:
    found = findings.classification
    if found is None:
        return None
    return pb.Classification(
        label=found.label,
        label_name=found.label_name,
        probabilities=[
            pb.Probability(label=label, label_name=LABEL_NAMES[label], probability=probability)
            for label, probability in found.probabilities.items()
        ],
        malignant_probability=found.malignant_probability,
        suspicious=found.suspicious,
        suspicious_threshold=found.suspicious_threshold,
        operating_point=_operating_point(findings.models, evaluated),
    )


def _operating_point(
    models: Iterable[ModelVersion], evaluated: Evaluated
) -> pb.OperatingPoint | None:
    for known in (evaluated[model.sha256] for model in models if model.sha256 in evaluated):
        if known.metrics.keys() >= {_SENSITIVITY, _SPECIFICITY}:
            return pb.OperatingPoint(
                sensitivity=known.metrics[_SENSITIVITY],
                specificity=known.metrics[_SPECIFICITY],
                measured_on=known.evaluated_on,
                sensitivity_interval=_interval(known, _SENSITIVITY),
                specificity_interval=_interval(known, _SPECIFICITY),
            )
    return None


def _interval(known: Evaluation, name: str) -> pb.Interval | None:
    ends = known.intervals.get(name)
    return pb.Interval(low=ends.low, high=ends.high) if ends else None


def _segmentation(found: Segmentation | None) -> pb.Segmentation | None:
    if found is None:
        return None
    return pb.Segmentation(
        area_fraction=found.area_fraction,
        asymmetry=found.asymmetry,
        border_irregularity=found.border_irregularity,
        color_variegation=found.color_variegation,
    )


def _findings(shown: Iterable[Glimpse]) -> list[Findings]:
    records = (each.record for each in shown)
    return [Findings.model_validate(each.findings) for each in records if each.findings]


def _all_models(findings: Iterable[Findings], evaluated: Evaluated) -> list[pb.Model]:
    """Return each model that made one of some answers, once."""
    models = {model.sha256: model for each in findings for model in each.models}
    return _models([*models.values()][-_MOST:], evaluated)


def _models(models: Sequence[ModelVersion], evaluated: Evaluated) -> list[pb.Model]:
    return [_model(model, evaluated) for model in models]


def _model(model: ModelVersion, evaluated: Evaluated) -> pb.Model:
    known = evaluated.get(model.sha256)
    return pb.Model(
        name=model.name,
        version=model.version,
        sha256=model.sha256,
        execution_provider=model.execution_provider or "",
        precision=model.precision or "",
        metrics=_metrics(known) if known else [],
        evaluated_on=known.evaluated_on if known else "",
    )


def _metrics(known: Evaluation) -> list[pb.Metric]:
    return [
        pb.Metric(name=name, value=value, interval=_interval(known, name))
        for name, value in sorted(known.metrics.items())[:_MOST]
    ]


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
