"""A comparison never hides a value: what one schema takes and the other does not, in the direction that breaks, is told."""

import os
from typing import Any

import jsonschema_rs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract_watch.diff.document import ChangeLevel, compare
from tests.support.documents import schema_strategies as drawn

EXAMPLES = int(os.environ.get("SET_EXAMPLES", "400"))
"""How many pairs are drawn; `make prove-sets` draws many more."""
_SUITE = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))


def make_document(schema: Any, *, in_response: bool) -> dict[str, Any]:
    """A document in which a schema is sent, or answered."""
    content = {"application/json": {"schema": schema}}
    response: dict[str, Any] = {"description": "it is so"}
    operation: dict[str, Any] = {"responses": {"200": {**response, **({"content": content} if in_response else {})}}}
    if not in_response:
        operation["requestBody"] = {"required": True, "content": content}
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"post": operation}}}


def make_validator(schema: Any) -> jsonschema_rs.Draft202012Validator:
    """What tells whether a value is one of the schema's."""
    return jsonschema_rs.Draft202012Validator(schema)


def find_hiding_directions(base: Any, revision: Any, value: Any) -> list[str]:
    """The directions in which a comparison hides ``value``: it breaks somebody, and no change that might is told."""
    before, after = make_validator(base).is_valid(value), make_validator(revision).is_valid(value)
    found = []
    # A property that the base does not declare nobody sends.
    sent = drawn.find_property_names(value) <= drawn.find_declared_names(base)
    for answered, breaks in ((False, before and not after and sent), (True, after and not before)):
        if breaks:
            level = compare(
                make_document(base, in_response=answered), make_document(revision, in_response=answered)
            ).level
            if level in (ChangeLevel.NONE, ChangeLevel.COMPATIBLE):
                found.append("response" if answered else "request")
    return found


@_SUITE
@given(drawn.draw_pair(), st.lists(drawn.values, min_size=5, max_size=30))
def test_no_value_is_hidden(pair: tuple[Any, Any], values: list[Any]) -> None:
    """Claim: `none` and `compatible` are safe.

    Situation: two small schemas, drawn apart or one an edit of the other, and values; jsonschema-rs is the judge.
    Expectation: where a value was taken and is refused, a request is warned of at least; where one was not possible and
    now is, a response.
    """
    base, revision = pair
    for value in (*drawn.SCALARS, *values):
        assert find_hiding_directions(base, revision, value) == [], value


@_SUITE
@given(drawn.schemas)
def test_a_schema_does_not_differ_from_itself(schema: Any) -> None:
    """Expectation: no change, in whatever place."""
    for answered in (False, True):
        assert (
            compare(make_document(schema, in_response=answered), make_document(schema, in_response=answered)).changes
            == ()
        )
