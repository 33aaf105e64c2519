"""What each drawn thing is, for screen readers and searches: tagged PDF (ISO 32000-1, 14.8).

Each sheet counts its marks while it is drawn; when all are drawn, the marks become a tree of
structure, in the order in which they were drawn, which is the order in which they are read.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from reportlab.pdfbase.pdfdoc import PDFArray, PDFDictionary, PDFName, PDFString
from reportlab.platypus import Paragraph


class Mark(NamedTuple):
    """One tagged thing of a sheet."""

    role: str
    """A standard structure type: ``P``, ``H1``, ``Figure``."""
    alternative: str = ""
    """What a picture shows, in words."""
    actual: str | None = None
    """The text as it is read, where the drawn one is joined or turned; empty is not read."""


class Text(Paragraph):
    """A paragraph that says which kind of text it is: its style's role."""

    actual: str | None = None

    def draw(self) -> None:
        role = getattr(self.style, "role", "P")
        with tagged(self.canv, Mark(role, actual=self.actual)):
            super().draw()


@contextmanager
def tagged(canvas: Any, mark: Mark) -> Iterator[None]:
    """Tag what is drawn meanwhile."""
    canvas._code.append(f"/{mark.role} <</MCID {len(canvas.marks)}>> BDC")  # noqa: SLF001
    canvas.marks.append(mark)
    yield
    canvas._code.append("EMC")  # noqa: SLF001 - the library knows no marks


@contextmanager
def decoration(canvas: Any) -> Iterator[None]:
    """Say that what is drawn meanwhile tells nothing."""
    canvas._code.append("/Artifact BMC")  # noqa: SLF001
    yield
    canvas._code.append("EMC")  # noqa: SLF001


class _Elements(PDFArray):
    """What a sheet holds; others come between two sheets also when the file is written."""

    def __init__(self, elements: Sequence[Any], give_way: Callable[[], None]) -> None:
        super().__init__(elements)
        self._give_way = give_way

    def format(self, document: Any, IND: bytes = b"\n ") -> bytes:
        self._give_way()
        return bytes(super().format(document, IND))


def build(document: Any, sheets: Sequence[Sequence[Mark]], give_way: Callable[[], None]) -> None:
    """Write the tree of structure of a document whose sheets are all drawn.

    Args:
        document: of the PDF library.
        sheets: the marks of each page.
        give_way: lets other documents be set; called between two pages.

    """
    catalog = document.Catalog
    root, whole = PDFDictionary(), PDFDictionary()
    numbers: list[Any] = []
    kids: list[Any] = []
    for index, (page, marks) in enumerate(zip(document.Pages.pages, sheets, strict=True)):
        give_way()
        page.__NoDefault__ = [*page.__NoDefault__, "StructParents", "Tabs"]
        page.StructParents, page.Tabs = index, PDFName("S")
        elements = [
            document.Reference(_element(document, whole, page, number, mark))
            for number, mark in enumerate(marks)
        ]
        numbers += [index, document.Reference(_Elements(elements, give_way))]
        kids += elements
    whole["Type"], whole["S"] = PDFName("StructElem"), PDFName("Document")
    whole["P"], whole["K"] = document.Reference(root), PDFArray(kids)
    root["Type"], root["K"] = PDFName("StructTreeRoot"), document.Reference(whole)
    root["ParentTree"] = document.Reference(PDFDictionary({"Nums": PDFArray(numbers)}))
    root["ParentTreeNextKey"] = len(sheets)
    catalog.StructTreeRoot = root
    catalog.MarkInfo = PDFDictionary({"Marked": "true"})


def _element(
    document: Any, whole: PDFDictionary, page: Any, number: int, mark: Mark
) -> PDFDictionary:
    element = PDFDictionary(
        {
            "Type": PDFName("StructElem"),
            "S": PDFName(mark.role),
            "P": document.Reference(whole),
            "Pg": document.Reference(page),
            "K": number,
        }
    )
    if mark.alternative:
        element["Alt"] = PDFString(mark.alternative)
    if mark.actual is not None:
        element["ActualText"] = PDFString(mark.actual)
    return element
