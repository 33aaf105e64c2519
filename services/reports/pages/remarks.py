"""What people and machines wrote about the picture: opinion, summary, note."""

from reportlab.platypus import Flowable, Spacer

from services.pb.reports_pb2 import Assessment, Narrative
from services.reports import styles
from services.reports.blocks.flowables import Panel
from services.reports.compositor import Compositor


def opinion(compositor: Compositor, given: Assessment, predicted: str) -> list[Flowable]:
    """Return a clinician's own assessment.

    Args:
        compositor: sets it.
        given: what the clinician said.
        predicted: the label that the prediction named, as the page writes it.

    """
    wording = compositor.wording
    by = ", ".join(filter(str.strip, (given.clinician, compositor.moment(given.assessed_at))))
    return [
        *compositor.heading(wording.opinion),
        compositor.text(_stand(compositor, given, predicted), styles.STRONG),
        *_lines(compositor, given.reason),
        compositor.text(by, styles.SMALL),
    ]


def _stand(compositor: Compositor, given: Assessment, predicted: str) -> str:
    wording, label = compositor.wording, compositor.stood_for(given, predicted)
    if label == wording.cannot_tell:
        return label
    return (wording.agrees if given.agrees else wording.disagrees).format(label=label)


def narrative(compositor: Compositor, given: Narrative) -> Panel:
    """Return a summary in a box of its own, that says who wrote it."""
    wording = compositor.wording
    if given.author == Narrative.AUTHOR_TEMPLATE:
        head, explained = wording.template_written, wording.template_explained
    else:
        head = wording.machine_written
        by = f" ({given.written_by})" if given.written_by.strip() else ""
        explained = wording.machine_explained.format(by=by)
    said = [
        compositor.text(head, styles.STRONG),
        Spacer(1, 2),
        *_lines(compositor, given.text),
        Spacer(1, 3),
        compositor.text(explained, styles.SMALL),
    ]
    return Panel(said, styles.MACHINE_TINT, styles.MACHINE)


def note(compositor: Compositor, written: str) -> list[Flowable]:
    """Return the note, its lines kept."""
    lines = _lines(compositor, written)
    return compositor.section(compositor.wording.note, lines) if lines else []


def _lines(compositor: Compositor, text: str) -> list[Flowable]:
    return [compositor.text(line, styles.BODY) for line in text.splitlines() if line.strip()]
