"""Model cards: words written once, numbers taken from ``evaluation.json``.

No figure stands in this file. What a card says in numbers, it reads from the
evaluation, so a card cannot say more than was measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Evaluation = Mapping[str, Any]

USE = {
    "classifier": (
        "Gives a dermoscopic picture of one skin lesion a calibrated probability for each of "
        "seven kinds of lesion, a map of the evidence for each, and an embedding. It is made "
        "for research and for supporting people who are trained to read dermoscopy; they see "
        "the picture, the outline and the map beside every number."
    ),
    "segmenter": (
        "Outlines the lesion in a dermoscopic picture: for every pixel the probability that it "
        "belongs to the lesion. It is made for research, for measuring lesions and for showing "
        "a trained reader what the measures refer to."
    ),
}

OUT_OF_SCOPE = (
    "Diagnosis, triage without a trained reader, and telling anybody that nothing is wrong.",
    (
        "Pictures that are not dermoscopy: clinical photographs, telephone pictures without a "
        "dermatoscope, histology."
    ),
    (
        "Lesions outside the seven kinds (squamous cell carcinoma beyond akiec, for example): the "
        "model must still name one of its seven."
    ),
    "Nails, mucosa and lesions larger than the frame, which the data hardly holds.",
)

DATA = (
    (
        "HAM10000 (ViDIR Group, Medical University of Vienna; CC BY-NC 4.0). Philipp Tschandl, "
        "Cliff Rosendahl, Harald Kittler: The HAM10000 dataset, a large collection of multi-source "
        "dermatoscopic images of common pigmented skin lesions. Scientific Data 5, 180161 (2018)."
    ),
    (
        "Lesion masks for HAM10000: Philipp Tschandl et al.: Human-computer collaboration for skin "
        "cancer recognition. Nature Medicine 26 (2020)."
    ),
    (
        "ISIC 2018 challenge: Noel Codella et al., arXiv:1902.03368. ISIC 2017 challenge: Noel "
        "Codella et al., arXiv:1710.05006."
    ),
    "ImageNet-1k weights of EfficientNet-Lite0 (Apache-2.0) as the starting point.",
)

LIMITS = (
    (
        "Skin tone is not recorded in the data, which comes mostly from lightly pigmented skin in "
        "Austria and Australia. How well the model does on dark skin is unknown."
    ),
    (
        "HAM10000's masks were drawn semi-automatically and are easier than hand-drawn ones; the "
        "figures on ISIC 2017 are the sterner test."
    ),
    (
        "Whole frames are squashed to a square, whatever their shape. Training did the same with "
        "frames of 4:3; other shapes are distorted differently."
    ),
    (
        "Training pictures were stored small. Detail finer than the model's input is lost before "
        "it can count."
    ),
    (
        "The vascular lesions reached the training set on another road than the other labels; "
        "their recall on centre crops, where all labels were processed alike, is given separately."
    ),
    "The test pictures come from the same clinics as the training pictures. Expect less elsewhere.",
)

LICENSE = (
    "The code is under Apache-2.0. The training data is licensed for non-commercial use; whether "
    "and how that binds weights learned from it is an open legal question. Settle it before any "
    "commercial use."
)

NAMES = {
    "balanced_accuracy": "Balanced multiclass accuracy",
    "accuracy": "Accuracy",
    "macro_auc": "Macro AUC",
    "expected_calibration_error": "Expected calibration error (15 bins)",
    "negative_log_likelihood": "Negative log-likelihood",
    "mean_dice": "Mean Dice",
    "mean_jaccard": "Mean Jaccard",
    "thresholded_jaccard": "Thresholded Jaccard (0 below 0.65)",
    "share_below_threshold": "Share of pictures below 0.65 Jaccard",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "auc": "AUC",
    "melanoma_sensitivity": "sensitivity for melanoma",
}


def number(value: float) -> str:
    """Write a figure with three decimals, as every table does."""
    return f"{value:.3f}"


def measured(figure: Mapping[str, float]) -> str:
    """Write a figure with its interval: ``0.750 (0.720-0.780)``."""
    return f"{number(figure['value'])} ({number(figure['low'])}-{number(figure['high'])})"


def table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Write a Markdown table."""
    titles = list(header)
    lines = [titles, ["---"] * len(titles), *[[str(cell) for cell in row] for row in rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bullets(sentences: Iterable[str]) -> str:
    """Write a Markdown list."""
    return "\n".join(f"- {sentence}" for sentence in sentences)


def render(evaluation: Evaluation) -> str:
    """Write the model card of one evaluation, in Markdown."""
    model = evaluation["model"]
    name = model["name"]
    sections = {
        "Intended use": USE[name],
        "Out of scope": bullets(OUT_OF_SCOPE),
        "Figures": _classifier(evaluation) if name == "classifier" else _segmenter(evaluation),
        "Speed": _speed(evaluation),
        "Input": (
            f"`image`: uint8, Nx{model['input_size']}x{model['input_size']}x3, "
            f"{model['color_space']}. The whole frame is squashed to the square "
            f"(`{model['resize']}`); normalisation is part of the graph."
        ),
        "Training data": f"{model['training_data']}\n\n{bullets(DATA)}",
        "Limits": bullets(LIMITS),
        "Licence": LICENSE,
        "How the figures were made": _made(evaluation),
    }
    title = f"# {name} {model['version']}\n\n{model['architecture']}. **{model['notice']}**\n"
    return "\n".join([title, *[f"## {head}\n\n{text}\n" for head, text in sections.items()]])


def _classifier(evaluation: Evaluation) -> str:
    """Write the classifier's tables."""
    results = evaluation["results"]
    report = results["report_fold"]
    parts = [
        _splits(
            results,
            (
                "balanced_accuracy",
                "accuracy",
                "macro_auc",
                "expected_calibration_error",
                "negative_log_likelihood",
            ),
        ),
        _labels(report),
        _operating_point(evaluation),
        _melanoma(report),
        _crops(results["center_crops"]),
    ]
    if "novelty" in results:
        parts.append(_novelty(evaluation))
    return "\n\n".join(parts)


SPLITS = {
    "report_fold": "HAM10000 fold 4 (report)",
    "validation_fold": "HAM10000 fold 3 (early stopping, calibration and thresholds)",
    "isic2017_validation": "ISIC 2017 validation",
    "center_crops": "HAM10000 fold 4, centre crops",
}


def _splits(results: Evaluation, keys: Iterable[str]) -> str:
    """Write one column a split, one row a figure, with bootstrap intervals."""
    splits = [
        split
        for split in ("report_fold", "validation_fold", "isic2017_validation")
        if split in results
    ]
    header = ["95 % intervals: bootstrap by lesion", *[SPLITS[split] for split in splits]]
    sizes = ["Pictures / lesions"]
    sizes += [f"{results[s]['pictures']} / {results[s]['lesions']}" for s in splits]
    rows = [[NAMES[key], *[measured(results[s][key]) for s in splits]] for key in keys]
    return table(header, [sizes, *rows])


def _labels(report: Evaluation) -> str:
    rows = [
        [
            label,
            figures["pictures"],
            *[number(figures[key]) for key in ("sensitivity", "specificity", "auc")],
        ]
        for label, figures in report["labels"].items()
    ]
    head = "Each label against the rest, fold 4, the most probable label taken:"
    return f"{head}\n\n{table(['Label', 'Pictures', 'Sensitivity', 'Specificity', 'AUC'], rows)}"


def _operating_point(evaluation: Evaluation) -> str:
    model, report = evaluation["model"], evaluation["results"]["report_fold"]
    figures = "; ".join(
        f"{NAMES[key]} {measured(figure)}" for key, figure in report["suspicious"].items()
    )
    return (
        f"`suspicious` means akiec + bcc + mel ≥ {model['suspicious_threshold']}, a threshold "
        f"chosen on fold 3. On fold 4: {figures}. Temperature: {model['temperature']}."
    )


def _melanoma(report: Evaluation) -> str:
    figures = "; ".join(
        f"{NAMES[key]} {measured(figure)}" for key, figure in report["melanoma"].items()
    )
    return f"Melanoma as the most probable label, fold 4: {figures}."


def _crops(crops: Evaluation) -> str:
    vasc = crops["labels"]["vasc"]
    return (
        f"Centre crops of fold 4 ({crops['pictures']} pictures, all labels processed alike): "
        f"balanced accuracy {measured(crops['balanced_accuracy'])}; vasc sensitivity "
        f"{number(vasc['sensitivity'])} on {vasc['pictures']} pictures."
    )


def _novelty(evaluation: Evaluation) -> str:
    figures = evaluation["results"]["novelty"]
    return (
        f"`novelty` above {evaluation['model']['novelty_threshold']} means: not like anything "
        f"in training. It refuses {figures['outsiders_refused']} of {figures['outsiders']} "
        "pictures of other things (photographs, textures, histology, a fundus, a page) and "
        f"{number(figures['false_refusals'])} of fold 4 (AUC {number(figures['outsiders_auc'])}). "
        "The measure was picked among several with these same few pictures: they show that it "
        "works, not how well."
    )


def _segmenter(evaluation: Evaluation) -> str:
    keys = ("mean_dice", "mean_jaccard", "thresholded_jaccard", "share_below_threshold")
    text = (
        "Masks are compared at the size they were drawn in, after the model's answer was "
        "enlarged to it and cut at one half. Masks that cover nearly the whole frame are left "
        "out of HAM10000."
    )
    return f"{_splits(evaluation['results'], keys)}\n\n{text}"


def _speed(evaluation: Evaluation) -> str:
    speed, machine = evaluation["speed"], evaluation["made"]["machine"]
    return (
        f"One picture, one thread, ONNX Runtime, {machine['processor']} with "
        f"{machine['cores']} cores: median {speed['median_ms']} ms, best {speed['best_ms']} ms "
        f"of {speed['runs']} runs. Other work ran on the machine at the time."
    )


def _made(evaluation: Evaluation) -> str:
    made = evaluation["made"]
    packages = ", ".join(f"{name} {version}" for name, version in made["packages"].items())
    return (
        f"`{made['command']}` on {made['date']} at commit {made['commit']}, "
        f"Python {made['python']}, {packages}. Every number above is read from "
        "`evaluation.json`."
    )
