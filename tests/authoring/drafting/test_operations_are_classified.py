"""Operations get their kinds from method and path, or from the user; what does not fit is one line."""

import json
from pathlib import Path

import pytest

from contract_watch.authoring.drafting.chosen_operations import classify, parse_operations
from contract_watch.authoring.drafting.draft import draft_contract
from contract_watch.authoring.drafting.operation_ids import choose_ids
from contract_watch.errors import UsageError
from tests.support.drafts import copy_boxes, draft


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("POST /a, GET /a, GET /a/{id}, PATCH /a/{id}, DELETE /a/{id}", "create list get update delete"),
        (
            "post /a,delete /a/{id},get /a/{id},POST /a/{id}/pause,DELETE /a/{id}/pause",
            "create delete get action action",
        ),
        ("POST /a/add, delete=POST /a/remove, list=POST /a/view, update=POST /a/edit", "create delete list update"),
        ("POST /a, POST /a/{id}, GET /a/{id}, DELETE /a/{id}, PUT /a/{id}/on", "create update get delete update"),
        ("create=PUT /a/{id}, GET /a/{id}, DELETE /a/{id},", "create get delete"),
        ("POST /a, GET /a/{id}, DELETE /a/{id}, POST /search", "create get delete action"),
    ],
)
def test_kinds_come_from_method_and_path(text: str, kinds: str) -> None:
    """A POST to a collection creates, one below an item acts; a kind that is given counts."""
    assert [choice.kind for choice in classify(parse_operations(text))] == kinds.split()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "'' is no method and path"),
        ("BREW /a", "'BREW /a' is no method and path"),
        ("POST a", "'POST a' is no method and path"),
        ("make=POST /a", "'make' is no kind of operation; choose from create, list"),
        ("GET /a, GET /a", "GET /a occurs twice"),
        ("GET /a, DELETE /a/{id}", "no operation creates an object; write create=POST /path"),
        ("POST /a, GET /a", "no operation deletes an object"),
        ("POST /a, DELETE /a/{id}", "no operation reads an object"),
        ("create=POST /a, create=POST /b, GET /a, DELETE /a/{id}", "POST /a and POST /b both create an object"),
        (", ".join(f"GET /a{number}" for number in range(61)), "names 61 operations, at most 60"),
    ],
)
def test_what_does_not_fit_is_one_line(text: str, says: str) -> None:
    """The line names the option, the problem and the fix."""
    with pytest.raises(UsageError) as refusal:
        classify(parse_operations(text))
    assert str(refusal.value).startswith("--operations: ")
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_ids_are_the_documents_where_they_are_valid() -> None:
    """Others are derived from the kind and the path; no two operations share one."""
    document = copy_boxes()
    ids = ["class", "listBoxes", "list-boxes", "getBox", "getBox"]
    items = [
        (path, method)
        for path in ("/boxes", "/boxes/{id}")
        for method in document["paths"][path]
        if method != "parameters"
    ]
    for (path, method), name in zip(items, ids, strict=True):
        document["paths"][path][method]["operationId"] = name
    choices = classify(
        parse_operations("POST /boxes, GET /boxes, GET /boxes/{id}, PATCH /boxes/{id}, DELETE /boxes/{id}")
    )
    assert choose_ids(document, choices) == ["createBox", "listBoxes", "getBox2", "updateBox", "deleteBox"]


@pytest.mark.parametrize(
    ("operations", "says"),
    [
        (
            "POST /boxs, GET /boxes, DELETE /boxes/{id}",
            "the document has no POST /boxs; did you mean POST /boxes? write",
        ),
        (" ", "--operations: name the operations under contract; the document has GET /boxes, POST /boxes"),
    ],
)
def test_unknown_operations_are_one_line(operations: str, says: str, tmp_path: Path) -> None:
    """The line shows what the document has."""
    with pytest.raises(UsageError) as refusal:
        draft(tmp_path, copy_boxes(), operations)
    assert says in str(refusal.value)


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        ({"paths": {"/boxes": {"post": []}}}, "has no POST /boxes"),
        ({"paths": {"/boxes": {"post": {"requestBody": {"$ref": "other.yaml#/x"}}}}}, ""),
        ({"openapi": "2.0"}, "not supported"),
    ],
)
def test_malformed_documents_are_one_line(edit: dict[str, object], says: str, tmp_path: Path) -> None:
    """No document ends in a traceback."""
    path = tmp_path / "document.json"
    path.write_text(json.dumps({**copy_boxes(), **edit}), encoding="utf-8")
    with pytest.raises(UsageError) as refusal:
        draft_contract("attic", "Attic", str(path), "POST /boxes, GET /boxes, DELETE /boxes/{id}")
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)
