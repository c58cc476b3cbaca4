"""No module of the generator and of the comparisons writes a document's text into another language by its own means.

`contract_watch.escaping` has one function for each language. Three other ways lead around it, and each is looked for: other
functions that quote, a placeholder next to a quotation mark, and a template that shows a string of the document as it is.
"""

import ast
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from contract_watch import escaping
from contract_watch.contracts.registry import ROOT

PACKAGES = ("contract_watch/generator", "contract_watch/diff")
QUOTING = {
    name
    for name, value in vars(escaping).items()
    if callable(value) and getattr(value, "__module__", "") == escaping.__name__
}
OTHER_MEANS = {
    "shlex.quote", "shlex.join", "html.escape", "saxutils.escape", "saxutils.quoteattr", "string.Template", "Template",
    "Environment", "jinja2.Environment", "ascii", "eval", "exec", "compile",
}  # fmt: skip
"""Functions that quote or run text."""
DELIMITERS = "\"'`<"
"""The characters that open a string, a code span or a tag."""
ALLOWED = {
    ("contract_watch/generator/naming.py", "content"): "reads a string that the generator wrote",
    (
        "contract_watch/generator/name_checks.py",
        "strings.in_double_quote_literal(text)",
    ): "reads what the generator writes",
    ("contract_watch/generator/operations.py", "one"): "a value of an enumeration, as the generator has quoted it",
    ("contract_watch/generator/operations.py", "name"): "an identifier",
    ("contract_watch/generator/operations.py", "further"): "source of our own",
    ("contract_watch/diff/acceptance.py", "slug"): "a slug has letters and digits only",
    ("contract_watch/diff/client_record.py", "contract.slug"): "a slug has letters and digits only",
    ("contract_watch/diff/document/loader.py", "name"): "one of three keywords",
    ("contract_watch/diff/document/value_text.py", "_shorten(value)"): "a message, which the change log escapes",
    ("contract_watch/diff/overlay_check/relocate.py", "quoted"): "a JSONPath for people, which reports escape",
    ("contract_watch/diff/rules_page.py", "rule.id"): "our own rules",
    ("contract_watch/diff/rules_page.py", "area"): "our own rules",
    ("contract_watch/diff/rules_page.py", "direction"): "our own rules",
}
"""Placeholders that hold no text of a document, or that are quoted later, with the reason."""


def _name_call(node: ast.expr) -> str:
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def _is_quoted(node: ast.expr) -> bool:
    """Return True if ``node`` is a number, a constant, or the result of a quoting function."""
    name = _name_call(node).rsplit(".", 1)[-1]
    return isinstance(node, ast.Constant) or name in {*QUOTING, "len", "_show"}


def _find_placeholders(node: ast.JoinedStr) -> Iterator[ast.expr]:
    """Yield the placeholders of an f-string that stand directly after a delimiter or are shown with ``!r``."""
    before = ""
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            if part.conversion == ord("a") or (before[-1:] and before[-1] in DELIMITERS):
                yield part.value
            before = ""
        elif isinstance(part, ast.Constant):
            before = str(part.value)


def _find_parts(node: ast.AST) -> Iterator[ast.expr]:
    """Yield every expression that ``node`` puts into a string, next to a delimiter of a language."""
    if isinstance(node, ast.JoinedStr):
        yield from _find_placeholders(node)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        left = node.left.right if isinstance(node.left, ast.BinOp) else node.left
        text = left.value if isinstance(left, ast.Constant) and isinstance(left.value, str) else ""
        if (isinstance(node.op, ast.Mod) and re.search(f"[{DELIMITERS}]%", text)) or (
            isinstance(node.op, ast.Add) and text and text[-1] in DELIMITERS
        ):
            yield node.right
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("format", "format_map")
    ):
        owner = node.func.value
        text = str(owner.value) if isinstance(owner, ast.Constant) else ""
        if re.search(rf"[{DELIMITERS}]\{{", text):
            yield node.func


def find_ways_round(path: str, source: str) -> list[str]:
    """Return a line for each way round the quoting functions in the module ``path``."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _name_call(node) in OTHER_MEANS:
            found.append(f"{path}:{node.lineno}: {_name_call(node)}")
        parts = (part for part in _find_parts(node) if not _is_quoted(part))
        found += [
            f"{path}:{part.lineno}: {ast.unparse(part)}" for part in parts if (path, ast.unparse(part)) not in ALLOWED
        ]
    return found


def test_no_module_goes_round_the_quoting_functions() -> None:
    """A string of a document next to a quotation mark, a backtick or a bracket has passed a quoting function."""
    # The modules that the generated clients share know no document.
    every = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    modules = [path for path in every if path.parent.name != "client_runtime"]
    assert len(modules) > 50
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in modules}
    assert [line for path, text in texts.items() for line in find_ways_round(path, text)] == []
    unused = [(path, part) for path, part in ALLOWED if part not in texts[path]]
    assert unused == []


@pytest.mark.parametrize(
    "line",
    [
        "f'base_url=\"{url}\"'",
        "f\"x = '{value}'\"",
        "f'`{summary}`'",
        "f'<h1>{len(title)}<{title}'",
        "f'{value!a}'",
        "'\"' + value + '\"'",
        "'name = \"%s\"' % value",
        "'name = \"{}\"'.format(value)",
        "shlex.quote(value)",
        "html.escape(value)",
        "jinja2.Environment()",
        "exec(value)",
        'f\'"{escape_text(a)} {b}" "{c}"\'',
    ],
)
def test_the_rule_finds_what_it_looks_for(line: str) -> None:
    """Each way round the quoting functions is found exactly once."""
    assert len(find_ways_round("x.py", line)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "f'{path}: {problem}; {fix}'",
        "f'\"{escape_text(value)}\"'",
        "f'x = {quote_toml(value)}'",
        "f'`{escaping.escape_text(v)}`'",
    ],
)
def test_the_rule_accepts_quoted_text(line: str) -> None:
    """Plain messages and quoted values are accepted."""
    assert find_ways_round("x.py", line) == []


_EXPRESSION = re.compile(r"\{\{(.*?)\}\}|\{%-?\s*set\s(.*?)%\}", re.DOTALL)
_FILTERS = (
    "escape_markdown",
    "code_span",
    "quote_toml",
    "safe_for_docstring",
    "in_double_quote_literal",
    "in_f_string_literal",
)


def _find_raw_strings(text: str) -> list[str]:
    """Return the expressions of a template that write a string of the document without a filter, ours or the generator's."""
    expressions = [(found[1] or found[2]).strip() for found in _EXPRESSION.finditer(text)]
    raw = (
        one
        for one in expressions
        if "get_untrusted_value()" in one or re.search(r"\.(title|summary|description)\b", one)
    )
    return [one for one in raw if not any(f"| {name}" in one for name in _FILTERS) and "facts." not in one]


def test_no_template_writes_a_string_of_the_document_as_it_is() -> None:
    """Each string of a document passes a filter, in our templates and in those of the installed generator."""
    ours = list((ROOT / "contract_watch/generator/templates").glob("*.jinja"))
    installed = Path(str(files("openapi_python_client"))) / "templates"
    # Of the generator's templates for packages only its Python is used.
    theirs = [*installed.glob("*.py.jinja"), *installed.glob("property_templates/*.jinja"), installed / "helpers.jinja"]
    assert len(ours) >= 2
    assert len(theirs) > 15
    replaced = {path.name for path in ours} | {"setup.py.jinja"}
    texts = [*ours, *(path for path in theirs if path.name not in replaced)]
    assert {path.name: found for path in texts if (found := _find_raw_strings(path.read_text(encoding="utf-8")))} == {}


def test_the_rule_for_templates_finds_what_it_looks_for() -> None:
    """A title without a filter is found, one with a filter is not."""
    assert _find_raw_strings("for {{ openapi.title.get_untrusted_value() }}.") == [
        "openapi.title.get_untrusted_value()"
    ]
    assert _find_raw_strings("{% set title = openapi.title.get_untrusted_value() %}") != []
    assert _find_raw_strings("{{ openapi.title.get_untrusted_value() | escape_markdown }}") == []
