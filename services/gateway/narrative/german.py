"""Summaries in German."""

from services.gateway.narrative.wording import Wording, finding, listed

GERMAN = Wording(
    language="de",
    decimal_sign=",",
    names={
        "akiec": "aktinische Keratose / intraepitheliales Karzinom",
        "bcc": "Basalzellkarzinom",
        "bkl": "gutartige keratoseartige Läsion",
        "df": "Dermatofibrom",
        "mel": "Melanom",
        "nv": "melanozytärer Nävus",
        "vasc": "vaskuläre Läsion",
    },
    reasons={
        "too_small": "es hat zu wenige Bildpunkte",
        "too_dark": "es ist zu dunkel",
        "too_bright": "es ist zu hell",
        "low_contrast": "es hat zu wenig Kontrast",
        "blurred": "es ist unscharf",
        "no_lesion": "das Modell hat darin keine Läsion gefunden",
        "not_dermoscopy": "es sieht nicht wie ein dermatoskopisches Bild aus",
    },
    and_=" und ",
    prediction="Von den sieben Klassen, die das Modell kennt, hat {name} ({label}) für dieses Bild "
    "die höchste Wahrscheinlichkeit: {probability} %.",
    flagged="als verdächtig markiert",
    unflagged="nicht als verdächtig markiert",
    above="Die bösartigen Klassen haben zusammen eine Wahrscheinlichkeit von {malignant} %, was "
    "die Schwelle von {threshold} % erreicht: Das Bild ist als verdächtig markiert.",
    below="Die bösartigen Klassen haben zusammen eine Wahrscheinlichkeit von {malignant} %, was "
    "unter der Schwelle von {threshold} % liegt: Das Bild ist nicht als verdächtig markiert.",
    measures="Die umrissene Läsion bedeckt {area} % des Bildes; auf Skalen von 0 bis 1 beträgt "
    "die Asymmetrie {asymmetry}, die Unregelmäßigkeit des Randes {border} und die "
    "Farbvielfalt {color}.",
    unassessed="konnte nicht beurteilt werden",
    because="Das Bild konnte nicht beurteilt werden: {reasons}. Dafür gibt es keine "
    "Wahrscheinlichkeit.",
    without="keine wahrscheinlichkeit",
    causes={
        "too_small": "zu wenige Bildpunkte",
        "too_dark": "zu dunkel",
        "too_bright": "zu hell",
        "low_contrast": "zu wenig Kontrast",
        "blurred": "unscharf",
        "no_lesion": "keine Läsion",
        "not_dermoscopy": "sieht nicht wie ein dermatoskopisches Bild aus",
    },
    phrases=("bösartigen klassen", "bösartige klassen", "sieben klassen"),
    scale="von 0 bis 1",
    subjects={
        "malignant": "bösartigen? klassen",
        "threshold": "schwelle",
        "area": "fläche|bedeckt",
        "asymmetry": "asymmetrie",
        "border": "unregelmäßigkeit",
        "color": "farbvielfalt",
    },
    says_above=finding(
        "erreich höher oberhalb überschr übersteig übertri größer", "über darüber mehr"
    ),
    says_below=finding("niedriger geringer kleiner verfehl", "unter darunter unterhalb weniger"),
    words=listed(
        "alle als am an asymmetrie auch auf aus bedeckt befunde beträgt bild bildes da dafür "
        "daher damit darin darunter darüber das dass dem den der des deshalb die dies diese "
        "diesem dieser dieses ein eine einem einen einer ergibt erreichen erreicht es "
        "farbvielfalt fläche für gefunden gemessen geschätzt gibt haben hat hier höchste höher "
        "im in insgesamt ist jeweils kennt klasse klassen liegen liegt läsion maße mit "
        "modell modells nennt niedriger oberhalb randes schwelle sind skala skalen so somit "
        "summe umrissen umrissene und unregelmäßigkeit unter unterhalb von vorhergesagt "
        "wahrscheinlichkeit wahrscheinlichkeiten wahrscheinlichste wahrscheinlichsten was weil "
        "welche wert werte wird zu zusammen über übersteigt"
    ),
    prompt="You put coded findings of a dermoscopy model into two to four plain German sentences "
    "that stand beside them. The user message is JSON. Say only what it says. Where "
    "`prediction` is there: name the class of `label`, by its name below, undeclined, and "
    "only together with its `probability`, and no other class; give that of the 'bösartigen "
    "Klassen'; then write word for word that the picture is 'als verdächtig markiert' where "
    "`suspicious` is true, or 'nicht als verdächtig markiert' where it is false. Where "
    "`prediction` is null: write word for word that the picture 'konnte nicht beurteilt "
    "werden', and why, as told below; give no figure and no class. Measures are given 'von "
    "0 bis 1', `area` in percent of the picture. Write a figure after what it is of, in the "
    "same sentence, as it is, with a decimal comma, percentages with a % sign. Address "
    "nobody. No advice, no judgement, no diagnosis, nothing about what comes next, no other "
    "negation, and no word that is not among those below. At most 600 characters, one "
    "paragraph of plain text without quotes, lists or markup.",
    by_machine="Von einer Maschine ({model}) aus den Befunddaten daneben geschrieben. Es ändert "
    "nichts an ihnen und kann falsch sein: Was zählt, sind die Befunddaten.",
    by_template="Von einer Vorlage aus den Befunddaten daneben ausgefüllt; keine Maschine hat es "
    "geschrieben.",
)
