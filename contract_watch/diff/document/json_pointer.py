"""JSON pointers (RFC 6901), and the local references of OpenAPI documents that are made of them."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

_POSITION = re.compile(r"0|[1-9][0-9]{0,8}")


def format_pointer(parts: Iterable[str | int]) -> str:
    """The pointer that leads through ``parts``, names and positions; the whole document's is empty."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


def parse_pointer(pointer: str) -> tuple[str, ...]:
    """The names and positions that a pointer leads through, as texts."""
    return tuple(map(unescape_token, pointer.split("/")[1:]))


def unescape_token(token: str) -> str:
    """What a token of a pointer stands for."""
    return token.replace("~1", "/").replace("~0", "~")


Trail = tuple[Any, str | int] | None
"""How a node was reached: the trail of what holds it, and its name or position there; None at the top."""


def build_path(trail: Trail) -> list[str | int]:
    """The names and positions that a trail leads through."""
    parts: list[str | int] = []
    while trail is not None:
        trail, part = trail
        parts.append(part)
    return parts[::-1]


def find_path(document: Any, wanted: Any) -> list[str | int]:
    """Where ``wanted``, the very object, stands in ``document``; the way to nothing where it does not."""
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
    """What a local ``reference`` (``#/components/schemas/A``) leads to in ``document``, itself a reference or not.

    The part behind ``#`` is percent-encoded where it has to be, as in any address. References on the way are not
    followed: a pointer leads through what is written.

    Raises:
        LookupError: it leads nowhere, or is none.
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
