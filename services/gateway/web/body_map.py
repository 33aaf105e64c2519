"""Where on the body: a drawing of front and back whose regions can be chosen, and their words.

The words are plain ones for what records keep as free text; they claim no coding system. Right and
left are the patient's own.
"""

from typing import NamedTuple

_SCALP = "M81 33C80 8 120 8 119 33Q100 23 81 33Z"
_FACE = "M81 34Q100 24 119 34C119 51 110 60 100 60S81 51 81 34Z"
_HEAD = "M81 34C80 6 120 6 119 34C119 50 111 59 100 60C89 59 81 50 81 34Z"
_NECK = "M90 58Q100 64 110 58L111 72Q100 78 89 72Z"
_CHEST = "M89 74Q100 80 111 74L126 80L125 128Q100 136 75 128L74 80Z"
_ABDOMEN = "M75 129Q100 137 125 129L123 158L127 182Q100 190 73 182L77 158Z"
_GROIN = "M73 183Q100 191 127 183L131 205Q112 211 100 224Q88 211 69 205Z"
_UPPER_BACK = (
    "M89 73Q100 78 111 73L138 82Q143 90 142 101L127 101L125 132H75L73 101L58 101Q57 90 62 82Z"
)
_LOWER_BACK = "M75 133H125L123 158L127 178H73L77 158Z"

_SHOULDER = "M88 74L73 80L73 101L58 101Q57 82 72 78Z"
_UPPER_ARM = "M58 102H73L71 142H55Q53 122 58 102Z"
_FOREARM = "M55 143H71L65 192H53Q50 165 55 143Z"
_HAND = "M53 193H65Q68 206 65 217Q62 225 55 222Q48 216 53 193Z"
_THIGH = "M69 206Q88 212 99 225L97 286H75Q66 240 69 206Z"
_KNEE = "M75 287H97L96 309H77Z"
_LOWER_LEG = "M77 310H96Q98 345 93 386H81Q74 345 77 310Z"
_FOOT = "M81 387H93L94 402Q93 414 82 414Q70 413 74 405Z"
_BUTTOCK = "M73 179H99.500V222Q84 228 69 220Z"
_BACK_OF_THIGH = "M69 221Q84 229 99 223L97 286H75Q67 250 69 221Z"

_FRONT = {
    "scalp": _SCALP,
    "face": _FACE,
    "front of the neck": _NECK,
    "chest": _CHEST,
    "abdomen": _ABDOMEN,
    "groin": _GROIN,
}
_FRONT_PAIRED = {
    "{} shoulder": _SHOULDER,
    "{} upper arm, front": _UPPER_ARM,
    "{} forearm, front": _FOREARM,
    "{} palm": _HAND,
    "{} thigh, front": _THIGH,
    "{} knee": _KNEE,
    "{} shin": _LOWER_LEG,
    "top of the {} foot": _FOOT,
}
_BACK = {
    "back of the head": _HEAD,
    "nape of the neck": _NECK,
    "upper back": _UPPER_BACK,
    "lower back": _LOWER_BACK,
}
_BACK_PAIRED = {
    "{} upper arm, back": _UPPER_ARM,
    "{} forearm, back": _FOREARM,
    "back of the {} hand": _HAND,
    "{} buttock": _BUTTOCK,
    "{} thigh, back": _BACK_OF_THIGH,
    "hollow of the {} knee": _KNEE,
    "{} calf": _LOWER_LEG,
    "{} heel": _FOOT,
}

ELSEWHERE = (
    "right ear",
    "left ear",
    "inside the mouth",
    "genital or anal area",
    "right sole",
    "left sole",
    "fingernail",
    "toenail",
)
"""What no drawing of front and back shows."""


class Region(NamedTuple):
    """A region that is drawn.

    Attributes:
        name: in words.
        outline: as a path of SVG, in a drawing of 200 by 430.
        transform: where it lies in the drawing of both, the front at the left.

    """

    name: str
    outline: str
    transform: str


def _paired(shapes: dict[str, str], drawn: str, other: str, offset: int) -> list[Region]:
    """Return the regions of both sides; what is drawn lies at the left of whoever looks."""
    return [
        Region(name.format(side), outline, transform)
        for name, outline in shapes.items()
        for side, transform in (
            (drawn, f"translate({offset})"),
            (other, f"matrix(-1 0 0 1 {200 + offset} 0)"),
        )
    ]


REGIONS = (
    *(Region(name, outline, "translate(0)") for name, outline in _FRONT.items()),
    *_paired(_FRONT_PAIRED, "right", "left", 0),
    *(Region(name, outline, "translate(160)") for name, outline in _BACK.items()),
    *_paired(_BACK_PAIRED, "left", "right", 160),
)

BODY_SITES = (*(region.name for region in REGIONS), *ELSEWHERE)
"""All words that the drawing has; records may have any others too."""
