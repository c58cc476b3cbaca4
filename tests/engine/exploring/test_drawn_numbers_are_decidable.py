"""Exploration draws numbers that a vendor must take: it may refuse larger ones, whatever else is wrong with them."""

from typing import Any

import pytest

from contract_watch.engine.exploring.cases import bound_numbers

MOST = 2**31 - 1


@pytest.mark.parametrize(
    ("schema", "most"),
    [
        ({"type": "number"}, MOST),
        ({"type": "integer", "minimum": 5}, MOST),
        ({"type": ["integer", "null"], "exclusiveMinimum": True}, MOST),
        ({"type": "integer", "maximum": 10}, 10),
        ({"type": "integer", "format": "int64"}, None),
        ({"type": "integer", "minimum": 2**40}, None),
        ({"type": "number", "enum": [2**40]}, None),
        ({"type": "string"}, None),
        ({"type": [{"type": "number"}]}, None),
    ],
)
def test_only_an_open_number_is_bounded(schema: dict[str, Any], most: int | None) -> None:
    """The document itself stays as it is, at any depth."""
    document = {"components": {"schemas": {"User": {"properties": {"quota": schema}}}}}
    bounded = bound_numbers(document)["components"]["schemas"]["User"]["properties"]["quota"]
    assert bounded.get("maximum") == most
    assert document["components"]["schemas"]["User"]["properties"]["quota"] is schema
    assert schema.get("maximum") in (None, 10)
