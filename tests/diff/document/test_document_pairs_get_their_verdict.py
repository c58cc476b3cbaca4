"""The comparison of documents says of every pair in the collection what its reason says: `tests/data/document_pairs`."""

import copy
import re
from typing import Any

import pytest

from contract_watch.diff import document
from tests.support.documents.pairs import FRAGMENT_KINDS, VERDICTS, DocumentPair, load_pairs

PAIRS = load_pairs()
AREAS = sorted({pair.area for pair in PAIRS})
# Equal in meaning, not only gone after its day: told apart by neither side.
EQUAL = [
    pair
    for pair in PAIRS
    if pair.verdict == "none" and (pair.area == "equal" or FRAGMENT_KINDS[pair.fragment_kind].directions)
]


def _make_id(pair: DocumentPair) -> str:
    return f"{pair.area}/{pair.id}"


@pytest.mark.parametrize("pair", PAIRS, ids=_make_id)
def test_verdict_is_the_reasoned_one(pair: DocumentPair) -> None:
    """Claim: the comparison is right about every pair. Expectation: its level is the verdict that was reasoned out."""
    found = document.compare(pair.base, pair.revision)
    assert found.level.value == pair.verdict, f"{pair.why} {[change.message for change in found.changes]}"


@pytest.mark.parametrize("area", AREAS)
def test_document_does_not_differ_from_itself(area: str) -> None:
    """Claim: no change is seen where there is none. Situation: either document beside a copy of itself."""
    for pair in (pair for pair in PAIRS if pair.area == area):
        for whole in (pair.base, pair.revision):
            assert document.compare(whole, copy.deepcopy(whole)).changes == (), pair.id


@pytest.mark.parametrize("pair", EQUAL, ids=_make_id)
def test_equality_has_no_direction(pair: DocumentPair) -> None:
    """Claim: two spellings of one document are equal both ways. Situation: the revision as the base."""
    assert document.compare(pair.revision, pair.base).level.value == "none"


@pytest.mark.parametrize("area", AREAS)
def test_comparison_is_of_a_piece(area: str) -> None:
    """Claim: a comparison is read by its changes. Expectation: its level is their worst, and both documents stay as they were.

    Each change says its rule, its direction, a line, and a place that is in the revision or was in the base.
    """
    for pair in (pair for pair in PAIRS if pair.area == area):
        base, revision = pair.base, pair.revision
        found = document.compare(base, revision)
        assert (base, revision) == (pair.base, pair.revision), pair.id
        levels = ["none", *(change.level.value for change in found.changes)]
        assert found.level.value == max(levels, key=VERDICTS.index), pair.id
        for change in found.changes:
            assert change.level.value in VERDICTS[1:], (pair.id, change)
            assert change.direction in ("request", "response"), (pair.id, change)
            assert change.rule, (pair.id, change)
            assert re.fullmatch(r"[^\n]+", change.message), (pair.id, change)
            assert any(_exists(whole, change.location) for whole in (revision, base)), (pair.id, change)


def test_change_of_the_documents_servers_is_reported_once() -> None:
    """Claim: one change is one line. Situation: operations at the document's servers, of which one goes; a path with its own.

    Expectation: it is told of the list where it stands; an operation that is given a list of its own is told beside it.
    """
    urls = [{"url": f"https://{name}.example.com"} for name in "ab"]
    base: dict[str, Any] = {
        "openapi": "3.1.0",
        "servers": urls,
        "paths": {f"/{n}": {"get": {}, "put": {}} for n in range(3)},
    }
    revision = copy.deepcopy({**base, "servers": urls[:1]})
    assert [change.location for change in document.compare(base, revision).changes] == ["/servers/1"]
    revision["paths"]["/0"]["servers"] = [{"url": "https://c.example.com"}]
    assert [(change.rule, change.location) for change in document.compare(base, revision).changes] == [
        ("server-removed", "/paths/~10/servers"),
        ("server-removed", "/paths/~10/servers"),
        ("server-added", "/paths/~10/servers/0"),
        ("server-removed", "/servers/1"),
    ]


def _exists(whole: dict[str, Any], pointer: str) -> bool:
    """Whether ``pointer`` leads somewhere in ``whole``; references on the way are followed."""
    node: Any = whole
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        # What stands beside a reference is there as well as what it leads to.
        node = node if isinstance(node, dict) and name in node else _resolve_reference(whole, node)
        try:
            node = node[int(name)] if isinstance(node, list) else node[name]
        except (KeyError, IndexError, TypeError, ValueError):
            return False
    return True


def _resolve_reference(whole: dict[str, Any], node: Any) -> Any:
    for _ in range(32):
        if not (isinstance(node, dict) and isinstance(node.get("$ref"), str)):
            break
        target: Any = whole
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~").replace("%7B", "{").replace("%7D", "}")]
        node = target
    return node
