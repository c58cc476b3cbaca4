"""The published document merges the vendor's reference pages and is otherwise verbatim."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract_watch.contracts.registry import Contract

PAGES = sorted((Path(__file__).parents[2] / "data" / "published" / "jetemail").glob("*.md"))
_BLOCK = re.compile(
    r"^````yaml (?P<source>\S+) (?P<method>\w+) (?P<path>\S+)$(?P<text>.*?)^````", re.MULTILINE | re.DOTALL
)


def _parse_page(page: Path) -> tuple[str, str, dict[str, Any]]:
    """Path, method and OpenAPI fragment that a reference page shows."""
    found = _BLOCK.search(page.read_text(encoding="utf-8"))
    assert found is not None, f"{page.name} shows no OpenAPI block"
    fragment: dict[str, Any] = yaml.safe_load(found["text"])
    return found["path"], found["method"], fragment


def _dump_json(value: Any) -> str:
    """JSON as written: unlike ``==`` it tells true from 1 and one order of properties from another."""
    return json.dumps(value, indent=1, ensure_ascii=False)


@pytest.fixture(name="document")
def _document(jetemail: Contract) -> Any:
    return jetemail.published.raw


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_operation_stands_word_for_word(page: Path, document: Any) -> None:
    """Each page has one operation, and the document has its values in the same order."""
    path, method, fragment = _parse_page(page)
    assert {p: list(item) for p, item in fragment["paths"].items()} == {path: [method]}
    assert _dump_json(document["paths"][path][method]) == _dump_json(fragment["paths"][path][method])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_shared_parts_stand_word_for_word(page: Path, document: Any) -> None:
    """Version, info, servers, security, components and all else that pages share equal the page's."""
    _, _, fragment = _parse_page(page)
    assert {"openapi", "info", "servers", "security", "components"} <= set(fragment)
    for part in set(fragment) - {"paths"}:
        assert _dump_json(document[part]) == _dump_json(fragment[part]), part


def test_nothing_else_stands_in_it(document: Any) -> None:
    """The merge adds nothing to the parts and operations of the three pages."""
    fragments = [_parse_page(page) for page in PAGES]
    assert len(fragments) == 3
    assert set(document) == {part for _, _, fragment in fragments for part in fragment}
    declared = {(path, method) for path, item in document["paths"].items() for method in item}
    assert declared == {(path, method) for path, method, _ in fragments}
