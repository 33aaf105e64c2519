"""The page in German."""

from services.reports.wordings.wording import Absence, Measure, Reason, Wording

GERMAN = Wording(
    language="de",
    decimal=",",
    months=(
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ),
    day="{day}. {month} {year}",
    analysis_title="Bericht zur Dermatoskopie",
    lesion_title="Verlaufsbericht",
    batch_title="Sammelbericht",
    analysis_subject="Berechnete Wahrscheinlichkeiten und Maße einer dermatoskopischen Aufnahme",
    lesion_subject="Berechnete Wahrscheinlichkeiten und Maße einer Läsion im Verlauf",
    batch_subject="Berechnete Wahrscheinlichkeiten mehrerer Aufnahmen",
    analyzed="Ausgewertet am {moment}",
    requested="Bericht vom {moment}",
    created="Erstellt am {moment}",
    analysis="Analyse {id}",
    lesion="Läsion {id}",
    batch="Sammlung {id}",
    record="Akte {id}",
    page="Seite {number} von {count}",
    notices={
        "Research and decision support only. Not a diagnosis.": (
            "Nur für Forschung und als Entscheidungshilfe. Keine Diagnose."
        )
    },
    patient="Patient/in",
    patient_id="Patientennummer",
    born="geboren am {date}",
    lesion_id="Läsionsnummer",
    body_site="Körperstelle",
    sexes={
        "female": "weiblich",
        "male": "männlich",
        "other": "divers",
        "unknown": "Geschlecht unbekannt",
    },
    sites={
        "anterior torso": "Rumpf vorn",
        "head/neck": "Kopf/Hals",
        "lateral torso": "Rumpf seitlich",
        "lower extremity": "untere Extremität",
        "oral/genital": "Mund/Genitalbereich",
        "palms/soles": "Handflächen/Fußsohlen",
        "posterior torso": "Rumpf hinten",
        "upper extremity": "obere Extremität",
    },
    most_probable="Wahrscheinlichste Klasse",
    probability="Wahrscheinlichkeit {share}",
    malignant="Wahrscheinlichkeit für bösartig",
    malignant_column="Bösartig",
    suspicious="Verdächtig: ja",
    not_suspicious="Verdächtig: nein",
    operating_point="Arbeitspunkt: verdächtig ab {threshold}",
    measured=(
        "Am Arbeitspunkt werden {sensitivity} der bösartigen Läsionen gefunden (Sensitivität) und "
        "{specificity} der übrigen nicht beanstandet (Spezifität), gemessen an {measured_on}."
    ),
    interval="95-%-Intervall {low} bis {high}",
    prediction=(
        "Eine Vorhersage der unten genannten Modelle, zu lesen zusammen mit dem klinischen Befund."
    ),
    result="Ergebnis",
    cannot_assess="Nicht beurteilbar",
    no_prediction="Diese Aufnahme lässt keine Vorhersage zu.",
    without_prediction=(
        "Es wird keine Wahrscheinlichkeit angegeben. Die Läsion muss trotzdem klinisch "
        "angesehen werden."
    ),
    outlined="Die Aufnahme mit dem Umriss der Läsion",
    not_outlined="Die Aufnahme, wie sie analysiert wurde, ohne Umriss",
    spoke_for="Was im Bild für {label} sprach",
    low="wenig",
    high="viel",
    probabilities="Wahrscheinlichkeiten",
    labels={
        "akiec": "Aktinische Keratose / intraepitheliales Karzinom",
        "bcc": "Basalzellkarzinom",
        "bkl": "Benigne keratoseartige Läsion",
        "df": "Dermatofibrom",
        "mel": "Melanom",
        "nv": "Melanozytärer Nävus",
        "vasc": "Vaskuläre Läsion",
    },
    quality="Bildqualität",
    acceptable="Für die Beurteilung ausreichend.",
    limited="Eingeschränkt:",
    reasons={
        "too_small": Reason(
            "Die Aufnahme hat zu wenige Pixel, um die Struktur einer Läsion zu zeigen.",
            "Die Aufnahme in Originalgröße senden.",
        ),
        "too_dark": Reason("Die Aufnahme ist zu dunkel.", "Mit mehr Licht wiederholen."),
        "too_bright": Reason("Die Aufnahme ist zu hell.", "Mit weniger Licht wiederholen."),
        "low_contrast": Reason(
            "Die Aufnahme ist fast einfarbig.", "Licht und Kontakt des Dermatoskops prüfen."
        ),
        "blurred": Reason(
            "Die Aufnahme ist unscharf.", "Das Dermatoskop ruhig halten und neu fokussieren."
        ),
        "no_lesion": Reason(
            "In der Aufnahme wurde keine Läsion gefunden.",
            "Die ganze Läsion mit etwas Haut ringsum in die Mitte nehmen.",
        ),
        "not_dermoscopy": Reason(
            "Das Bild sieht nicht wie die dermatoskopische Aufnahme einer Läsion aus.",
            "Durch ein Dermatoskop aufnehmen.",
        ),
    },
    measures_heading="Maße der umrissenen Läsion",
    measures=(
        Measure(
            "area_fraction", "Fläche", "Anteil des Bildes innerhalb des Umrisses", is_share=True
        ),
        Measure("asymmetry", "Asymmetrie", "0 spiegelgleich, 1 keine Deckung mit dem Spiegelbild"),
        Measure("border_irregularity", "Unregelmäßiger Rand", "0 ein Kreis, 1 zerklüftet"),
        Measure("color_variegation", "Farbvielfalt", "Streuung der Farben: 0 gleichmäßig, 1 stark"),
    ),
    note="Anmerkung",
    opinion="Eigene Beurteilung der Klinik",
    agrees="Stimmt der Vorhersage zu: {label}",
    disagrees="Sieht eine andere Klasse: {label}",
    cannot_tell="An dieser Aufnahme nicht zu entscheiden",
    machine_written="Zusammenfassung: maschinell verfasster Text",
    machine_explained=(
        "Von einem Sprachmodell{by} allein aus kodierten Befunden verfasst. Ändert keine "
        "Klasse, keine Wahrscheinlichkeit und keinen Rat."
    ),
    template_written="Zusammenfassung: ausgefüllte Sätze",
    template_explained=(
        "Feste Sätze, in die Zahlen dieser Seite eingesetzt sind; weder ein Mensch noch ein "
        "Sprachmodell hat sie verfasst."
    ),
    earlier="Frühere Analysen dieser Läsion",
    this_analysis="Diese Analyse",
    picture="Bild",
    date="Datum",
    label="Wahrscheinlichste Klasse",
    change="Änderung",
    area="Fläche",
    change_explained=(
        "Fläche: Anteil des Bildes innerhalb des Umrisses; vergleichbar nur bei gleicher "
        "Vergrößerung. Änderung: Prozentpunkte gegenüber der Zeile davor."
    ),
    clinician_says="Klinik: {label}",
    models="Modelle und Herkunft",
    figures="Gemessen an {split}: {figures}",
    figures_within="Gemessen an {split}, 95-%-Intervalle in Klammern: {figures}",
    metrics={
        "balanced_accuracy": "ausgewogene Genauigkeit",
        "macro_auc": "mittlere AUC der Klassen",
        "expected_calibration_error": "Kalibrierungsfehler",
        "suspicious_sensitivity": "Sensitivität für verdächtig",
        "suspicious_specificity": "Spezifität für verdächtig",
        "mean_dice": "mittlerer Dice",
        "mean_jaccard": "mittlerer Jaccard",
        "thresholded_jaccard": "Jaccard mit Schwelle",
    },
    analyzed_picture="Analysierte Aufnahme",
    mask="Maske",
    prepared="Aufbereitung",
    course="Verlauf",
    analyses="Analysen dieser Läsion",
    counts=(
        "{total} Aufnahmen: {suspicious} verdächtig, {other} nicht verdächtig, "
        "{unassessed} nicht beurteilbar, {failed} nicht verwendbar"
    ),
    name="Name",
    about="Patient/in, Läsion, Körperstelle",
    failed="Nicht verwendbar",
    no_picture={
        "out_of_time": Absence(
            "Kein Bild: Zeit abgelaufen",
            "Ohne Bild, weil die Zeit für diesen Bericht vorher ablief: Nr. {rows}.",
        ),
        "lost": Absence(
            "Kein Bild: fehlt oder defekt",
            "Ohne Bild, weil das aufbewahrte fehlt, beschädigt ist oder nicht herausgegeben wird: "
            "Nr. {rows}.",
        ),
    },
    missing_letters=(
        "Ein Zeichen in eckigen Klammern steht für ein Unicode-Zeichen, das der Schrift "
        "dieser Seite fehlt: {codes}."
    ),
    and_more=" und {count} weitere",
)
