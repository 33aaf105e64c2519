"""docs/audit.md says what each operation leaves."""

from deploy import audit_table


def test_the_page_has_every_operation_as_it_is() -> None:
    assert audit_table.PAGE.read_text(encoding="utf-8") == audit_table.page(), (
        "run: python -m deploy.audit_table"
    )
