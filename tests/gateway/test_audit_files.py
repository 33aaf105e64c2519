"""Files of rows: what somebody made of an export is told, in a sentence."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import audit as command
from services.gateway import auditing
from services.gateway.audit import Keys, line
from services.gateway.audit.chain import GENESIS
from services.gateway.audit.note import Note
from services.gateway.audit.trail import fields
from services.gateway.records import DEFAULT_ORGANISATION, AuditRow

NOTE = Note(action="patients.read", operation="patients", subject="patient")
SAID = {
    **dict.fromkeys(AuditRow.model_fields),
    **fields(NOTE, "done", 200),
    "organisation_id": DEFAULT_ORGANISATION,
    "sequence": 1,
    "previous": GENESIS,
}
ROW = line(SAID | {"hash": Keys.of("").digest(None, SAID)})
CHANGED = {
    "an empty line": "",
    "no JSON": ROW[:-1],
    "no object": "[]",
    "a column that is gone": json.dumps(
        {name: value for name, value in json.loads(ROW).items() if name != "previous"}
    ),
    "a column that is there twice": ROW.replace("{", '{"outcome":"refused",', 1),
    "no name of a chain": line(json.loads(ROW) | {"organisation_id": ["x"]}),
    "no name of a key": line(json.loads(ROW) | {"key": ["x"]}),
    "nested deep": "[" * 100_000,
}


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERMSERVE_DATA_DIR", str(tmp_path))


@pytest.mark.parametrize("changed", CHANGED)
def test_a_line_that_is_no_row_is_named(
    tmp_path: Path, changed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "export.jsonl"
    kept.write_text(f"{ROW}\n{CHANGED[changed]}\n")

    of_container = auditing.main(["verify", str(kept)])
    said = capsys.readouterr().err
    by_hand = CliRunner().invoke(command.app, ["verify", str(kept)])

    assert (of_container, by_hand.exit_code) == (2, 1)
    assert said == by_hand.stderr == "dermserve: Line 2 is no row of an export.\n"


def test_the_row_by_itself_is_as_it_was_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "export.jsonl"
    kept.write_text(ROW)

    assert auditing.main(["verify", str(kept)]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []
