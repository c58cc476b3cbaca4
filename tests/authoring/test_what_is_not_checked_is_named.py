"""`make check-contracts` and the report name what the engine cannot send or read, with place and reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from contract_watch.authoring.completeness import find_gaps, find_notes
from contract_watch.authoring.pointer_checks import check_pointers
from contract_watch.contracts.clauses import derive_clauses
from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.unchecked import note_unchecked
from contract_watch.errors import UsageError
from tests.support.depot import copy_depot

FORM = "application/x-www-form-urlencoded"


@pytest.fixture(name="depot")
def _depot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Contract:
    return copy_depot(tmp_path, monkeypatch)


def _edit(contract: Contract, edit: Any) -> Contract:
    path = contract.root / contract.settings["published"]
    document = json.loads(path.read_text(encoding="utf-8"))
    edit(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    return Contract(contract.slug, contract.root)


def _configure(contract: Contract, old: str, new: str) -> Contract:
    text = contract.config_file.read_text(encoding="utf-8")
    assert old in text
    contract.config_file.write_text(text.replace(old, new), encoding="utf-8")
    return Contract(contract.slug, contract.root)


def _break_everything(document: dict[str, Any]) -> None:
    listing, creation = document["paths"]["/crates"]["get"], document["paths"]["/crates"]["post"]
    listing["parameters"] += [
        {"name": "m", "in": "query", "style": "matrix", "schema": {"type": "integer", "maximum": 3}},
        {"name": "x", "in": "header", "content": {"application/xml": {}}},
    ]
    listing["responses"]["200"]["content"]["text/csv"] = {"schema": {"type": "string"}}
    listing["security"] = [{"key": []}, {"other": []}]
    document["components"]["securitySchemes"]["other"] = {"type": "apiKey", "in": "query", "name": "k"}
    creation["requestBody"]["content"]["multipart/form-data"] = {"schema": {}}
    properties = document["components"]["schemas"]["NewCrate"]["properties"]
    properties["owner"] = {"oneOf": [{"type": "string"}, {"type": "integer"}]}
    properties["parts"] = {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}}
    document["components"]["schemas"]["CrateChange"]["minProperties"] = 1


def test_a_spoken_contract_has_no_note(depot: Contract) -> None:
    """The notes of the test below come from its edits."""
    assert find_notes(depot) == []


def test_each_thing_that_is_not_checked_is_a_note(depot: Contract) -> None:
    """Parameters, media types, schemas and security schemes, each with place and reason."""
    notes = "\n".join(find_notes(_edit(depot, _break_everything)))
    for words in (
        "GET /crates: query:m cannot be sent: its style is matrix",
        "GET /crates: header:x cannot be sent: its media type is application/xml",
        "GET /crates: response 200, media type text/csv is not read",
        "GET /crates: security scheme other is not used",
        "POST /crates: request media type multipart/form-data is not sent",
        "POST /crates: owner: oneOf is not violated",
        "POST /crates: parts/*: properties are not violated",
        "PATCH /crates/{id}: request body: minProperties is not violated",
    ):
        assert words in notes


def test_the_report_lists_them_as_not_exercised(depot: Contract) -> None:
    """Each is an id with the reason; clauses below it have the same reason."""
    contract = _edit(depot, _break_everything)
    documented = list(derive_clauses(contract))
    below = "listCrates/request/query:m/maximum"
    not_exercised = {below: "never seen in a response"}
    note_unchecked(contract, documented, not_exercised)
    assert "cannot be sent" in not_exercised[below]
    assert "oneOf" in not_exercised["addCrate/request/owner/oneOf"]
    assert set(not_exercised) <= set(documented)
    assert len(documented) == len(set(documented))


def test_what_a_request_needs_and_cannot_be_sent_is_a_gap(depot: Contract) -> None:
    """A required parameter or body that has no form ends the check."""

    def edit(document: dict[str, Any]) -> None:
        creation = document["paths"]["/crates"]["post"]
        content = creation["requestBody"]["content"]
        content["multipart/form-data"] = content.pop(FORM)
        force = document["paths"]["/crates/{id}"]["delete"]["parameters"][0]
        force["style"] = "matrix"

    gaps = "\n".join(find_gaps(_edit(depot, edit)))
    assert "the required body cannot be sent: the request's media type is multipart/form-data" in gaps
    assert "the required query:force cannot be sent: its style is matrix" in gaps


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('rows = "/crates"', 'rows = "/rows"', "`listing.rows` is '/rows', and GET /crates answers no such property"),
        ('name = "/mark"', 'name = "/label"', "`listing.name` is '/label', and a row has no such property"),
        ('read = "listCrates"\nid = "/id"', 'read = "listCrates"\nid = "/crate/id"', "`lifecycle.id` is '/crate/id'"),
        ('name = "/mark"', 'name = "/mark"\nlimit = "query:size"', "`listing.limit` is 'query:size', and GET /crates takes no"),
    ],
)  # fmt: skip
def test_a_pointer_that_leads_nowhere_is_a_gap(depot: Contract, old: str, new: str, words: str) -> None:
    """The document has to have what contract.toml points to."""
    assert list(check_pointers(depot)) == []
    assert any(words in line for line in check_pointers(_configure(depot, old, new)))


def test_grpc_refuses_parameters(depot: Contract) -> None:
    """A message has no query; one line says so."""
    broken = _configure(depot, "[listing]", '[grpc]\nservice = "x"\n[grpc.methods]\n[listing]')
    with pytest.raises(UsageError, match=r"`grpc` cannot carry the parameters or the form of listCrates; remove"):
        _ = broken.grpc
