"""The page of who may do what says what the code says."""

from deploy import access_table


def test_the_page_is_current() -> None:
    assert access_table.PAGE.read_text(encoding="utf-8") == access_table.page(), (
        "run python -m deploy.access_table"
    )
