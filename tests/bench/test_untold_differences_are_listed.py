"""The plain comparison of two documents lists what no change tells, and nothing else."""

import copy
import json
from pathlib import Path

import pytest

from tests.bench.untold_differences import main
from tests.support.documents.small_documents import make_document


def test_what_no_change_tells_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A keyword without a rule is listed; a change that is told, prose, and an unused component are not."""
    one = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
    content = {"application/json": {"schema": one}}
    get = {"responses": {"200": {"description": "", "content": content}}}
    base = make_document(paths={"/x": {"get": get}}, components={"schemas": {"Unused": {"type": "string"}}})
    revision = copy.deepcopy(base)
    new = revision["paths"]["/x"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["properties"]
    new["a"] = {"type": "integer", "title": "A"}
    new["b"]["xml"] = {"name": "B"}
    revision["components"]["schemas"]["Unused"]["type"] = "integer"
    for name, document in (("old", base), ("new", revision)):
        (tmp_path / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    assert main([str(tmp_path / "old.json"), str(tmp_path / "new.json")]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    (line,) = lines
    assert line.endswith('/properties/b/xml: absent → { "name": "B" }')
    assert last == "1 differences that no change tells: xml 1"
