"""Documentation and docstrings keep the rules of writing that CONTRIBUTING.md states."""

import ast
import functools
import re
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract_watch.contracts.registry import ROOT

QUESTION = re.compile(r"(What|Whether|Who|Whom|Where|How|Which)\b")
MAX_WHAT_PER_1000_WORDS = 3.0
MAX_README_WORDS, MAX_ARCHITECTURE_LINES, MIN_CONTRIBUTING_ROWS = 700, 80, 20
Node = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@functools.cache
def _list_files(*patterns: str) -> list[Path]:
    """List the tracked files that match, without generated ones."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")  # noqa: S603 (our own)
    return [ROOT / name for name in sorted(set(names)) if name and not name.startswith("generated/")]


MODULES = [path for path in _list_files("*.py") if path.is_file()]
PAGES = [path for path in _list_files("*.md") if path.is_file() and "data" not in path.parts]


@functools.cache
def _find_definitions(path: Path) -> list[Node]:
    """Find the module, its classes and its functions; statements inside expressions are not searched."""
    found, waiting = list[Node](), list[ast.AST]([ast.parse(path.read_text(encoding="utf-8"))])
    while waiting:
        node = waiting.pop()
        if isinstance(node, Node):
            found.append(node)
        waiting += [
            one for one in ast.iter_child_nodes(node) if isinstance(one, ast.stmt | ast.excepthandler | ast.match_case)
        ]
    return found


def _find_docstrings(path: Path) -> Iterator[tuple[str, Node, str]]:
    for node in _find_definitions(path):
        if docstring := ast.get_docstring(node):
            yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}", node, docstring


@functools.cache
def _list_docstrings() -> list[tuple[str, Node, str]]:
    """List the docstrings of all modules: when a test asks, since every test process imports this module."""
    return [entry for path in MODULES for entry in _find_docstrings(path)]


def test_no_docstring_asks_a_question() -> None:
    """A docstring begins with a verb or a noun, never with a question word."""
    assert len(_list_docstrings()) > 1000
    assert [where for where, _, docstring in _list_docstrings() if QUESTION.match(docstring)] == []


def test_what_is_rare() -> None:
    """Of 1,000 words of documentation and docstrings at most three are "what"."""
    prose = " ".join(
        [docstring for _, _, docstring in _list_docstrings()] + [page.read_text(encoding="utf-8") for page in PAGES]
    )
    words = re.findall(r"[A-Za-z][A-Za-z']*", prose)
    rate = 1000 * sum(word.lower() == "what" for word in words) / len(words)
    assert rate <= MAX_WHAT_PER_1000_WORDS, f"{rate:.1f} in 1,000 words"


def test_no_two_classes_share_a_name() -> None:
    """One name means one class in the whole repository.

    The modules that the generated clients share are a program of their own: they spell names as their users know them.
    A vendor's class is called `Model` after the protocol, because the loader finds it by that name.
    """
    places = defaultdict(list)
    for path in (one for one in MODULES if one.parent.name != "client_runtime"):
        for node in _find_definitions(path):
            is_vendors = path.name == "model.py" and path.parents[1].name == "contracts"
            if isinstance(node, ast.ClassDef) and not (is_vendors and node.name == "Model"):
                places[node.name].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def _read_glossary() -> list[str]:
    """List the terms of the glossary, the first column of its table."""
    lines = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
    rows = [line.split("|")[1].strip() for line in lines if line.startswith("| ")]
    return rows[1:]


def test_every_glossary_term_is_used_in_the_code() -> None:
    """A term that code no longer uses leaves the glossary."""
    library = [
        path for path in MODULES if path.relative_to(ROOT).parts[0] in ("contract_watch", "contracts", "scripts")
    ]
    code = " ".join(path.read_text(encoding="utf-8") for path in library)
    # snake_case and CamelCase names count as words.
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|[_\W]+", " ", code).lower()
    terms = _read_glossary()
    assert len(terms) == len(set(terms)) > 40
    assert [term for term in terms if not re.search(rf"\b{re.escape(term.lower())}", spaced)] == []


def test_glossary_is_sorted_and_one_line_each() -> None:
    """A reader finds a term by its letter."""
    terms = _read_glossary()
    assert terms == sorted(terms)


def test_pages_are_short_enough_to_be_read() -> None:
    """README has at most 700 words, the architecture page at most 80 lines."""
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= MAX_README_WORDS
    assert len((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").splitlines()) <= MAX_ARCHITECTURE_LINES


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page names a file that exists, and a heading in it."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"\w+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name) if name else page
        headings = {_anchor(line.lstrip("# ")) for line in path.read_text(encoding="utf-8").splitlines()
                    if line.startswith("#")} if anchor and path.is_file() else set()  # fmt: skip
        if not path.exists() or (anchor and anchor not in headings):
            broken.append(target)
    assert broken == []


def test_contributing_names_files_that_exist() -> None:
    """Each row of "to change X, edit Y, run Z" names existing files, tests and targets."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = [
        line.split("|")[1:4]
        for table in text.split("| to change |")[1:]
        for line in table.split("\n\n")[0].splitlines()[2:]
    ]
    assert len(rows) >= MIN_CONTRIBUTING_ROWS
    assert [change for change, count in Counter(row[0] for row in rows).items() if count > 1] == []
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    missing = []
    for _, edit, run in rows:
        for quoted in re.findall(r"`([^`]+)`", edit):
            name = re.sub(r"^cw/", "contract_watch/", re.sub(r"^engine/", "contract_watch/engine/", quoted))
            known = any(path.as_posix().endswith("/" + name) for path in _list_files("*")) or (ROOT / name).exists()
            if re.fullmatch(r"[\w./-]+", name) and ("/" in name or "." in name) and not known:
                missing.append(quoted)
        for command in re.findall(r"`([^`]+)`", run):
            for word in command.split()[1:]:
                if command.startswith("pytest") and "<slug>" not in word and not (ROOT / word).exists():
                    missing.append(command)
                if command.startswith("make") and "=" not in word and not re.search(rf"(?m)^{word}:", makefile):
                    missing.append(command)
    assert missing == []


def test_contributing_rule_finds_what_it_looks_for(tmp_path: Path) -> None:
    """The rules above can fail: a page with a dead link is found."""
    page = tmp_path / "page.md"
    page.write_text("# A title\n[x](missing.md) [y](#a-title) [z](#no-title)\n")
    with pytest.raises(AssertionError):
        test_links_lead_somewhere(page)
