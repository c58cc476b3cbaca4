"""A draft runs at once: its mock keeps the contract, every clause of a rule is reached, and what is open is a line."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract_watch.authoring.completeness import find_gaps
from contract_watch.authoring.drafting import draft as drafting
from contract_watch.authoring.self_check import run_self_check
from contract_watch.contracts.registry import ROOT
from tests.support.alcove import OPERATIONS as ALCOVE_OPERATIONS
from tests.support.alcove import read_document
from tests.support.drafts import OPERATIONS, copy_boxes, draft, write_draft

DATA = ROOT / "tests" / "data"
_OTHERS = {
    "quill": "POST /senders, GET /senders, GET /senders/{id}, PATCH /senders/{id}, DELETE /senders/{id}, POST /senders/{id}/pause",
    "parcel": "POST /labels, GET /labels, PATCH /labels/{id}, DELETE /labels/{id}",
    "alcove": ALCOVE_OPERATIONS,
    "depot": "POST /crates, GET /crates, PATCH /crates/{id}, DELETE /crates/{id}",
}


@pytest.fixture(name="no_trial")
def _no_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the run against the mock, which tells only what no request provokes."""
    monkeypatch.setattr(drafting, "find_unprovoked", lambda *_: {})


def _find_real_gaps(directory: Path, document: Any, operations: str) -> list[str]:
    """Return the gaps but for the client, which nobody generated, and the address of the document."""
    lines = find_gaps(write_draft(directory, draft(directory, document, operations)))
    return [line for line in lines if "run `make generate`" not in line and "has no `upstream`" not in line]


@pytest.mark.parametrize("name", _OTHERS)
def test_documents_of_other_vendors_need_no_hand(name: str, tmp_path: Path) -> None:
    """Forms, headers, cursors and an action: the draft has no gap, and its own mock keeps it."""
    document = json.loads((DATA / name / "published.json").read_text(encoding="utf-8"))
    made = draft(tmp_path, document, _OTHERS[name])
    contract = write_draft(tmp_path, made)
    checked = run_self_check(contract)
    assert (checked.stop_reason, checked.record.findings, checked.record.left_behind) == (None, [], [])
    assert [clause for clause in checked.unreached if "/rule/" in clause or "/response/" in clause] == [
        clause
        for clause in checked.unreached
        if contract.unprovoked_statuses and clause.rpartition("/")[2].startswith("5")
    ]


def test_weak_document_needs_no_hand(tmp_path: Path) -> None:
    """No ids, no `required`, no refusals: the overlay adds them, and nothing is missing."""
    assert _find_real_gaps(tmp_path, copy_boxes(), OPERATIONS) == []


@pytest.mark.usefixtures("no_trial")
def test_what_is_open_is_a_line_each(tmp_path: Path) -> None:
    """Each line names the file, the choice that was made, and the remedy; nothing that the document tells is among them."""
    lines = [one.format("contracts/attic") for one in draft(tmp_path, copy_boxes()).decisions]
    assert [line.split(":")[1].split(";")[0].strip() for line in lines] == ["rate", "address", "resource.unique"]
    assert all(line.startswith("contracts/attic/") and line.count("; ") >= 1 and "\n" not in line for line in lines)


@pytest.mark.usefixtures("no_trial")
def test_overlay_follows_the_examples(tmp_path: Path) -> None:
    """`required` has what every example shows, and the pointers of contract.toml; errors have the document's own schema."""
    made = draft(tmp_path, copy_boxes())
    actions = yaml.safe_load(made.files["overlay.yaml"])["actions"]
    updates: dict[str, Any] = {}
    for action in actions:
        assert action["description"].strip()
        updates.setdefault(action["target"], {}).update(action["update"])
    assert updates["$.components.schemas.Created"] == {"required": ["id"]}
    assert updates["$.components.schemas.Box"] == {"required": ["id", "name", "room", "note", "created_at"]}
    assert updates["$.components.schemas.Boxes"] == {"required": ["data", "has_more"]}
    assert updates["$.paths['/boxes'].post.requestBody"] == {"required": True}
    assert updates["$.components.schemas.NewBox.properties.password"] == {"format": "password"}
    create = updates["$.paths['/boxes'].post"]
    assert create["operationId"] == "createBox"
    assert {status: one["content"]["application/json"]["schema"] for status, one in create["responses"].items()} == {
        status: {"$ref": "#/components/schemas/Problem"} for status in ("401", "422")
    }
    assert set(updates["$.paths['/boxes/{id}'].delete"]["responses"]) == {"401", "404"}


@pytest.mark.usefixtures("no_trial")
def test_document_is_cut_to_the_operations(tmp_path: Path) -> None:
    """Other operations, schemas and schemes are left out; the rest is verbatim."""
    whole, cut = copy_boxes(), json.loads(draft(tmp_path, copy_boxes()).files["published.json"])
    assert list(cut["paths"]) == ["/boxes", "/boxes/{id}"]
    assert cut["paths"]["/boxes"] == whole["paths"]["/boxes"]
    assert set(whole["components"]["schemas"]) - set(cut["components"]["schemas"]) == {"Lamp"}
    assert list(cut["components"]["securitySchemes"]) == ["token"]
    assert cut.keys() == {"openapi", "info", "servers", "security", "paths", "components"}


@pytest.mark.usefixtures("no_trial")
def test_configuration_follows_the_document(tmp_path: Path) -> None:
    """Address, key, identities, life cycle, rows and pages."""
    contract = write_draft(tmp_path, draft(tmp_path, copy_boxes()))
    assert contract.address == "https://api.attic.example/v1"
    assert (contract.credential_locations[0].header, contract.credential_locations[0].form) == (
        "Authorization",
        "Bearer {}",
    )
    assert contract.identities["updateBox"] == {"{id}": "existing", "name": "new"}
    assert (contract.lifecycle.create, contract.lifecycle.read, contract.lifecycle.id) == ("createBox", "getBox", "/id")
    listed = contract.list_config
    assert listed is not None
    assert (listed.rows, listed.name, listed.id, listed.created) == ("/data", "/name", "/id", "/created_at")
    assert (listed.limit, listed.cursor, listed.more, listed.size, listed.default) == (
        "query:limit", "query:after", "/has_more", 40, 20)  # fmt: skip


def _oauth(url: str) -> dict[str, Any]:
    return {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": url, "scopes": {}}}}


@pytest.mark.usefixtures("no_trial")
@pytest.mark.parametrize(
    ("scheme", "header", "form", "says"),
    [
        ({"type": "apiKey", "in": "header", "name": "X-Attic-Key"}, "X-Attic-Key", "{}", ""),
        ({"type": "http", "scheme": "Basic"}, "Authorization", "Basic {}", ""),
        ({"type": "oauth2", "flows": {}}, "Authorization", "Bearer {}", "no request fetches a token"),
        (_oauth("https://api.attic.example/oauth/token"), "Authorization", "Bearer {}", ""),
        (_oauth("https://login.attic.example/token"), "Authorization", "Bearer {}", "no request fetches a token"),
        ({"type": "apiKey", "in": "query", "name": "key"}, "query:key", "{}", ""),
        ({"type": "apiKey", "in": "cookie", "name": "key"}, "Authorization", "Bearer {}", "scheme token is not spoken"),
        ({"type": "apiKey", "in": "header", "name": "X\r\nEvil: 1"}, "Authorization", "Bearer {}", "is not spoken"),
        ({"type": "mutualTLS"}, "Authorization", "Bearer {}", "is not spoken"),
    ],
)
def test_the_key_is_where_the_document_says(
    scheme: dict[str, Any], header: str, form: str, says: str, tmp_path: Path
) -> None:
    """A scheme that the engine cannot write a key to is a line, and a bearer token stands in."""
    document = copy_boxes()
    document["components"]["securitySchemes"]["token"] = scheme
    made = draft(tmp_path, document)
    contract = write_draft(tmp_path, made)
    place = contract.credential_locations[0]
    assert (place.header or place.key, place.form) == (header, form)
    assert bool(place.encoding) is (form == "Basic {}")
    flow = scheme.get("flows", {}).get("clientCredentials", {}).get("tokenUrl", "")
    assert (contract.token.path if contract.token else "") == ("/oauth/token" if "api.attic" in flow else "")
    lines = [one.format("x") for one in made.decisions if "credentials" in one.problem or "places" in one.problem]
    assert [says in line for line in lines] == ([True] if says else [])


def test_object_above_the_resource_is_given(tmp_path: Path) -> None:
    """A path's further argument gets a variable, and the document's example; a line says what a person decides."""
    made = draft(tmp_path, read_document(), ALCOVE_OPERATIONS)
    table = tomllib.loads(made.files["contract.toml"])["given"]["{domain}"]
    assert (table["variable"], table["test"]) == ("ATTIC_DOMAIN", "example.com")
    lines = [one.format("contracts/attic") for one in made.decisions if "domain" in one.problem]
    (line,) = [line for line in lines if "given." in line]
    assert line == (
        "contracts/attic/contract.toml: given.{domain}: POST /domains/{domain}/users names an object of another kind, of which "
        "no request makes one; set its variable to one that exists on the account; add `shown` if the rows show it"
    )
    assert [line for line in find_gaps(write_draft(tmp_path, made)) if "given" in line or "{domain}" in line] == []


@pytest.mark.usefixtures("no_trial")
@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer", "example": 42}, "42"),
        ({"type": "string", "format": "uuid"}, "00000000-0000-4000-8000-000000000001"),
        ({"type": "string", "enum": ["a.example", "b.example"]}, "a.example"),
        ({"type": "string"}, "host.example.com"),
    ],
)
def test_given_value_suits_its_schema(tmp_path: Path, schema: dict[str, Any], value: str) -> None:
    """Without an example the value is made from the schema and the name."""
    document = read_document()
    document["components"]["parameters"]["Domain"] = {
        "name": "domain",
        "in": "path",
        "required": True,
        "schema": schema,
    }
    table = tomllib.loads(draft(tmp_path, document, ALCOVE_OPERATIONS).files["contract.toml"])["given"]["{domain}"]
    assert table["test"] == value
