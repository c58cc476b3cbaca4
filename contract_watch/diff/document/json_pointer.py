"""JSON pointers (RFC 6901) and the local references of OpenAPI documents."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

_POSITION = re.compile(r"0|[1-9][0-9]{0,8}")


def format_pointer(parts: Iterable[str | int]) -> str:
    """Return the pointer through ``parts``, names and indexes; "" is the whole document."""
    return "".join(["/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts])


def parse_pointer(pointer: str) -> tuple[str, ...]:
    """Return the names and indexes of a pointer as strings."""
    tokens = pointer.split("/")[1:]
    return tuple(map(unescape_token, tokens) if "~" in pointer else tokens)


def unescape_token(token: str) -> str:
    """Return the name or index that a token of a pointer stands for."""
    return token.replace("~1", "/").replace("~0", "~")


Trail = tuple[Any, str | int] | None
"""The path to a node: the trail of its parent, and its name or index there; None at the root."""


def build_path(trail: Trail) -> list[str | int]:
    """Return the names and indexes of a trail."""
    parts: list[str | int] = []
    while trail is not None:
        trail, part = trail
        parts.append(part)
    return parts[::-1]


def find_path(document: Any, wanted: Any) -> list[str | int]:
    """Return the path to the object ``wanted`` itself in ``document``, or an empty path if it is not there."""
    stack: list[tuple[Any, Trail]] = [(document, None)]
    while stack:
        node, trail = stack.pop()
        if node is wanted:
            return build_path(trail)
        if type(node) is dict:
            stack += [(inner, (trail, name)) for name, inner in node.items()]
        elif type(node) is list:
            stack += [(inner, (trail, index)) for index, inner in enumerate(node)]
    return []


def resolve_pointer(document: Any, reference: str) -> Any:
    """Return the target of a local ``reference`` (``#/components/schemas/A``), which may be a reference itself.

    The fragment is percent-decoded. References on the way are not followed.

    Raises:
        LookupError: the reference has no target, or is not a local reference.
    """
    if not reference.startswith("#/"):
        raise LookupError(reference)
    found = document
    for part in unquote(reference[2:]).split("/"):
        name = unescape_token(part)
        if isinstance(found, dict):
            found = found[name]
        elif isinstance(found, list) and _POSITION.fullmatch(name):
            found = found[int(name)]
        else:
            raise LookupError(reference)
    return found


def find_anchors(document: Any) -> dict[str, Any]:
    """Return the schemas of a document by their anchors, as references (``#name``); one that occurs twice is none."""
    found: dict[str, Any] = {}
    twice = set[str]()
    waiting = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            names = {f"#{node[key]}" for key in ("$anchor", "$dynamicAnchor") if isinstance(node.get(key), str)}
            twice |= names & found.keys()
            found.update(dict.fromkeys(names, node))
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return {name: node for name, node in found.items() if name not in twice}
