"""A guess of a draft follows the document's prose where it can, and the line about it says so."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract_watch.authoring.drafting import draft as drafting
from contract_watch.authoring.self_check import run_self_check
from tests.support.drafts import OPERATIONS, copy_boxes, draft, write_draft

SEAL = f"{OPERATIONS}, POST /boxes/{{id}}/seal"


@pytest.fixture(name="no_trial")
def _no_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the run against the mock, which tells only what no request provokes."""
    monkeypatch.setattr(drafting, "find_unprovoked", lambda *_: {})


def _refuse(description: str) -> dict[str, Any]:
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {"description": description, "content": {"application/json": problem}}


def _add_refusals(document: dict[str, Any], *statuses: str) -> None:
    for item in (document["paths"]["/boxes"], document["paths"]["/boxes/{id}"]):
        for method in {"post", "patch"} & item.keys():
            item[method]["responses"] |= {status: _refuse("It is refused.") for status in statuses}


def _find_lines(made: drafting.Draft, words: str) -> list[str]:
    return [line for one in made.decisions if words in (line := one.format("contracts/attic"))]


def test_a_status_that_nothing_provokes_is_a_decision(tmp_path: Path) -> None:
    """Of 422 and 400 the first is the likeliest for a body; the one that no request causes is a line."""
    document = copy_boxes()
    _add_refusals(document, "400", "422")
    made = draft(tmp_path, document)
    settings = tomllib.loads(made.files["contract.toml"])
    assert settings["resource"]["invalid"] == [422, 400]
    unprovoked = ", ".join(settings["provoked"])
    assert {name.rpartition("/")[2] for name in settings["provoked"]} == {"400"}
    (line,) = _find_lines(made, "provoked")
    assert f"no request of a run causes {unprovoked}, " in line
    assert "put the status first in `invalid`" in line


@pytest.mark.parametrize("status", ["400", "422"])
def test_the_only_status_of_invalid_requests_needs_no_decision(status: str, tmp_path: Path) -> None:
    """Every run causes it."""
    document = copy_boxes()
    _add_refusals(document, status)
    made = draft(tmp_path, document)
    settings = tomllib.loads(made.files["contract.toml"])
    assert "invalid" not in settings.get("resource", {})
    assert "provoked" not in settings
    assert _find_lines(made, "provoked") == []


@pytest.mark.usefixtures("no_trial")
@pytest.mark.parametrize(("shared", "told"), [("enum", 0), ("object", 1), ("list", 1)])
def test_only_what_has_properties_lacks_required(shared: str, told: int, tmp_path: Path) -> None:
    """A string that is sent and answered has nothing to require; an object has, in a list too."""
    document, size = copy_boxes(), {"type": "object", "properties": {"width": {"type": "integer"}}}
    schemas = document["components"]["schemas"]
    schemas["Shared"] = {"enum": {"type": "string", "enum": ["a", "b"]}, "object": size,
                         "list": {"type": "array", "items": size}}[shared]  # fmt: skip
    for name in ("NewBox", "Box"):
        schemas[name]["properties"]["shared"] = {"$ref": "#/components/schemas/Shared"}
    assert len(_find_lines(draft(tmp_path, document), "Shared is sent and answered")) == told


@pytest.mark.usefixtures("no_trial")
@pytest.mark.parametrize(
    ("response", "operation", "unique", "told"),
    [
        ("The name is taken. So may be the `note`.", "", "note", "'note' was read from POST /boxes, the description of its response 409"),
        ("Another box has this NOTE.", "Two boxes cannot have the same `password`.", "note", "its response 409"),
        ("A conflict.", "Makes a box for a note. No two have the same `password`; the second gets 409.", "password", "its description"),
        ("A conflict.", "Makes a box with a note, in a room.", "name", "no document says what POST /boxes answers 409 to; a taken 'name'"),
        ("The room is full.", "", "name", "no document says"),
        ("Names and notebooks conflict.", "", "name", "no document says"),
    ],
)  # fmt: skip
def test_unique_properties_are_read_from_the_prose(
    response: str, operation: str, unique: str, told: str, tmp_path: Path
) -> None:
    """The response 409 comes before the operation, backticks before words; a word that is no name tells nothing."""
    document = copy_boxes()
    create = document["paths"]["/boxes"]["post"]
    create["responses"]["409"], create["description"] = _refuse(response), operation
    made = draft(tmp_path, document)
    assert tomllib.loads(made.files["contract.toml"])["resource"]["unique"] == [unique]
    (line,) = _find_lines(made, "resource.unique")
    assert told in line


def test_a_unique_property_from_the_prose_is_kept_by_the_mock(tmp_path: Path) -> None:
    """A draft whose objects differ in a property that is not their mark runs at once."""
    document = copy_boxes()
    document["paths"]["/boxes"]["post"]["responses"]["409"] = _refuse("Another box has this `note`.")
    checked = run_self_check(write_draft(tmp_path, draft(tmp_path, document)))
    assert (checked.stop_reason, checked.record.findings) == (None, [])
    assert ("createBox", 409) in checked.statuses or ("POST /boxes", 409) in checked.statuses


@pytest.mark.usefixtures("no_trial")
def test_the_line_about_an_action_has_an_effect_to_copy(tmp_path: Path) -> None:
    """It does not promise that nothing changes, and its example is YAML that rules.yaml can hold."""
    document = copy_boxes()
    parameters = document["paths"]["/boxes/{id}"]["parameters"]
    sealed = {
        "operationId": "sealBox",
        "responses": {"200": document["paths"]["/boxes/{id}"]["get"]["responses"]["200"]},
    }
    document["paths"]["/boxes/{id}/seal"] = {"parameters": parameters, "post": sealed}
    (line,) = _find_lines(draft(tmp_path, document, SEAL), "sealBox changes")
    assert "nothing is assumed" not in line
    assert "any property of its object may change; write the effect" in line
    example = yaml.safe_load(line.partition("`")[2].partition("`")[0])
    (effect,) = example["effects"].values()
    assert (effect["of"], effect["sets"]) == ("sealBox", {"status": "done"})
