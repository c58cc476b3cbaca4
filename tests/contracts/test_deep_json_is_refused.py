"""JSON of servers is read within limits, so that no reader of it fails or takes minutes."""

import json
from pathlib import Path

import pytest

from contract_watch.contracts.schema import MAX_DEPTH, MAX_VALUES, Schema, parse_foreign_json
from tests.support.loopback_server import LoopbackResponse, serve_app
from tests.support.suite_process import check_target
from tests.vendors.jetemail.faithful_server import FaithfulJetEmail


@pytest.mark.parametrize("pair", ["[]", ('{"a":', "}")])
def test_the_limit_is_exact(pair: tuple[str, str]) -> None:
    """JSON of one hundred levels is read, one level more is refused."""
    inner = "1" if pair[0] != "[" else ""
    assert parse_foreign_json(pair[0] * MAX_DEPTH + inner + pair[1] * MAX_DEPTH)
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_foreign_json(pair[0] * (MAX_DEPTH + 1) + inner + pair[1] * (MAX_DEPTH + 1))


@pytest.mark.parametrize("depth", [900, 100_000])
def test_no_depth_exhausts_the_stack(depth: int) -> None:
    """The parser's own limit of recursion is an error of the same kind."""
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_foreign_json(b"[" * depth + b"]" * depth)


@pytest.mark.parametrize("value", ["[" * 500, {"a": "{" * 500}, [[]] * 500, 5, None])
def test_wide_values_and_brackets_in_strings_are_read(value: object) -> None:
    """Only levels count."""
    assert parse_foreign_json(json.dumps(value)) == value


def test_no_more_values_than_the_limit_are_read() -> None:
    """The list itself is a value too."""
    assert parse_foreign_json(json.dumps([1] * (MAX_VALUES - 1)))
    with pytest.raises(ValueError, match="too many values"):
        parse_foreign_json(json.dumps([1] * MAX_VALUES))


@pytest.mark.parametrize(("row", "column"), [(0, 5), (99, 0), (100, 149), (4242, 20)])
def test_a_long_list_names_the_row_that_its_schema_rejects(row: int, column: int) -> None:
    """Rows are searched part by part; the path is that in the whole list."""
    schema = Schema({}, {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}})
    rows: list[list[object]] = [[1] * 150] * 4300
    rows[row] = [*[1] * column, "x", *[1] * (149 - column)]
    assert [(one.path, one.keyword) for one in schema.find_violations(rows)] == [((row, column), "type")]


def test_a_list_of_wrong_rows_gives_few_violations() -> None:
    """Whoever sends a hundred thousand wrong rows gets a hundred violations."""
    schema = Schema({}, {"type": "array", "items": {"type": "object"}})
    assert len(schema.find_violations([[]] * 100_000)) == 100
    (late,) = schema.find_violations([{}] * 100_000 + [[]])
    assert (late.path, late.expected) == ((), "a body that its schema accepts")


@pytest.mark.parametrize(
    ("bound", "keyword"), [({"maxItems": 253}, "maxItems"), ({"uniqueItems": True}, "uniqueItems")]
)
def test_a_list_that_is_too_long_names_its_bound(bound: dict[str, object], keyword: str) -> None:
    """No part of the list violates a bound of the whole."""
    schema = Schema({}, {"type": "object", "properties": {"rows": {"type": "array", **bound}}})
    rows = [*range(253), 0]
    assert [(one.path, one.keyword) for one in schema.find_violations({"rows": rows})] == [(("rows",), keyword)]


def test_a_run_over_deep_responses_ends_with_a_verdict(tmp_path: Path) -> None:
    """A list nested 900 deep is a broken response, not an error of ours."""
    faithful = FaithfulJetEmail()
    deep = LoopbackResponse(200, content=b"[" * 900 + b"]" * 900)
    with serve_app(lambda request: deep if request.method == "GET" else faithful(request)) as server:
        result = check_target(tmp_path, server.url)
    assert result.report["verdict"] == "breaking", result
    assert "RecursionError" not in result.out + result.err
    assert any(finding["id"] == "listSmtpUsers/200/body/not-json" for finding in result.report["findings"]), result
