"""From a message to a file: decode the pictures, set the pages, print them."""

import hashlib
import itertools
from collections.abc import Callable
from uuid import NAMESPACE_URL, UUID, uuid5

from reportlab.platypus.doctemplate import LayoutError

from services.pb.reports_pb2 import RenderRequest
from services.reports import styles, wordings
from services.reports.compositor import Compositor
from services.reports.errors import AbandonedError, LayoutFailedError
from services.reports.pages.analysis import AnalysisPages
from services.reports.pages.batch import BatchPages
from services.reports.pages.lesion import LesionPages
from services.reports.paper import Paper
from services.reports.tags import Text
from services.reports.typesetting import Typesetting

# The PDF library is there once a process. Decoding pictures, which threads speed up, stays outside.
_typesetting = Typesetting()

_SHORT = 10
"""Pictures of a report that is soon done, beside the analyzed one."""


def is_long(request: RenderRequest) -> bool:
    """Say whether a report has so many pictures that it takes as long as many others."""
    analysis, lesion, batch = request.analysis, request.lesion, request.batch
    return max(len(analysis.earlier), len(lesion.analyses), len(batch.rows)) > _SHORT


def _always() -> bool:
    return True


def render(
    request: RenderRequest, max_pixels: int, is_wanted: Callable[[], bool] = _always
) -> tuple[bytes, int]:
    """Make the PDF of a message that was found valid; the same message makes the same bytes.

    Args:
        request: what is known, and the language of the page.
        max_pixels: the largest picture that is decoded.
        is_wanted: says whether anybody still waits for it; asked before each stretch of it.

    Returns:
        A PDF file, and how many pages it has.

    Raises:
        InvalidReportError: a picture cannot be read, or it is too large.
        AbandonedError: nobody waits for it any more.
        LayoutFailedError: a fault of ours.

    """

    def see_that_it_is_wanted() -> None:
        if not is_wanted():
            raise AbandonedError

    def give_way() -> None:
        _typesetting.give_way()
        # Whoever asked may have left while others went first.
        see_that_it_is_wanted()

    pages, document = _pages(request, max_pixels), _document(request)
    compositor = Compositor(wordings.of(request.language), give_way)
    with _typesetting.turn():
        see_that_it_is_wanted()
        try:
            stories = pages.stories(compositor)
            first = next(stories)
            paper = _paper(pages, compositor, document)
            fitting = (story for story in itertools.chain([first], stories) if paper.holds(story))
            return paper.print(next(fitting, first))
        except LayoutError:
            raise LayoutFailedError from None


def _pages(request: RenderRequest, max_pixels: int) -> AnalysisPages | LesionPages | BatchPages:
    match request.WhichOneof("report"):
        case "lesion":
            return LesionPages(request.lesion, max_pixels)
        case "batch":
            return BatchPages(request.batch, max_pixels)
        case _:
            return AnalysisPages(request.analysis, max_pixels)


def _document(request: RenderRequest) -> UUID:
    """Name a document by all that was said of it, and by the language that it is said in."""
    said = hashlib.sha256(request.SerializeToString(deterministic=True))
    return uuid5(NAMESPACE_URL, said.hexdigest())


def _paper(
    pages: AnalysisPages | LesionPages | BatchPages, compositor: Compositor, document: UUID
) -> Paper:
    """Return the sheets; made after the story, whose missing letters the foot names."""
    imprint = pages.imprint(compositor)
    lettering = compositor.lettering
    head = lettering.line(list(imprint.running_head), styles.FOOT, styles.TEXT_WIDTH)
    notice = compositor.text(imprint.notice, styles.FOOT)
    footnote = lettering.footnote()
    foot = [*([Text(footnote, styles.FOOT)] if footnote else []), notice]
    return Paper(imprint, head, foot, compositor.wording.page, document, compositor.give_way)
