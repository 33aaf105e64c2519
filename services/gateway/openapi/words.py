"""What an operation does, in a few words: the first sentence of its description."""

from typing import Any


def drop_titles(part: Any) -> None:
    """Drop the titles that the framework gives to everything: they are the names once more."""
    if isinstance(part, list):
        for each in part:
            drop_titles(each)
    if isinstance(part, dict):
        if isinstance(part.get("title"), str):
            del part["title"]
        for each in part.values():
            drop_titles(each)


def summarize(operation: dict[str, Any]) -> None:
    """Replace the framework's summary, which is only the function's name."""
    paragraph = operation["description"].partition("\n\n")[0].replace("\n", " ")
    operation["summary"] = paragraph.partition(". ")[0].rstrip(".")
