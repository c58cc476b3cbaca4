"""A schema that is written otherwise, with the same values, is told neither as breaking nor as a warning."""

from typing import Any

import jsonschema_rs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract_watch.diff.document import ChangeLevel, compare
from tests.support.documents import schema_rewrites
from tests.support.documents import schema_strategies as drawn
from tests.support.sampling import effort

EXAMPLES = effort(400, 40_000)
"""The number of drawn rewrites; `make prove-sets` and `make test-all` draw many more."""


def _make_document(schema: Any, components: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    operation = {
        "requestBody": {"required": True, "content": content},
        "responses": {"200": {"description": "it is so", "content": content}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/a": {"post": operation}},
        "components": {"schemas": components},
    }


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(schema_rewrites.draw_rewrite(drawn.schemas), st.lists(drawn.values, min_size=5, max_size=20))
def test_a_rewrite_is_no_danger(rewrite: tuple[str, Any, Any, Any], values: list[Any]) -> None:
    """The rewrites keep the set of values, as jsonschema-rs confirms, and no direction of any of them is told."""
    name, base, revision, components = rewrite
    before, after = (
        jsonschema_rs.Draft202012Validator({**schema, "components": {"schemas": components}})
        for schema in (base, revision)
    )
    for value in (*drawn.SCALARS, *values):
        assert before.is_valid(value) is after.is_valid(value), (name, value)
    # To leave out a name that readers may have relied on is told, whatever values it may have.
    ways = ((base, revision),) if name == "an untyped optional property" else ((base, revision), (revision, base))
    for documents in ways:
        found = compare(*(_make_document(schema, components) for schema in documents))
        told = [(change.direction, change.rule, change.level.value, change.message) for change in found.changes
                if change.level not in (ChangeLevel.NONE, ChangeLevel.COMPATIBLE)]  # fmt: skip
        assert told == [], (name, base, revision)
