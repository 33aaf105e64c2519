"""When the product says "cannot assess": too often, or not often enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weights.card.markdown import NOT_DEFINED, counts, measured, number, paragraphs, table

if TYPE_CHECKING:
    from weights.card.markdown import Json


def figures(evaluation: Json) -> str:
    """Write what the product made of lesions, of strangers and of drawn pictures."""
    product = evaluation["results"]["product"]
    return paragraphs(
        "The whole product (decoding, quality gate, both models) was asked through its command "
        "`dermserve analyze`.",
        _lesions(product["report_fold"]),
        _labels(product["report_fold"]["labels"]),
        _melanoma(product["report_fold"]["melanoma_minus_nevus"]),
        _agreement(product["agreement"]),
        _strangers(product["outsiders"]),
        _kinds(product["drawn"]),
        _novelty(evaluation),
    )


def _lesions(lesions: Json) -> str:
    return (
        f"**Real lesions** (fold 4, {lesions['pictures']} pictures): falsely refused "
        f"{measured(lesions['refused'])}. Reasons, of which a picture may have several: "
        f"{counts(lesions['reasons'])}."
    )


def _labels(labels: Json) -> str:
    rows = [
        [
            label,
            of["pictures"],
            *of["outcomes"].values(),
            measured(of["refused"]),
            counts(of["reasons"]),
        ]
        for label, of in labels.items()
    ]
    outcomes = [name.capitalize() for name in next(iter(labels.values()))["outcomes"]]
    return table(["Diagnosis", "Pictures", *outcomes, "Share refused", "Reasons"], rows)


def _melanoma(difference: Json) -> str:
    """Say whether melanomas meet refusal more often, as far as the interval allows."""
    if difference["value"] is None:
        return ""
    if difference["low"] > 0:
        verdict = "Melanomas are refused more often than nevi"
    elif difference["high"] < 0:
        verdict = "Melanomas are refused less often than nevi"
    else:
        verdict = "No difference between melanomas and nevi is shown"
    return f"{verdict}: the share refused differs by {measured(difference)}."


def _agreement(agreement: Json) -> str:
    if not agreement["pictures"]:
        return ""
    return (
        f"Where the product answered ({agreement['pictures']} pictures), its label was that of "
        f"the model alone in {number(agreement['same_label'])} of them; no probability differed by "
        f"more than {number(agreement['largest_difference'])}."
    )


def _strangers(strangers: Json) -> str:
    return (
        f"**Pictures of other things** (photographs, textures, histology, a fundus, a page): "
        f"{strangers['refused']} of {strangers['pictures']} refused; reasons: "
        f"{counts(strangers['reasons'])}. {_let_pass(strangers)}"
    )


def _let_pass(strangers: Json) -> str:
    names = ", ".join(f"`{name}`" for name in strangers["let_pass"])
    return f"Let pass: {names}." if names else "None was let pass."


def _kinds(drawn: Json) -> str:
    rows = [
        [
            kind.replace("-", " "),
            of["pictures"],
            of["refused"],
            counts(of["reasons"]),
            ", ".join(of["let_pass"]) or NOT_DEFINED,
        ]
        for kind, of in drawn["kinds"].items()
    ]
    head = (
        f"**Pictures drawn by arithmetic** (`weights/strangers.py`, the same every time): "
        f"{drawn['refused']} of {drawn['pictures']} refused."
    )
    return paragraphs(head, table(["Kind", "Pictures", "Refused", "Reasons", "Let pass"], rows))


def _novelty(evaluation: Json) -> str:
    if "novelty" not in evaluation["results"]:
        return ""
    figures, limit = evaluation["results"]["novelty"], evaluation["model"]["novelty_threshold"]
    return (
        f"**The model's own measure alone**: `novelty` above {limit} means that a picture is "
        f"unlike those of training. It refuses {figures['outsiders_refused']} of "
        f"{figures['outsiders']} pictures of other things and {number(figures['false_refusals'])} "
        f"of fold 4 (AUC {number(figures['outsiders_auc'])}). The measure was picked among several "
        "with other photographs and drawings; it was known to refuse these pictures when it was "
        "taken, and the limit was made stricter when two of them were let pass: they confirm the "
        "choice and are no blind test."
    )
