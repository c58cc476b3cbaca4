"""`make diff` prints direction and area where the id of a rule does not name them."""

import json
from pathlib import Path

import pytest

from contract_watch.commands import compare_documents
from tests.support.documents.pairs import FRAGMENT_KINDS, complete_document


def test_a_change_of_a_schema_names_direction_and_area(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A change of a schema is printed with direction and area, any other change with its rule alone."""
    wrap = FRAGMENT_KINDS["response-body"].wrap
    base, revision = (complete_document(wrap({"type": type_}), "3.1.0") for type_ in ("string", "integer"))
    revision["paths"]["/new"] = {"get": {"responses": {"204": {"description": "Nothing."}}}}
    for name, document in (("base", base), ("revision", revision)):
        (tmp_path / name).write_text(json.dumps(document), encoding="utf-8")
    compare_documents.main(["--base", str(tmp_path / "base"), "--revision", str(tmp_path / "revision")])
    printed = capsys.readouterr().out
    assert "[type-changed in a response body]" in printed
    assert "[path-added]" in printed
    assert "Existing requests do not use it." in printed
