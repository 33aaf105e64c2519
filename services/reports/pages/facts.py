"""The patient line: whose lesion it is, and where."""

from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Flowable

from services.pb.reports_pb2 import Patient
from services.reports import styles
from services.reports.blocks.flowables import Row
from services.reports.compositor import Compositor

_NAME_WIDTH = 150.0
_OTHER_WIDTH = (styles.TEXT_WIDTH - _NAME_WIDTH - 3 * 10) / 3


def facts(
    compositor: Compositor, patient: Patient, lesion_id: str, body_site: str
) -> list[Flowable]:
    """Return what is known; what is not leaves no empty label."""
    wording = compositor.wording
    cells: list[tuple[float, Flowable]] = []
    named = _known((patient.name, styles.BODY), (_about(compositor, patient), styles.SMALL))
    if named:
        cells.append((_NAME_WIDTH, compositor.labelled(wording.patient, *named)))
    for label, value in (
        (wording.patient_id, patient.id),
        (wording.lesion_id, lesion_id),
        (wording.body_site, wording.site(body_site)),
    ):
        if value.strip():
            cells.append((_OTHER_WIDTH, compositor.labelled(label, (value, styles.BODY))))
    return [Row(cells, below=12)] if cells else []


def _known(*lines: tuple[str, ParagraphStyle]) -> list[tuple[str, ParagraphStyle]]:
    return [line for line in lines if line[0].strip()]


def _about(compositor: Compositor, patient: Patient) -> str:
    wording = compositor.wording
    born = (
        wording.born.format(date=compositor.day(patient.birth_date)) if patient.birth_date else ""
    )
    return ", ".join(filter(None, (born, wording.sexes.get(patient.sex, ""))))
