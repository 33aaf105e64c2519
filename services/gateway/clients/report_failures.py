"""Why a picture of a batch has no answer, in the language of a report."""

from collections.abc import Mapping

from services.gateway.report_settings import Language

NOT_YET: Mapping[Language, str] = {"en": "Not analyzed yet.", "de": "Noch nicht ausgewertet."}

_LONGEST = 500
"""Characters that the report service takes."""

_OTHERWISE: Mapping[Language, Mapping[str, str]] = {
    "en": {},
    "de": {
        "bad-upstream": "Ein Dienst hinter der Anwendung ist ausgefallen.",
        "damaged-picture": "Das aufbewahrte Bild ist beschädigt.",
        "deadline-passed": "Die Auswertung dauerte zu lange.",
        "insufficient-storage": "Für das Bild war kein Speicherplatz mehr frei.",
        "internal": "Die Auswertung schlug durch einen inneren Fehler fehl.",
        "invalid-archive": "Das Archiv konnte nicht angenommen werden.",
        "invalid-picture": (
            "Die Datei ist als Bild nicht verwendbar: kein JPEG oder PNG, beschädigt, von "
            "ungewöhnlicher Art oder von anderer als Typ oder Endung sagen."
        ),
        "owner-disabled": "Das Konto, das das Bild sandte, wurde vor der Auswertung gesperrt.",
        "storage-quota-exceeded": "Es ist bereits so viel aufbewahrt, wie erlaubt ist.",
        "too-large": "Die Datei oder das Bild ist zu groß.",
        "unavailable": "Etwas, das die Auswertung braucht, war nicht erreichbar.",
        "withdrawn": "Der Stapel wurde abgebrochen, bevor dieses Bild ausgewertet war.",
    },
}
"""By the kind of the problem. Records say it in English, and that more exactly."""


def failure(problem: Mapping[str, str], language: Language) -> str:
    """Return the sentence of a problem; as it was kept where a language has no words for it."""
    kept = problem.get("detail", "")[:_LONGEST]
    return _OTHERWISE[language].get(problem.get("kind", ""), kept)
