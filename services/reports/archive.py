"""What makes a file PDF/A-2b (ISO 19005-2): metadata, colors, an id; nothing from outside.

Fonts are embedded by the PDF library; pages hold neither transparency nor scripts nor links.
"""

import itertools
import re
import unicodedata
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.sax.saxutils import escape

from reportlab.pdfbase.pdfdoc import XMP, PDFArray, PDFDictionary, PDFName, PDFStream, PDFString
from reportlab.pdfgen.canvas import Canvas

from services.reports.imprint import Imprint

_CREATOR = "dermserve"
_PRODUCER = "dermserve, with ReportLab"
_SRGB = (Path(__file__).parent / "color" / "sRGB.icc").read_bytes()
_CONDITION = "sRGB IEC61966-2.1"
_KEYWORDS = "dermoscopy"
_ENTRY = re.compile(rb"(\d{10})( \d{5} n)")
_STREAM_END = re.compile(rb"(endstream\nendobj\s*)\Z")

_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""
  xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
  xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"
  xmlns:xmp="http://ns.adobe.com/xap/1.0/"
  xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/">
<pdfaid:part>2</pdfaid:part>
<pdfaid:conformance>B</pdfaid:conformance>
<dc:format>application/pdf</dc:format>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{subject}</rdf:li></rdf:Alt></dc:description>
<dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language>
<pdf:Keywords>{keywords}</pdf:Keywords>
<pdf:Producer>{producer}</pdf:Producer>
<xmp:CreatorTool>{creator}</xmp:CreatorTool>
<xmp:CreateDate>{moment}</xmp:CreateDate>
<xmp:ModifyDate>{moment}</xmp:ModifyDate>
<xmpMM:DocumentID>uuid:{document}</xmpMM:DocumentID>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def describe(canvas: Canvas, imprint: Imprint, document: UUID) -> None:
    """Write into a file what it is, twice the same: for readers of PDF and for archives.

    Args:
        canvas: that it was drawn on.
        imprint: what the report says of itself.
        document: tells it from every other one.

    """
    moment = imprint.created
    about = {
        "title": f"{imprint.title} {imprint.record_id}",
        "author": imprint.institution or _CREATOR,
        "subject": imprint.subject,
        "keywords": _KEYWORDS,
        "producer": _PRODUCER,
        "creator": _CREATOR,
    }
    about = {name: _printable(text) for name, text in about.items()}
    canvas.setTitle(about["title"])
    canvas.setAuthor(about["author"])
    canvas.setSubject(about["subject"])
    canvas.setKeywords(about["keywords"])
    canvas.setCreator(about["creator"])
    canvas.setProducer(about["producer"])
    stamp = f"D:{moment.year:04}{moment:%m%d%H%M%S}+00'00'"
    canvas.setDateFormatter(lambda *_: stamp)
    canvas.setViewerPreference("DisplayDocTitle", "true")
    packet = _PACKET.format(
        **{name: escape(text) for name, text in about.items()},
        language=imprint.language,
        moment=f"{moment.year:04}-{moment:%m-%dT%H:%M:%S}+00:00",
        document=document,
    )
    _catalogue(canvas, packet, imprint.language)
    # The library's own knows what is drawn and not what else the file holds.
    canvas._doc._ID = b"[<%b><%b>]" % ((document.hex.encode(),) * 2)  # type: ignore[attr-defined] # noqa: SLF001


def _catalogue(canvas: Canvas, packet: str, language: str) -> None:
    catalog: Any = canvas._doc.Catalog  # type: ignore[attr-defined] # noqa: SLF001 - the only way
    catalog.Lang = PDFString(language)
    catalog.Metadata = XMP(creator=lambda _: packet.encode())
    profile = PDFStream(PDFDictionary({"N": 3, "Alternate": PDFName("DeviceRGB")}), _SRGB)
    intent = PDFDictionary(
        {
            "Type": PDFName("OutputIntent"),
            "S": PDFName("GTS_PDFA1"),
            "OutputConditionIdentifier": PDFString(_CONDITION),
            "Info": PDFString(_CONDITION),
            "DestOutputProfile": canvas._doc.Reference(profile),  # type: ignore[attr-defined] # noqa: SLF001
        }
    )
    # The library knows a fixed list of a catalogue's entries.
    catalog.__NoDefault__ = [*catalog.__NoDefault__, "OutputIntents"]
    catalog.OutputIntents = PDFArray([intent])


def with_line_ends(pdf: bytes) -> bytes:
    """Return a file whose streams end with a line end, as ISO 19005-2, 6.1.7.1 asks for.

    The PDF library writes none, and tells nobody where its objects end but in the file's table.
    """
    start = int(pdf[pdf.rindex(b"startxref") :].split()[1])
    table = pdf[start:]
    offsets = sorted(int(entry[1]) for entry in _ENTRY.finditer(table))
    moved: dict[int, int] = {}
    written = bytearray(pdf[: offsets[0]])
    for begin, end in itertools.pairwise([*offsets, start]):
        moved[begin] = len(written)
        written += _STREAM_END.sub(rb"\n\1", pdf[begin:end])
    table = _ENTRY.sub(lambda entry: b"%010d%b" % (moved[int(entry[1])], entry[2]), table)
    foot = b"startxref\n%d"
    return bytes(written) + table.replace(foot % start, foot % len(written))


def _printable(text: str) -> str:
    """Return text without what XML cannot hold, or what would turn a window's title around."""
    return "".join(
        " " if unicodedata.category(character).startswith("C") else character for character in text
    ).strip()
