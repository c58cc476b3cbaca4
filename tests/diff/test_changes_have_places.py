"""A change is told once for its place, with the operations that reach it; waivers name places that survive reordering."""

import copy
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from contract_watch.commands.compare_documents import main
from contract_watch.contracts.registry import ROOT
from contract_watch.diff import compare
from contract_watch.diff.document import ApiChange
from contract_watch.diff.document.places import PlaceFinder
from tests.support.documents.pairs import load_pairs

FILE = {"$ref": "#/components/schemas/File"}
SCHEMA = json.loads((ROOT / "contract_watch" / "report" / "findings.schema.json").read_text(encoding="utf-8"))


def _respond(schema: Any) -> dict[str, Any]:
    return {"200": {"description": "x", "content": {"application/json": {"schema": schema}}}}


BASE: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {
        **{f"/{name}": {"get": {"parameters": [{"$ref": "#/components/parameters/Q"}], "responses": _respond(FILE)}} for name in "abcd"},
        "/e": {
            "post": {
                "parameters": [{"name": "n", "in": "query", "schema": {"type": "integer"}}],
                "requestBody": {"required": True, "content": {"application/json": {"schema": {"oneOf": [FILE, {"type": "string"}]}}}},
                "responses": {"204": {"description": "x"}},
            }
        },
    },
    "components": {
        "parameters": {"Q": {"name": "q", "in": "query", "schema": {"type": "string"}}},
        "schemas": {"File": {"type": "object", "properties": {"purpose": {"enum": ["a", "b"]}}}},
    },
}  # fmt: skip


def _edit(document: dict[str, Any]) -> dict[str, Any]:
    found = copy.deepcopy(document)
    found["components"]["schemas"]["File"]["properties"]["purpose"]["enum"] = ["a", "c"]
    found["components"]["parameters"]["Q"] |= {"required": True}
    found["paths"]["/e"]["post"]["parameters"][0]["schema"]["type"] = "boolean"
    return found


@pytest.fixture(name="given")
def _given(tmp_path: Path) -> list[str]:
    for name, document in (("base", BASE), ("revision", _edit(BASE))):
        (tmp_path / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    return ["--base", str(tmp_path / "base.json"), "--revision", str(tmp_path / "revision.json")]


def _write_waivers(path: Path, *waivers: tuple[str, str]) -> Path:
    tables = [
        f'[[waivers]]\nrule = "{rule}"\nlocation = "{location}"\nreason = "agreed with its users"\nexpires = 2999-01-01\n'
        for rule, location in waivers
    ]
    path.write_text("\n".join(tables), encoding="utf-8")
    return path


def test_one_place_is_one_entry(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The first operations that reach it are named, and how many there are."""
    assert main(given) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "breaking: 4 breaking, 0 warning, 2 compatible"
    reached = "; reached by 4 operations: GET /a, GET /b, GET /c, …"
    at = lines.index("  /components/schemas/File/properties/purpose")
    assert lines[at + 1] == f"    values added: 'c' [enum-value-added in a response property]{reached}"
    assert lines[lines.index("  /components/parameters/Q") + 1].endswith(reached)
    at = lines.index("  /paths/~1e/post/parameters/query:n/schema")
    assert lines[at + 1] == "    type changed from integer to boolean [type-changed in a request parameter]"
    assert not any("used at" in line for line in lines)


def test_every_use_can_be_listed(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """ALL=1 prints the locations through references."""
    main([*given, "--all", "1"])
    used = [line for line in capsys.readouterr().out.splitlines() if "used at" in line]
    assert (len(used), len(set(used))) == (15, 10)  # the property has two changes
    assert "    used at /paths/~1a/get/responses/200/content/application~1json/schema/properties/purpose" in used


def test_a_waiver_covers_a_place_with_all_its_uses(
    given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Parameters are named by what they are, `**` stands for a subtree, and an old pointer through references still fits."""
    waivers = [
        ("query-parameter-became-required", "/components/parameters/Q"),
        ("type-changed", "/paths/~1e/post/parameters/query:n/**"),
        ("enum-value-added", "/components/**"),
        ("enum-value-removed", "/components/schemas/*/properties/purpose"),
    ]
    path = _write_waivers(tmp_path / "waivers.toml", *waivers)
    assert main([*given, "--waivers", str(path)]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "none: 0 breaking, 0 warning, 0 compatible"
    assert "waived: 6" in out


def test_a_waiver_that_nothing_needs_is_an_error(
    given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that waives nothing is deleted, and an unknown rule is corrected."""
    path = _write_waivers(tmp_path / "unused.toml", ("type-changed", "/components/**"))
    assert main([*given, "--waivers", str(path)]) == 1
    assert "waives nothing that changed: delete it" in capsys.readouterr().err
    path = _write_waivers(tmp_path / "wrong.toml", ("type-change", "/components/**"))
    assert main([*given, "--waivers", str(path)]) == 3
    assert 'unknown rule "type-change"; use "type-changed"' in capsys.readouterr().err
    assert main(["--base", "none.json", "--revision", "none.json", "--waivers", str(tmp_path / "none.toml")]) == 3
    assert "none.toml: no such file; name one in the form of waivers.toml" in capsys.readouterr().err


def test_reports_are_those_of_make_drift(given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A finding for each rule and place, in the same three files."""
    out = tmp_path / "reports"
    assert main([*given, "--out", str(out)]) == 1
    content = json.loads((out / "findings.json").read_text(encoding="utf-8"))
    assert jsonschema_rs.is_valid(SCHEMA, content)
    (run,) = content["runs"]
    ids = {finding["id"]: finding for finding in run["findings"]}
    assert len(ids) == 4
    found = ids["document/query-parameter-became-required/components/parameters/Q"]
    assert found["place"] == "/components/parameters/Q"
    assert "reached by 4 operations" in found["why"]
    assert run["verdict"] == "breaking"
    assert "WAIVERS=" in run["summary"]["next_step"]
    assert {path.name for path in out.iterdir()} == {"findings.json", "junit.xml", "report.md"}
    assert capsys.readouterr().out.splitlines()[-1] == f"reports: {out}/findings.json, junit.xml, report.md"


def test_a_directory_that_cannot_be_made_is_refused_first(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is read or compared for reports that cannot be written."""
    assert main(["--base", "none.json", "--revision", "none.json", "--out", f"{given[1]}/reports"]) == 3
    assert "--out" in capsys.readouterr().err


@pytest.mark.parametrize(("least", "status"), [("breaking", 0), ("warning", 1), ("additive", 1)])
def test_fail_on_chooses_what_fails(least: str, status: int, tmp_path: Path) -> None:
    """A pattern that became another one is a warning."""
    for name, pattern in (("a", "^a"), ("b", "^b")):
        document = copy.deepcopy(BASE)
        document["components"]["parameters"]["Q"]["schema"]["pattern"] = pattern
        (tmp_path / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    given = ["--base", str(tmp_path / "a.json"), "--revision", str(tmp_path / "b.json"), "--fail-on", least]
    assert main(given) == status


def test_a_place_survives_reordering(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Members are named by what they refer to, wherever they stand in the list."""
    base = copy.deepcopy(BASE)
    schema = base["paths"]["/e"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schema["oneOf"] = [{"type": "integer"}, {"title": "Word", "type": "string", "maxLength": 9}]
    revision = copy.deepcopy(base)
    schema = revision["paths"]["/e"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schema["oneOf"] = [{"title": "Word", "type": "string", "maxLength": 5}, {"type": "integer"}]
    for name, document in (("a", base), ("b", revision)):
        (tmp_path / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    assert main(["--base", str(tmp_path / "a.json"), "--revision", str(tmp_path / "b.json")]) == 1
    assert "  /paths/~1e/post/requestBody/content/application~1json/schema/oneOf/Word" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("base", "revision", "words"),
    [
        (
            {"type": "object", "properties": {"a": {"readOnly": True, "type": "string"}}},
            {"type": "object", "properties": {"a": {"readOnly": True, "type": "string", "maxLength": 3}}},
            "The property never occurs in a request.",
        ),
        (
            {"oneOf": [{"type": "string", "minLength": 2}, {"type": "string", "maxLength": 4}]},
            {"oneOf": [{"type": "string", "minLength": 2}, {"type": "string", "maxLength": 3}]},
            "The documents do not say if the API still accepts values that match several members.",
        ),
        (
            {"type": "string"},
            {"type": "string", "nullable": True},
            "The documents do not say if the API now accepts null",
        ),
    ],
)
def test_a_reason_fits_its_level(
    base: Any, revision: Any, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A level that the location decides has another reason than its rule's."""
    for name, schema in (("a", base), ("b", revision)):
        document = copy.deepcopy(BASE)
        document["paths"]["/e"]["post"]["requestBody"]["content"]["application/json"]["schema"] = schema
        (tmp_path / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    main(["--base", str(tmp_path / "a.json"), "--revision", str(tmp_path / "b.json")])
    assert words in capsys.readouterr().out


def _summarize(changes: Iterable[ApiChange]) -> dict[tuple[str, str, str, str], str]:
    return {(one.rule, one.direction, one.place, one.message): one.level.value for one in changes}


def test_places_and_uses_are_the_same_changes() -> None:
    """To assess what is shared once finds what the list of uses does, for every pair of the collection."""
    for pair in load_pairs():
        base, revision = pair.base, pair.revision
        uses = PlaceFinder(base, revision).group(compare(base, revision, with_uses=True).changes)
        assert _summarize(compare(base, revision).changes) == _summarize(uses), pair.id


def test_shared_edits_are_assessed_once_however_many_operations_reach_them() -> None:
    """Time goes with what is distinct: the rules are asked for a schema, not for its uses."""
    base = copy.deepcopy(BASE)
    names = [f"/things{number}" for number in range(60)]
    base["paths"] |= {name: {"get": {"responses": _respond(FILE)}} for name in names}
    revision = _edit(base)
    found = [one for one in compare(base, revision).changes if one.rule == "enum-value-added"]
    reached = {one.direction: one for one in found}
    assert set(names) | {"/a"} <= {name.removeprefix("GET ") for name in reached["response"].operations}
    assert len(reached["response"].uses) == 1


def _make_pair(old: dict[str, Any], new: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Build two documents from the schemas of both; the operations `GET /x` and `GET /y` return `X` and `Y`."""
    documents = []
    for schemas in (old, new):
        document = copy.deepcopy(BASE)
        document["paths"] = {
            f"/{name.lower()}": {"get": {"responses": _respond({"$ref": f"#/components/schemas/{name}"})}}
            for name in ("X", "Y")
            if name in schemas
        }
        document["components"] = {"schemas": schemas}
        documents.append(document)
    return documents[0], documents[1]


def _refer(name: str) -> dict[str, Any]:
    return {"type": "object", "properties": {"p": {"$ref": f"#/components/schemas/{name}"}}}


SMALL, LARGE = (
    {"type": "object", "properties": {"v": {"type": kind}}} for kind in ("string", ["string", "null"])
)  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        pytest.param(
            {"X": _refer("S"), "Y": _refer("S"), "S": {"enum": ["a"]}},
            {"X": _refer("S"), "Y": _refer("S"), "S": {"enum": ["b"]}},
            {
                ("/components/schemas/S", "values added: 'b'"): ("GET /x", "GET /y"),
                ("/components/schemas/S", "values removed: 'a'"): ("GET /x", "GET /y"),
            },
            id="a shared schema itself",
        ),
        pytest.param(
            {"X": _refer("A"), "Y": _refer("A"), "A": SMALL, "B": LARGE},
            {"X": _refer("B"), "Y": _refer("A"), "A": SMALL, "B": LARGE},
            {("/components/schemas/X/properties/p/properties/v", "null is now allowed (A became B here)"): ("GET /x",)},
            id="a reference that leads elsewhere",
        ),
        pytest.param(
            {"X": _refer("A"), "Y": _refer("A"), "A": SMALL, "B": LARGE},
            {"X": _refer("B"), "Y": _refer("B"), "A": SMALL, "B": LARGE},
            {
                (f"/components/schemas/{name}/properties/p/properties/v", "null is now allowed (A became B here)"): (
                    f"GET /{name.lower()}",
                )
                for name in "XY"
            },
            id="two references that lead elsewhere",
        ),
        pytest.param(
            {"X": _refer("A"), "Y": _refer("A"), "A": SMALL},
            {"X": _refer("B"), "Y": _refer("B"), "B": LARGE},
            {("/components/schemas/B/properties/v", "null is now allowed"): ("GET /x", "GET /y")},
            id="a component with a new name",
        ),
        pytest.param(
            {"X": {"type": "object", "properties": {"p": SMALL}}, "Y": _refer("B"), "B": LARGE},
            {"X": _refer("B"), "Y": _refer("B"), "B": LARGE},
            {
                (
                    "/components/schemas/X/properties/p/properties/v",
                    "null is now allowed (an inline schema became B here)",
                ): ("GET /x",)
            },
            id="an inline schema that became a reference",
        ),
        pytest.param(
            {"X": _refer("A"), "A": SMALL},
            {"X": {**_refer("A"), "required": ["p"]}, "A": SMALL},
            {("/components/schemas/X/properties/p", "p is required now; it was optional"): ("GET /x",)},
            id="a property that the schema around it requires",
        ),
        pytest.param(
            {"X": _refer("A"), "Y": {"properties": {"p": {"$ref": "#/components/schemas/A"}}}, "A": SMALL},
            {
                "X": _refer("A"),
                "Y": {"properties": {"p": {"$ref": "#/components/schemas/A", "deprecated": True, "title": "T"}}},
                "A": SMALL,
            },
            {("/components/schemas/Y/properties/p", "now deprecated"): ("GET /y",)},
            id="a keyword beside a reference",
        ),
        pytest.param(
            {"X": {"properties": {"p": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/A"}]}}}, "A": SMALL},
            {"X": {"properties": {"p": {"$ref": "#/components/schemas/A"}}}, "A": LARGE},
            {
                ("/components/schemas/X/properties/p", "null is no longer allowed"): ("GET /x",),
                ("/components/schemas/A/properties/v", "null is now allowed"): ("GET /x",),
            },
            id="a reference that null stood beside",
        ),
    ],
)
def test_a_change_is_told_where_the_document_was_edited(
    old: dict[str, Any], new: dict[str, Any], wanted: dict[tuple[str, str], tuple[str, ...]]
) -> None:
    """At the component if its text changed or its name, else at the reference that now leads elsewhere."""
    pair = _make_pair(old, new)
    found = {(one.place, one.message): one.operations for one in compare(*pair).changes}
    assert found == wanted
    backwards = [dict(reversed(document["paths"].items())) for document in pair]
    again = compare(*({**document, "paths": paths} for document, paths in zip(pair, backwards, strict=True))).changes
    assert {(one.place, one.message) for one in again} == wanted.keys(), "another order of paths is another place"


def test_one_change_of_many_places_is_told_once_below_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The places stand in the order of their reach, and the consequence stands above all changes that share it."""
    old = {"X": _refer("Z"), "Y": _refer("B"), "Z": SMALL, "B": _refer("Z")}
    old["X"]["properties"]["v"] = {"type": "string"}
    new = copy.deepcopy(old)
    for name in ("X", "Z"):
        new[name]["properties"]["v"] = {"type": ["string", "null"]}
    for name, document in zip("ab", _make_pair(old, new), strict=True):
        (tmp_path / f"{name}.json").write_text(json.dumps({**document, "x-webhooks": {"w": {}}}), encoding="utf-8")
    assert main(["--base", str(tmp_path / "a.json"), "--revision", str(tmp_path / "b.json")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:] == [
        "breaking (2): breaks code",
        "",
        "The API may now return null values; code that does not handle them fails. (2)",
        "  /components/schemas/Z/properties/v; reached by 2 operations: GET /x, GET /y",
        "  /components/schemas/X/properties/v; reached by GET /x",
        "    null is now allowed [nullable-gained in a response property]",
        "note: x-webhooks is an extension, so it was not compared (webhooks before: 1, now: 1)",
    ]
