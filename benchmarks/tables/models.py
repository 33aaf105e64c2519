"""How well the models do on lesions that they have never seen."""

from benchmarks.tables.sources import ROOT, read, table

_FIGURES = {
    "classifier": {
        "report_fold.balanced_accuracy": "balanced accuracy, seven classes",
        "report_fold.macro_auc": "AUC, mean over classes",
        "report_fold.expected_calibration_error": "expected calibration error, 15 bins",
        "report_fold.suspicious.sensitivity": "`suspicious`: sensitivity for akiec, bcc, mel",
        "report_fold.suspicious.specificity": "`suspicious`: specificity",
        "report_fold.suspicious.melanoma_sensitivity": "`suspicious`: sensitivity for melanoma",
    },
    "segmenter": {
        "product.report_fold.mean_dice": "outline, mean Dice",
        "product.report_fold.mean_jaccard": "outline, mean Jaccard",
        "product.report_fold.thresholded_jaccard": "outline, mean Jaccard, 0 below 0.65",
    },
}


def rendered() -> str:
    """Return the table of the committed result."""
    rows = []
    sources = []
    for name, figures in _FIGURES.items():
        versions = (ROOT / "weights" / "models" / name).glob("*/evaluation.json")
        evaluation = read(max(versions, key=lambda path: int(path.parent.name)))
        for path, words in figures.items():
            figure = evaluation["results"]
            for key in path.split("."):
                figure = figure[key]
            rows.append(
                {
                    "model": name,
                    "measured on held-out lesions": words,
                    "value": f"{figure['value']:.3f}",
                    "95 % interval": f"{figure['low']:.3f} to {figure['high']:.3f}",
                }
            )
        speed = evaluation["speed"]["median_ms"]
        sources.append(f"the {name} takes {speed:.1f} ms a picture on one thread")
    made = evaluation["made"]
    source = (
        f"HAM10000 fold 4, split by lesion, intervals by bootstrap over lesions; made by "
        f"`make evaluate`. On {made['machine']['processor']}, {' and '.join(sources)}."
    )
    return table(rows, source)
