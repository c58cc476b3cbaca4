"""A message says what changed in the words of OpenAPI, and names both sides where there are two."""

from typing import Any

import pytest

from contract_watch.diff.document import ApiChange, compare
from contract_watch.diff.document.rules import explain_level
from tests.support.documents.pairs import complete_document


def _compare_responses(base: Any, revision: Any, schemas: Any) -> list[ApiChange]:
    documents = (
        {"paths": {"/x": {"get": {"responses": responses}}}, "components": {"schemas": schemas}}
        for responses in (base, revision)
    )
    return list(compare(*(complete_document(one, "3.1.0") for one in documents)).changes)


def _make_response(name: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"description": name, "content": {"application/json": {"schema": schema}}}


_SCHEMAS = {
    "E": {"type": "object", "required": ["code"], "properties": {"code": {}, "errors": {"type": "object"}}},
    "R": {"type": "object", "required": ["code", "after"], "properties": {"code": {}, "after": {"type": "number"}}},
}
_RANGE = {"200": {"description": "ok"}, "4XX": _make_response("E")}


@pytest.mark.parametrize(
    ("base", "revision", "level", "place", "words"),
    [
        (
            _RANGE,
            {**_RANGE, "429": _make_response("R")},
            "warning",
            "/paths/~1x/get/responses/429",
            [
                "429 was part of 4XX and is described apart: property errors removed (warning)",
                "required property after added (compatible)",
            ],
        ),
        (
            {**_RANGE, "429": _make_response("R")},
            _RANGE,
            "breaking",
            "/paths/~1x/get/responses/4XX",
            [
                "only 4XX describes 429 now: required property after removed (breaking)",
                "optional property errors added (compatible)",
            ],
        ),
    ],
    ids=["taken out", "put into"],
)
def test_a_status_and_its_range_are_one_change(
    base: Any, revision: Any, level: str, place: str, words: list[str]
) -> None:
    """Neither the range nor a schema changed, so nothing is told there."""
    (change,) = _compare_responses(base, revision, _SCHEMAS)
    assert (change.level.value, change.place, change.message) == (level, place, ", ".join(words))


def test_not_modified_is_no_error() -> None:
    """The message and the consequence of a new 304 do not speak of errors."""
    (change,) = _compare_responses({"200": {}}, {"200": {}, "304": {}}, {})
    assert "error" not in f"{change.rule} {change.message} {explain_level(change)}"
