"""What makes a file PDF/A-2b (ISO 19005-2), rule by rule, read back from the file.

Fonts, colors and metadata are what archives refuse files for; the clauses stand at the tests.
"""

import io
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, StreamObject

from services.pb.reports_pb2 import RenderRequest
from services.reports import document
from tests.reports import messages
from tests.reports.reading import MAX_PIXELS

NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "pdf": "http://ns.adobe.com/pdf/1.3/",
    "pdfaid": "http://www.aiim.org/pdfa/ns/id/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xmp": "http://ns.adobe.com/xap/1.0/",
}


def many_scripts() -> RenderRequest:
    request = messages.filed()
    request.language = "de"
    request.analysis.patient.name = "Zoë محمد Дарья"
    request.analysis.institution = 'Klinik "A & B" <Süd>'
    return request


@pytest.fixture(scope="module", params=["filed", "scripts", "lesion", "batch", "refused"])
def pdf(request: pytest.FixtureRequest) -> bytes:
    made = {
        "filed": messages.filed,
        "scripts": many_scripts,
        "lesion": messages.lesion_over_time,
        "batch": messages.batch,
        "refused": messages.not_assessed,
    }
    return document.render(made[request.param](), MAX_PIXELS)[0]


@pytest.fixture(scope="module")
def reader(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf), strict=True)


def objects(reader: PdfReader) -> Iterator[Any]:
    """Return every object of the file."""
    for number in reader.xref[0]:
        yield reader.get_object(IndirectObject(number, 0, reader))


def dictionaries(value: Any) -> Iterator[DictionaryObject]:
    """Return every dictionary in an object."""
    if isinstance(value, DictionaryObject):
        yield value
        for inner in value.values():
            yield from dictionaries(inner)
    elif isinstance(value, ArrayObject):
        for inner in value:
            yield from dictionaries(inner)


def metadata(reader: PdfReader) -> ET.Element:
    stream: Any = reader.root_object["/Metadata"]
    return ET.fromstring(stream.get_object().get_data().decode())  # noqa: S314 - our own


def said(reader: PdfReader, path: str) -> str:
    found = metadata(reader).find(f".//{path}", NAMESPACES)
    assert found is not None
    return "".join(found.itertext())


def test_the_file_says_that_it_is_pdf_a_2b(reader: PdfReader) -> None:  # 6.6.4
    assert said(reader, "pdfaid:part") == "2"
    assert said(reader, "pdfaid:conformance") == "B"


def test_both_kinds_of_metadata_say_the_same(reader: PdfReader) -> None:  # 6.6.3
    about = reader.metadata
    assert about is not None
    assert said(reader, "dc:title") == about.title
    assert said(reader, "dc:creator") == about.author
    assert said(reader, "dc:description") == about.subject
    assert said(reader, "pdf:Keywords") == str(about["/Keywords"])
    assert said(reader, "pdf:Producer") == about.producer
    assert said(reader, "xmp:CreatorTool") == about.creator
    assert about.creation_date is not None
    assert about.modification_date is not None
    assert said(reader, "xmp:CreateDate") == about.creation_date.isoformat()
    assert said(reader, "xmp:ModifyDate") == about.modification_date.isoformat()


def test_metadata_can_be_found_without_reading_pdf(
    reader: PdfReader, pdf: bytes
) -> None:  # 6.6.2.1
    stream: Any = reader.root_object["/Metadata"]
    assert "/Filter" not in stream.get_object()
    assert b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>' in pdf


def test_the_language_stands_in_the_file(reader: PdfReader) -> None:
    assert said(reader, "dc:language") == str(reader.root_object["/Lang"])


def test_every_font_travels_with_what_it_shows_and_with_what_that_means(  # 6.2.11
    reader: PdfReader,
) -> None:
    fonts = [each for each in objects(reader) if isinstance(each, dict) and "/BaseFont" in each]
    assert fonts
    for font in fonts:
        assert font["/Subtype"] == "/TrueType"
        assert re.match(r"/[A-Z]{6}\+", font["/BaseFont"])
        assert font["/FontDescriptor"]["/FontFile2"].get_data().startswith(b"\x00\x01\x00\x00")
        assert b"beginbfchar" in font["/ToUnicode"].get_data()


def test_colors_have_a_meaning_of_their_own(reader: PdfReader) -> None:  # 6.2.3, 6.2.4
    intents: Any = reader.root_object["/OutputIntents"]
    assert [intent["/S"] for intent in intents] == ["/GTS_PDFA1"]
    profile = intents[0]["/DestOutputProfile"]
    assert profile["/N"] == 3
    header = profile.get_data()[:128]
    assert header[12:24] == b"mntrRGB XYZ "
    assert header[36:40] == b"acsp"
    spaces = {each["/ColorSpace"] for each in objects(reader) if has(each, "/ColorSpace")}
    assert spaces <= {"/DeviceRGB", "/DeviceGray"}


def has(value: Any, key: str) -> bool:
    return isinstance(value, dict) and key in value


def test_nothing_shines_through(reader: PdfReader) -> None:  # 6.2.10
    for each in objects(reader):
        for dictionary in dictionaries(each):
            assert "/SMask" not in dictionary
            assert dictionary.get("/ca", 1) == dictionary.get("/CA", 1) == 1
            assert dictionary.get("/S") != "/Transparency"


@pytest.mark.parametrize(
    "entry",
    ["/JS", "/JavaScript", "/AA", "/OpenAction", "/Encrypt", "/EmbeddedFiles", "/AcroForm", "/URI"],
)
def test_the_file_does_nothing_and_asks_nobody(reader: PdfReader, entry: str) -> None:  # 6.5, 6.9
    assert entry not in reader.trailer
    assert not any(entry in each for value in objects(reader) for each in dictionaries(value))


def test_the_file_has_an_id_and_a_header_for_binary_content(  # 6.1.2, 6.1.3
    reader: PdfReader, pdf: bytes
) -> None:
    ids: Any = reader.trailer["/ID"]
    first, second = (str(each) for each in ids)
    assert first == second != ""
    lines = pdf.split(b"\n", 2)
    assert re.fullmatch(rb"%PDF-1\.[4-7]\r?", lines[0])
    assert lines[1].startswith(b"%")
    assert all(byte > 127 for byte in lines[1][1:5])


def test_every_object_stands_where_the_table_says(reader: PdfReader, pdf: bytes) -> None:  # 6.1.4
    for number, offset in reader.xref[0].items():
        assert pdf[offset:].startswith(b"%d 0 obj" % number)


def test_streams_are_as_long_as_they_say_and_end_with_a_line_end(  # 6.1.7.1
    reader: PdfReader, pdf: bytes
) -> None:
    for number, offset in reader.xref[0].items():
        each = reader.get_object(IndirectObject(number, 0, reader))
        if isinstance(each, StreamObject):
            begin = pdf.index(b"stream\n", offset) + len(b"stream\n")
            length = int(re.search(rb"/Length (\d+)", pdf[offset:begin])[1])  # type: ignore[index]
            assert pdf[begin + length :].startswith(b"\nendstream\n")


def test_the_patient_is_named_on_the_page_only(reader: PdfReader, pdf: bytes) -> None:
    assert "Lindqvist" not in str(reader.metadata)
    assert b"Lindqvist" not in pdf
