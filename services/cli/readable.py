"""An analysis for people at a terminal."""

from pathlib import Path

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from services.cli.engines import Failure, Result

_BAR_WIDTH = 30


def readable(file: Path, result: Result | Failure) -> RenderableType:
    """Lay out one result."""
    if isinstance(result, Failure):
        return Text.assemble((str(file), "bold"), "\n  ", (result.sentence, "red"))
    analysis = result.analysis
    parts: list[RenderableType] = [Text(str(file), "bold")]
    classification = analysis["classification"]
    if classification is None:
        reasons = ", ".join(reason.replace("_", " ") for reason in analysis["quality"]["reasons"])
        parts.append(Text(f"  cannot assess: {reasons}", "yellow"))
    else:
        verdict = "suspicious" if classification["suspicious"] else "not suspicious"
        parts += [
            Text(
                f"  prediction: {classification['label_name']} ({classification['label']})\n"
                f"  malignant probability {classification['malignant_probability']:.1%}: {verdict}"
                f" (from {classification['suspicious_threshold']:.1%} on)"
            ),
            _bars(classification["probabilities"]),
        ]
    if analysis["segmentation"] is not None:
        parts.append(_measures(analysis["segmentation"]))
    models = ", ".join(f"{model['name']} {model['version']}" for model in analysis["models"])
    parts.append(Text(f"  {models} · {analysis['timings']['total_ms']:.0f} ms", "dim"))
    parts.append(Text(f"  {analysis['notice']}", "dim"))
    return Group(*parts)


def _bars(probabilities: dict[str, float]) -> Table:
    table = Table.grid(padding=(0, 1))
    for label, probability in probabilities.items():
        bar = ProgressBar(total=1, completed=probability, width=_BAR_WIDTH)
        table.add_row(f"    {label:<5}", bar, f"{probability:6.1%}")
    return table


def _measures(segmentation: dict[str, float]) -> Text:
    return Text(
        f"  lesion covers {segmentation['area_fraction']:.0%} of the picture,"
        f" asymmetry {segmentation['asymmetry']:.2f},"
        f" border irregularity {segmentation['border_irregularity']:.2f},"
        f" color variegation {segmentation['color_variegation']:.2f}"
    )
