"""The router of the vendors' paths: it splits a path as it was sent, so that ``%2F`` stays inside its argument."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from starlette.types import ASGIApp, Scope

from contract_watch.contracts.path_templates import (
    SegmentTemplate,
    decode_path_strictly,
    match_template,
    parse_template,
)

_LITERAL_SAFE = "/:@!$&'()*+,;=~%"
"""Characters of a path that clients send as they are; a percent sign begins an escape of the template."""


@dataclass
class _Node:
    """The templates that share their first segments."""

    literals: "dict[str, _Node]" = field(default_factory=dict)
    patterns: "dict[SegmentTemplate, _Node]" = field(default_factory=dict)
    endpoint: ASGIApp | None = None
    methods: Collection[str] = ()


class PathRouter:
    """The endpoints of path templates: a literal segment wins over one with parameters.

    A template that declares the method wins over one that does not.
    """

    def __init__(self) -> None:
        self._root = _Node()
        self._static: dict[bytes, ASGIApp] = {}
        self._templates: list[tuple[SegmentTemplate, ...]] = []
        self._longest = 0

    def add(self, template: str, endpoint: ASGIApp, methods: Collection[str]) -> None:
        """Add the endpoint of a path template, which declares ``methods``."""
        segments = parse_template(template)
        node = self._root
        for segment in segments:
            if segment.is_literal:
                node = node.literals.setdefault(segment.literals[0], _Node())
            else:
                node = node.patterns.setdefault(segment, _Node())
        node.endpoint, node.methods = endpoint, methods
        self._longest = max(self._longest, len(segments))
        if all(segment.is_literal for segment in segments):
            self._static[quote(template, safe=_LITERAL_SAFE).encode()] = endpoint
        else:
            self._templates.append(segments)

    def freeze(self) -> None:
        """Order the templates once all are added; a literal path that a template matches too needs the slow search."""
        for raw in list(self._static):
            segments = decode_path_strictly(raw)
            if any(match_template(template, segments) is not None for template in self._templates):
                del self._static[raw]
        _order_patterns(self._root)

    def find(self, scope: Scope) -> ASGIApp | None:
        """Return the endpoint of a request, and put its path parameters into ``scope``; None if there is none.

        Raises:
            MalformedPathError: the path cannot be decoded.
        """
        raw = scope.get("raw_path")
        if raw is not None and (endpoint := self._static.get(raw)) is not None:
            return endpoint
        segments = split_request_path(scope, self._longest)
        if segments is None:
            return None
        found = _search(self._root, segments, 0, scope["method"]) or _search(self._root, segments, 0, None)
        if found is None:
            return None
        scope["path_params"] = found[1]
        return found[0]


def split_request_path(scope: Scope, longest: int) -> list[str] | None:
    """Return the decoded segments of a request's path below the root path; None if there are more than ``longest``.

    A caller in the same process may give the decoded path alone: a slash in it divides segments.

    Raises:
        MalformedPathError: the path cannot be decoded.
    """
    raw, root = scope.get("raw_path"), scope.get("root_path", "")
    if raw is None:
        path: str = scope["path"].removeprefix(root)
        return path.split("/") if path.count("/") < longest else None
    raw = raw.partition(b"?")[0]
    if root:
        raw = raw.removeprefix(quote(root).encode())
    return decode_path_strictly(raw) if raw.count(b"/") < longest else None


def _order_patterns(node: _Node) -> None:
    ordered = sorted(node.patterns.items(), key=lambda one: -sum(map(len, one[0].literals)))
    node.patterns = dict(ordered)
    for inner in (*node.literals.values(), *node.patterns.values()):
        _order_patterns(inner)


def _search(
    node: _Node, segments: Sequence[str], index: int, method: str | None
) -> tuple[ASGIApp, dict[str, str]] | None:
    """Return the endpoint below ``node`` and the parameters; each node is visited at most once."""
    if index == len(segments):
        is_declared = method is None or method in node.methods
        return (node.endpoint, {}) if node.endpoint is not None and is_declared else None
    segment = segments[index]
    inner = node.literals.get(segment)
    if inner is not None and (found := _search(inner, segments, index + 1, method)) is not None:
        return found
    for pattern, inner in node.patterns.items():
        parameters = pattern.match(segment)
        if parameters is not None and (found := _search(inner, segments, index + 1, method)) is not None:
            return found[0], {**parameters, **found[1]}
    return None
