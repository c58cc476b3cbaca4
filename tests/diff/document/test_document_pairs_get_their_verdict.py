"""The comparison gives every pair in `tests/data/document_pairs` its verdict."""

import copy
import re
from typing import Any

import pytest

from contract_watch.diff import document
from tests.support.documents.pairs import FRAGMENT_KINDS, VERDICTS, DocumentPair, load_pairs

PAIRS = load_pairs()
AREAS = sorted({pair.area for pair in PAIRS})
# Equal in meaning; neither side distinguishes them.
EQUAL = [
    pair
    for pair in PAIRS
    if pair.verdict == "none" and (pair.area == "equal" or FRAGMENT_KINDS[pair.fragment_kind].directions)
]


def _make_id(pair: DocumentPair) -> str:
    return f"{pair.area}/{pair.id}"


@pytest.mark.parametrize("pair", PAIRS, ids=_make_id)
def test_verdict_is_the_reasoned_one(pair: DocumentPair) -> None:
    """The level of a comparison is the verdict of the pair."""
    found = document.compare(pair.base, pair.revision)
    assert found.level.value == pair.verdict, f"{pair.why} {[change.message for change in found.changes]}"


@pytest.mark.parametrize("area", AREAS)
def test_document_does_not_differ_from_itself(area: str) -> None:
    """A document does not differ from its copy."""
    for pair in (pair for pair in PAIRS if pair.area == area):
        for whole in (pair.base, pair.revision):
            assert document.compare(whole, copy.deepcopy(whole)).changes == (), pair.id


@pytest.mark.parametrize("pair", EQUAL, ids=_make_id)
def test_equality_has_no_direction(pair: DocumentPair) -> None:
    """Two spellings of one document are equal in both directions."""
    assert document.compare(pair.revision, pair.base).level.value == "none"


@pytest.mark.parametrize("area", AREAS)
def test_comparison_is_of_a_piece(area: str) -> None:
    """The level is the highest of the changes, and both documents stay unchanged.

    Each change has a rule, a direction, one line, and a location that exists in the revision or in the base.
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
    """A change of the document's servers is reported once, at the list.

    Of several operations with the document's servers one is removed, and a path has a list of its own. An operation that
    gets its own list is reported in addition.
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


def test_new_server_of_a_link_is_a_warning() -> None:
    """A link may name a server for the request that follows, where a tool sends the same key.

    The schema of OpenAPI calls that property `body` by mistake, so the collection of pairs cannot hold this one.
    """

    def build_document(server: dict[str, Any]) -> dict[str, Any]:
        links = {"next": {"operationId": "a", **server}}
        operation = {"operationId": "a", "responses": {"200": {"$ref": "#/components/responses/R"}}}
        components = {"responses": {"R": {"description": "x", "links": links}}}
        servers = [{"url": "https://a.example.com"}]
        return {"openapi": "3.1.0", "servers": servers, "paths": {"/a": {"get": operation}}, "components": components}

    base = build_document({})
    assert document.compare(base, build_document({"server": {"url": "https://a.example.com"}})).changes == ()
    (change,) = document.compare(base, build_document({"server": {"url": "https://b.example.com"}})).changes
    assert (change.rule, change.level.value) == ("server-added", "warning")
    assert change.location == "/paths/~1a/get/responses/200/links/next/server"


@pytest.mark.parametrize(
    "servers",
    [
        None,
        "https://b.example.com",
        {"url": "https://b.example.com"},
        [None, 3, "x"],
        [{"url": 3}],
        [{}],
        [{"url": "https://[b"}],
    ],
)
def test_malformed_servers_are_compared(servers: Any) -> None:
    """Whatever stands at `servers` is compared without an error; a list that is lost is no addition."""
    base: dict[str, Any] = {
        "openapi": "3.1.0",
        "servers": [{"url": "https://a.example.com"}],
        "paths": {"/a": {"get": {}}},
    }
    assert document.compare(base, {**base, "servers": servers}).level.value == "breaking"
    assert document.compare({**base, "servers": servers}, base).level.value in ("warning", "breaking")
    of_operation = {**base, "paths": {"/a": {"servers": servers, "get": {"servers": servers}}}}
    assert document.compare(base, of_operation).level.value in ("none", "breaking")


def _exists(whole: dict[str, Any], pointer: str) -> bool:
    """Return True if ``pointer`` has a target in ``whole``; references on the way are followed."""
    node: Any = whole
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        # The siblings of a reference count as well as its target.
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


_EXCLUSIVE = {"type": "number", "minimum": 0, "exclusiveMinimum": True}


@pytest.mark.parametrize(
    ("versions", "base", "revision", "levels"),
    [
        (("3.0.3", "3.1.0"), _EXCLUSIVE, _EXCLUSIVE, ("warning", "warning")),
        (("3.1.0", "3.0.3"), _EXCLUSIVE, _EXCLUSIVE, ("warning", "warning")),
        (("3.0.3", "3.1.0"), {**_EXCLUSIVE, "type": "integer"}, {**_EXCLUSIVE, "type": "integer"}, ("warning",) * 2),
        (("3.1.0", "3.1.0"), {"type": "number", "minimum": 0}, _EXCLUSIVE, ("warning", "warning")),
        (("3.1.0", "3.1.0"), _EXCLUSIVE, {"type": "number", "minimum": 0}, ("warning", "warning")),
        (("3.1.0", "3.1.0"), _EXCLUSIVE, {**_EXCLUSIVE, "minimum": 1}, ("breaking", "compatible")),
        (("3.0.3", "3.1.0"), {**_EXCLUSIVE, "minimum": 1}, _EXCLUSIVE, ("compatible", "breaking")),
        (("3.1.0", "3.1.0"), _EXCLUSIVE, {"type": "number"}, ("compatible", "breaking")),
    ],
)
def test_boolean_bound_of_a_later_version_is_unclear(
    versions: tuple[str, str], base: Any, revision: Any, levels: tuple[str, str]
) -> None:
    """OpenAPI 3.1 has no boolean exclusive bound, and authors who leave it there mean one.

    JSON Schema refuses it, so the collection of pairs cannot hold these.
    """
    documents = [
        {
            "openapi": version,
            "paths": {"/a": {"put": {
                "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
                "responses": {"200": {"content": {"application/json": {"schema": schema}}}},
            }}},
        }
        for version, schema in zip(versions, (base, revision), strict=True)
    ]  # fmt: skip
    found = {change.direction: change.level.value for change in document.compare(*documents).changes}
    assert (found["request"], found["response"]) == levels
