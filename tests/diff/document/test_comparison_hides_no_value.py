"""A comparison hides no value: a value that only one side accepts is reported in the direction in which it breaks."""

from typing import Any

import jsonschema_rs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract_watch.diff.document import ChangeLevel, compare
from tests.support.documents import schema_strategies as drawn
from tests.support.sampling import effort

EXAMPLES = effort(100, 40_000)
"""The number of drawn pairs; `make test-all` draws many more."""
_SUITE = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))


def make_document(schema: Any, *, in_response: bool) -> dict[str, Any]:
    """Return a document with the schema in a request or in a response."""
    content = {"application/json": {"schema": schema}}
    response: dict[str, Any] = {"description": "it is so"}
    operation: dict[str, Any] = {"responses": {"200": {**response, **({"content": content} if in_response else {})}}}
    if not in_response:
        operation["requestBody"] = {"required": True, "content": content}
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"post": operation}}}


def make_validator(schema: Any) -> jsonschema_rs.Draft202012Validator:
    """Return a validator of the schema."""
    return jsonschema_rs.Draft202012Validator(schema)


def find_hiding_directions(base: Any, revision: Any, value: Any) -> list[str]:
    """Return the directions in which a comparison hides ``value``: it breaks a consumer, and no change reports it."""
    before, after = make_validator(base).is_valid(value), make_validator(revision).is_valid(value)
    found = []
    # No consumer sends a property that the base does not declare.
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
    """The levels `none` and `compatible` are safe, as jsonschema-rs confirms for small schemas and values.

    If a value was accepted and no longer is, requests get at least a warning; if it was impossible and no longer is,
    responses do.
    """
    base, revision = pair
    for value in (*drawn.SCALARS, *values):
        assert find_hiding_directions(base, revision, value) == [], value


@_SUITE
@given(drawn.schemas)
def test_a_schema_does_not_differ_from_itself(schema: Any) -> None:
    """A schema does not differ from itself, wherever it occurs."""
    for answered in (False, True):
        assert (
            compare(make_document(schema, in_response=answered), make_document(schema, in_response=answered)).changes
            == ()
        )
