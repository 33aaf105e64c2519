"""The report service, in the gateway's words."""

from dataclasses import dataclass
from datetime import UTC, datetime

from grpc import aio

from services.gateway.clients.calls import call, our_fault
from services.gateway.deadlines import Deadline
from services.gateway.findings import LABEL_NAMES, Classification, Findings, Segmentation
from services.gateway.records import Analysis
from services.pb import reports_pb2 as pb
from services.pb import reports_pb2_grpc


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures of a report; a part that there is none of is empty."""

    image: bytes
    mask_png: bytes
    explanation_png: bytes


class Reports:
    """Asks the report service."""

    def __init__(self, channel: aio.Channel, institution: str) -> None:
        """Build over a channel.

        Args:
            channel: to the service.
            institution: the line at the head of every page; left out when empty.

        """
        self._stub = reports_pb2_grpc.ReportServiceStub(channel)
        self._institution = institution

    async def render(self, record: Analysis, pictures: Pictures, deadline: Deadline) -> bytes:
        """Return the PDF of an analysis.

        Raises:
            UnavailableError: the service is down or has too much to do.
            DeadlinePassedError: no answer in time.
            UpstreamError: it failed.

        """
        request = pb.RenderRequest(analysis=_message(record, pictures, self._institution))
        answer = await call(self._stub.Render, request, pb.RenderResponse, deadline, our_fault)
        return answer.pdf


def _message(record: Analysis, pictures: Pictures, institution: str) -> pb.AnalysisReport:
    findings = Findings.model_validate(record.findings)
    return pb.AnalysisReport(
        analysis_id=record.id,
        created_at=_rfc3339(record.created_at),
        institution=institution,
        patient=_patient(record),
        lesion_id=record.lesion_id or "",
        body_site=record.body_site or "",
        note=record.note or "",
        image=pictures.image,
        mask_png=pictures.mask_png,
        explanation_png=pictures.explanation_png,
        classification=_classification(findings.classification),
        segmentation=_segmentation(findings.segmentation),
        quality=pb.Quality(
            acceptable=findings.quality.acceptable, reasons=findings.quality.reasons
        ),
        models=[
            pb.Model(name=model.name, version=model.version, sha256=model.sha256)
            for model in findings.models
        ],
        notice=findings.notice,
    )


def _patient(record: Analysis) -> pb.Patient | None:
    if not (record.patient_id or record.patient_name):
        return None
    return pb.Patient(id=record.patient_id or "", name=record.patient_name or "")


def _classification(found: Classification | None) -> pb.Classification | None:
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
    )


def _segmentation(found: Segmentation | None) -> pb.Segmentation | None:
    if found is None:
        return None
    return pb.Segmentation(
        area_fraction=found.area_fraction,
        asymmetry=found.asymmetry,
        border_irregularity=found.border_irregularity,
        color_variegation=found.color_variegation,
    )


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
