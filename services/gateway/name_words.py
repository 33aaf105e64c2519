"""What the name of a person is found by: its words, without what people leave out when they type.

Case and accents do not count, nor marks that only lay text out: Müller is found by ``mull`` and
``MÜLL``, O'Brien by ``obrien`` and ``brien``. The same is done to what is kept and to what is asked
for, so that both databases need only compare characters.
"""

import re
import unicodedata

NAME_LENGTH = 200
"""Of a name, and of each of its words: some characters become several when they are folded."""

LEAST_ASKED = 2
"""Characters; one letter is enough of a writing without case, where it may be a whole name."""

MOST_ASKED = 10

_APOSTROPHE = "'"
_APOSTROPHES = str.maketrans(dict.fromkeys("`´‘’ʹʻʼʽʾʿ＇", _APOSTROPHE))  # noqa: RUF001 - meant so
# Letters that Unicode takes for ones of their own, and keyboards elsewhere have not.
_LETTERS = str.maketrans(
    {
        "æ": "ae",
        "ð": "d",
        "ø": "o",
        "þ": "th",
        "đ": "d",
        "ħ": "h",
        "ı": "i",  # noqa: RUF001 - without its dot
        "ł": "l",
        "œ": "oe",
        "ŧ": "t",
    }
)
_APART = frozenset({"Cc", "Zl", "Zp", "Zs", "Pd", "Ps", "Pe", "Pi", "Pf"})
_MARKS_APART = frozenset(',;:./"')
_VOICING = 8
"""Combining class of the marks by which Japanese tells letters apart: they are no accents."""
_VARIANTS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_FIRST_SURROGATE, _BEHIND_SURROGATES, _LAST = 0xD800, 0xE000, 0x10FFFF


def of(name: str) -> frozenset[str]:
    """Return all that a name is found by: its words, and parts of them behind an apostrophe."""
    words = _folded(name)
    parts = (part for word in words for part in word.split(_APOSTROPHE))
    return frozenset(_cut(each) for each in (*words, *parts)) - {""}


def asked(name: str) -> list[str]:
    """Return what words of a name must begin with to be meant, each with another than the others.

    Raises:
        ValueError: it has too few characters, or too many words.

    """
    words = {_cut(word) for word in _folded(name)} - {""}
    letters = "".join(words)
    if len(letters) < LEAST_ASKED and not (letters.isalpha() and letters == letters.upper()):
        raise ValueError(f"must have at least {LEAST_ASKED} characters that names are told by")
    # What begins with the longer one begins with the shorter one too.
    wanted = [each for each in words if not any(each != w and w.startswith(each) for w in words)]
    if len(wanted) > MOST_ASKED:
        raise ValueError(f"must have at most {MOST_ASKED} words")
    return sorted(wanted)


def behind(beginning: str) -> str | None:
    """Return the first text, by its characters, behind all that begin so; None if none is."""
    kept = beginning.rstrip(chr(_LAST))
    if not kept:
        return None
    following = ord(kept[-1]) + 1
    return kept[:-1] + chr(_BEHIND_SURROGATES if following == _FIRST_SURROGATE else following)


def _folded(name: str) -> list[str]:
    """Return the words of a name with nothing in them that does not count, but apostrophes."""
    text = unicodedata.normalize("NFKD", name.translate(_APOSTROPHES)).casefold()
    text = unicodedata.normalize("NFKD", _VARIANTS.sub("", text).translate(_LETTERS))
    return "".join(map(_kept, text)).split()


def _kept(character: str) -> str:
    """Return what of a character counts: itself, a space for what parts words, or nothing."""
    kind = unicodedata.category(character)
    if kind in _APART or character in _MARKS_APART:
        return " "
    is_mark = unicodedata.combining(character) not in {0, _VOICING}
    return "" if kind == "Cf" or is_mark else character


def _cut(word: str) -> str:
    return word.replace(_APOSTROPHE, "")[:NAME_LENGTH]
