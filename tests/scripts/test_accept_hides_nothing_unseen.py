"""`make accept` repeats the notes on the overlay, and refuses one that would hide what the vendor serves now."""

import re
from typing import Any

import pytest

from contract_watch.commands.accept_document import main
from contract_watch.contracts.registry import Contract
from tests.support.contract_root import SLUG, hash_files, make_document, write_document
from tests.support.document_drift_runs import run_drift

pytestmark = pytest.mark.usefixtures("remembered_clients")


def _get_operation(document: dict[str, Any], method: str) -> Any:
    return document["paths"]["/outbound/smarthost"][method]


def _correct_pattern(document: dict[str, Any]) -> None:
    """Change a pattern that the overlay overwrites: the action collides."""
    for method in ("post", "patch"):
        schema = _get_operation(document, method)["requestBody"]["content"]["application/json"]["schema"]
        schema["properties"]["ipRestrictions"]["items"]["pattern"] = "^[0-9.]+$"


def _change_removed_schema(document: dict[str, Any]) -> None:
    """Change an error's schema, which the overlay replaces by a component: the action would remove the change."""
    error = _get_operation(document, "post")["responses"]["400"]["content"]["application/json"]["schema"]
    error["properties"]["code"] = {"type": "integer"}


def _add_response(document: dict[str, Any]) -> None:
    """Add a response that the overlay matches too: the action would remove its schema."""
    responses = _get_operation(document, "delete")["responses"]
    status = next(one for one in ("404", "409", "400", "403") if one not in responses)
    schema = {"type": "object", "required": ["problem"], "properties": {"problem": {"type": "string"}}}
    responses[status] = {"description": "x", "content": {"application/json": {"schema": schema}}}


def _make_reference(document: dict[str, Any]) -> None:
    """Move the items of a list into a component: the action's keywords would stand next to a reference."""
    for method in ("post", "patch"):
        schema = _get_operation(document, method)["requestBody"]["content"]["application/json"]["schema"]
        document["components"]["schemas"]["Address"] = schema["properties"]["ipRestrictions"]["items"]
        schema["properties"]["ipRestrictions"]["items"] = {"$ref": "#/components/schemas/Address"}


def _mark_password(document: dict[str, Any]) -> None:
    """Take over a part of an action, which is no reason to refuse."""
    response = _get_operation(document, "post")["responses"]["200"]["content"]["application/json"]["schema"]
    response["properties"]["password"]["maxLength"] = 72


def _refuse(contract: Contract, file: str, capsys: pytest.CaptureFixture[str], *more: str) -> list[str]:
    """Accept a document, which is refused and changes nothing; return the lines after the first."""
    before = hash_files(contract.root)
    capsys.readouterr()
    assert main(["--vendor", SLUG, "--published", file, *more], contract.root) == 3
    first, *lines = capsys.readouterr().err.splitlines()
    assert first.startswith("error: contracts/jetemail/overlay.yaml: ")
    assert re.search(r"set ANYWAY=1 .*; nothing was changed$", first)
    assert hash_files(contract.root) == before
    return [line.strip() for line in lines]


def test_the_notes_of_make_drift_are_repeated(contract: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """A refusal ends 3 with every note that `make drift` gave; ANYWAY=1 repeats the notes and accepts."""
    file = write_document(contract.root.parent, make_document(contract, _correct_pattern, _mark_password))
    _, report = run_drift(contract, "--published", file)
    notes = [note for note in report["notes"] if note.startswith("overlay.yaml, action")]
    assert {one["kind"] for one in report["document"]["overlay"]} == {"collides", "partly superfluous"}
    assert [f"overlay.yaml, {line}" for line in _refuse(contract, file, capsys, "--anyway", "0")] == notes
    assert main(["--vendor", SLUG, "--published", file, "--anyway", "1"], contract.root) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("note: ")] == [
        f"note: {note}" for note in notes
    ]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (_change_removed_schema, "would remove .*, which the vendor changed"),
        (_add_response, "also removes a new location"),
        (_make_reference, "is now a reference to "),
    ],
)
def test_an_overlay_that_hides_a_change_is_refused(
    contract: Contract, edit: Any, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each kind of action that no longer corrects what it did, or hides what the vendor serves now, is a refusal."""
    file = write_document(contract.root.parent, make_document(contract, edit))
    assert re.search(words, "\n".join(_refuse(contract, file, capsys)))


def test_an_edited_action_does_not_excuse_the_others(contract: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """One action was edited for the new document and no longer fits the old one; another still collides, by its number."""

    def change(document: dict[str, Any]) -> None:
        _correct_pattern(document)
        for method in ("post", "patch"):
            schema = _get_operation(document, method)["requestBody"]["content"]["application/json"]["schema"]
            schema["properties"]["secret"] = schema["properties"].pop("password")

    overlay = contract.directory / "overlay.yaml"
    text = overlay.read_text(encoding="utf-8")
    assert text.count("schema.properties.password\n    description: Marks") == 1
    overlay.write_text(
        text.replace(
            "schema.properties.password\n    description: Marks", "schema.properties.secret\n    description: Marks"
        ),
        encoding="utf-8",
    )
    file = write_document(contract.root.parent, make_document(contract, change))
    assert main(["--vendor", SLUG, "--published", file], contract.root) == 3
    errors = capsys.readouterr().err
    targets = [line for line in text.splitlines() if line.strip().startswith("- target:")]
    number = next(n for n, line in enumerate(targets, 1) if "ipRestrictions.items" in line)
    assert f"action {number} ($.paths['/outbound/smarthost']['post','patch']" in errors
    assert "would overwrite a change of the vendor" in errors


def test_anyway_is_a_switch(contract: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """Anything but 0 and 1 is wrong usage."""
    assert main(["--vendor", SLUG, "--anyway", "yes"], contract.root) == 3
    assert capsys.readouterr().err == "error: --anyway must be 0 or 1, got 'yes'\n"
