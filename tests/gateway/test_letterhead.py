"""What all reports of an installation have: its logo, and addresses that lead to records."""

from pathlib import Path

import pytest

from services.gateway.boot import BootError
from tests import specimens
from tests.gateway.conftest import Gateway, Start
from tests.gateway.test_reports import of_analysis


async def test_a_report_leads_to_its_record_where_operators_say_where_that_is(
    start: Start, tmp_path: Path
) -> None:
    logo = tmp_path / "logo.png"
    logo.write_bytes(specimens.encoded(specimens.lesion((64, 32)), "PNG"))
    settings = {"institution_logo": logo, "public_url": "https://derm.example/"}
    async with start(**settings) as gateway:
        alice = await gateway.signed_in()
        where = (await alice.analyze()).headers["Location"]

        report = await of_analysis(gateway, alice, where)

    assert report.record_url == f"https://derm.example/analyses/{report.analysis_id}"
    assert report.logo == logo.read_bytes()


async def test_without_an_address_or_a_logo_there_is_none(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    where = (await alice.analyze()).headers["Location"]

    report = await of_analysis(gateway, alice, where)

    assert (report.record_url, report.logo) == ("", b"")


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"<svg/>",
        specimens.encoded(specimens.lesion((64, 32)), "GIF"),
        specimens.encoded(specimens.lesion((2100, 2000)), "JPEG"),
        specimens.encoded(specimens.lesion((64, 32)), "PNG") + bytes(256 * 1024),
    ],
    ids=["missing", "empty", "svg", "gif", "too many pixels", "too many bytes"],
)
async def test_a_logo_that_no_report_could_show_is_refused_at_boot(
    start: Start, tmp_path: Path, content: bytes | None
) -> None:
    logo = tmp_path / "logo.png"
    if content is not None:
        logo.write_bytes(content)

    with pytest.raises(BootError, match="DERMSERVE_GATEWAY_INSTITUTION_LOGO"):
        async with start(institution_logo=logo):
            pass
