"""The result in one panel: the most probable class, or why there is none."""

from collections.abc import Sequence

from reportlab.platypus import Flowable, Spacer

from services.pb.reports_pb2 import Classification, OperatingPoint
from services.reports import styles
from services.reports.blocks.flowables import Column, Panel, Row
from services.reports.compositor import Compositor
from services.reports.wordings.wording import Wording

_CLASS_WIDTH = 225.0
_MALIGNANT_WIDTH = 235.0


def verdict(compositor: Compositor, found: Classification) -> Panel:
    """Return the most probable class beside the malignant probability."""
    edges = (
        (styles.ALERT_TINT, styles.ALERT)
        if found.suspicious
        else (
            styles.CALM_TINT,
            styles.ACCENT,
        )
    )
    columns = [
        (_CLASS_WIDTH, _class(compositor, found)),
        (_MALIGNANT_WIDTH, _malignant(compositor, found)),
    ]
    said = [*_measured(compositor, found), compositor.wording.prediction]
    texts = [compositor.text(text, styles.SMALL) for text in said]
    return Panel([Row(columns, below=6), *texts], *edges)


def refusal(compositor: Compositor, reasons: Sequence[str]) -> Panel:
    """Return why the picture cannot be assessed, and what would help."""
    wording = compositor.wording
    said: list[Flowable] = [
        compositor.text(wording.result, styles.LABEL),
        compositor.text(wording.cannot_assess, styles.FIGURE),
        compositor.text(wording.no_prediction, styles.BODY),
    ]
    for reason in map(wording.reason, reasons):
        said += [Spacer(1, 6), compositor.text(reason.why, styles.STRONG)]
        said += [compositor.text(reason.advice, styles.BODY)] if reason.advice else []
    said += [Spacer(1, 6), compositor.text(wording.without_prediction, styles.BODY)]
    return Panel(said, styles.CALM_TINT, styles.ACCENT)


def _class(compositor: Compositor, found: Classification) -> Column:
    wording, code = compositor.wording, found.label
    top = [row.probability for row in found.probabilities if row.label == code]
    shares = [wording.probability.format(share=wording.percent(share)) for share in top[:1]]
    name = wording.label_name(code, found.label_name)
    return compositor.labelled(
        wording.most_probable, (name, styles.FIGURE), (", ".join([code, *shares]), styles.BODY)
    )


def _malignant(compositor: Compositor, found: Classification) -> Column:
    wording = compositor.wording
    point = wording.operating_point.format(threshold=wording.threshold(found.suspicious_threshold))
    lines = [
        (wording.percent(found.malignant_probability), styles.FIGURE),
        (wording.suspicious if found.suspicious else wording.not_suspicious, styles.STRONG),
        (point, styles.BODY),
    ]
    return compositor.labelled(wording.malignant, *lines)


def _measured(compositor: Compositor, found: Classification) -> list[str]:
    """Return what the operating point was measured to do, where that is known."""
    if not found.HasField("operating_point"):
        return []
    wording, point = compositor.wording, found.operating_point
    return [
        wording.measured.format(
            sensitivity=_within(wording, point, "sensitivity"),
            specificity=_within(wording, point, "specificity"),
            measured_on=point.measured_on,
        )
    ]


def _within(wording: Wording, point: OperatingPoint, name: str) -> str:
    """Return a share with its interval, where that is known."""
    share = wording.percent(getattr(point, name))
    if not point.HasField(f"{name}_interval"):
        return share
    interval = getattr(point, f"{name}_interval")
    ends = {"low": wording.percent(interval.low), "high": wording.percent(interval.high)}
    return f"{share} ({wording.interval.format(**ends)})"
