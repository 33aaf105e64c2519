"""What a message must hold to become a page; everything else about it is optional.

Lengths are bounded so that the footer leaves room for the page and no message keeps a renderer
busy for long. Faults name the field and never repeat its value, which may name a patient.
"""

from services.pb.reports_pb2 import RenderRequest
from services.reports.validation import analysis, fields, overview

LANGUAGES = ("en", "de")


def check(request: RenderRequest) -> None:
    """Refuse a message that lacks something or is out of range.

    Raises:
        InvalidReportError: naming the first field at fault.

    """
    fields.one_of(request.language, "language", LANGUAGES)
    match request.WhichOneof("report"):
        case "lesion":
            overview.check_lesion(request.lesion)
        case "batch":
            overview.check_batch(request.batch)
        case _:
            fields.require(request.HasField("analysis"), "analysis")
            analysis.check(request.analysis)
