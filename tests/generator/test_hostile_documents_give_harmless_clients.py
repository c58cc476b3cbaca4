"""No text of a document becomes code, markup or metadata of the client that is generated from it."""

import ast
import re
import tomllib
import warnings
from pathlib import Path

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.generator.name_checks import find_problems
from contract_watch.generator.outputs import generate_outputs
from tests.support.clients.sample_client import write_sample_contract
from tests.support.documents.hostile_text import HOSTILE_TEXT, make_document

# The overlay of the sample sets the title, which is to be hostile here.
_OVERLAY = "{overlay: 1.0.0, actions: [{target: $.info, description: For show., update: {x-note: text}}]}"


def _generate(root: Path, text: str) -> Path:
    root.mkdir()
    write_sample_contract(root, **make_document(text))
    (root / "contracts/sample/overlay.yaml").write_text(_OVERLAY)
    generate_outputs(Contract("sample", root), root / "generated/sample")
    return root / "generated/sample"


@pytest.fixture(name="outputs", scope="module")
def _outputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Generate from a harmless document, and from the same document with hostile texts."""
    directory = tmp_path_factory.mktemp("outputs")
    return _generate(directory / "harmless", "text"), _generate(directory / "hostile", HOSTILE_TEXT)


def _parse_without_docstrings(path: Path) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # an invalid escape is one today and an error tomorrow
        tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:]
    return ast.dump(tree)


def test_hostile_text_is_in_docstrings_alone(outputs: tuple[Path, Path]) -> None:
    """The code is that of the harmless document; only docstrings differ."""
    modules = [
        {path.relative_to(output).as_posix(): _parse_without_docstrings(path) for path in output.rglob("*.py")}
        for output in outputs
    ]
    assert len(modules[0]) > 5
    assert modules[0] == modules[1]
    docstrings = "".join(path.read_text() for path in outputs[1].rglob("*.py"))
    assert "left\\\\u202eright" in docstrings
    assert docstrings.count("touch pwned") > 5


def test_no_output_has_an_invisible_character(outputs: tuple[Path, Path]) -> None:
    """README, metadata, docstrings and the effective document show control and bidirectional characters as escapes."""
    for path in outputs[1].rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert {character for character in text if not character.isprintable()} <= {"\n"}, path


def test_metadata_has_no_key_of_the_documents(outputs: tuple[Path, Path]) -> None:
    """The title is one string of pyproject.toml, with its line breaks."""
    harmless, hostile = (tomllib.loads((output / "client/pyproject.toml").read_text()) for output in outputs)
    assert hostile["project"].pop("description") == f"A client library for accessing {_show_lines(HOSTILE_TEXT)}"
    del harmless["project"]["description"]
    assert hostile == harmless


def _show_lines(text: str) -> str:
    """Return ``text`` with escapes for what a reader cannot see, as docstrings and metadata have it."""
    return "".join(c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def test_examples_of_the_readme_are_our_own(outputs: tuple[Path, Path]) -> None:
    """The README's code is the same for both documents: no server, example or default of a document is in it."""
    harmless, hostile = ((output / "client/README.md").read_text() for output in outputs)
    blocks = [re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL) for text in (harmless, hostile)]
    assert len(blocks[0]) == 4
    assert blocks[0] == blocks[1]
    assert 'base_url="https://api.example.com"' in hostile
    assert "touch pwned" not in blocks[1][1][1]
    assert len(hostile.splitlines()) == len(harmless.splitlines())
    assert not re.search(r"<(?!!-- Generated|address)", hostile)


_SCHEMA = ("paths", "/users", "post", "requestBody", "content", "application/json", "schema")
_BELOW = {"type": "string"}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"properties": {"a\u202eb": _BELOW}}, '"a\\u202eb" of the class AddUserBody has a character that'),
        ({"properties": {"a\0b": _BELOW}}, "has a character that the generated code would lose"),
        ({"properties": {"a\nb": _BELOW}}, "has a character that the generated code would lose"),
        ({"properties": {"self": _BELOW, "ｓｅｌｆ": _BELOW}}, '"self" and "ｓｅｌｆ" are one name in Python'),
        ({"properties": {"a": {"const": "x\\"}}}, "has a quote, a backslash or another character"),
        ({"properties": {"a": {**_BELOW, "x-client-type": "seconds"}}}, "which is for properties of responses"),
        ({"properties": {"a": {**_BELOW, "enum": ["a-b", "a b"]}}}, "has values that give members of one name"),
        ({"properties": {"a": {**_BELOW, "enum": ["x\u2028", "y"]}}}, "of an enumeration has a character that"),
    ],
    ids=["bidi", "nul", "line", "full-width", "constant", "conversion", "members", "separator"],
)
def test_a_schema_that_the_client_would_change_is_refused(change: dict[str, object], problem: str) -> None:
    """One phrase names the property or the value, and the reason."""
    document = make_document("text")
    inner = document
    for key in _SCHEMA[:-1]:
        inner = inner[key]
    inner["schema"] = {"type": "object", **change}
    found = next(find_problems(document))
    assert problem in found
    assert found.isprintable()


@pytest.mark.parametrize(
    ("path", "operation", "problem"),
    [
        ("/a/{0.__class__}", {}, "has a brace that belongs to no parameter"),
        ("/a{}", {}, "has a brace that belongs to no parameter"),
        ("/a\u202eb", {}, "has a character that the generated code would lose"),
        ("/a", {"operationId": "add_user"}, "would share the module"),
        ("/a", {"operationId": "x" * 300}, "has too long a name"),
        (
            "/a",
            {"parameters": [{"in": "header", "name": "X: y\r\nZ", "schema": _BELOW}]},
            "that the generated code would lose",
        ),
        ("/a", {"parameters": [{"in": "header", "name": "X: y", "schema": _BELOW}]}, "is no name that HTTP allows"),
        (
            "/a",
            {
                "parameters": [{"in": "query", "name": "body", "schema": _BELOW}],
                "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
            },
            "has the name of the argument for the request body",
        ),
    ],
    ids=["format", "braces", "bidi", "one module", "long", "line break", "header", "body"],
)
def test_an_operation_that_the_client_would_change_is_refused(
    path: str, operation: dict[str, object], problem: str
) -> None:
    """One phrase names the operation or the parameter, and the reason."""
    document = make_document("text")
    document["paths"][path] = {"post": {"operationId": "other", "responses": {"204": {"description": ""}}, **operation}}
    found = list(find_problems(document))
    assert any(problem in one for one in found), found
    assert all(one.isprintable() for one in found)
