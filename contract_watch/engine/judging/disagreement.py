"""A disagreement between a response and the contract, and the small functions that describe one."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.request import MissingBody
from contract_watch.contracts.schema import ValuePath
from contract_watch.engine.protocols.wire import Response
from contract_watch.report.finding import Severity

BREAKING, ADDITIVE = Severity.BREAKING, Severity.ADDITIVE


@dataclass(frozen=True)
class Disagreement:
    """One way in which a response breaks the contract: a `contract_watch.report.finding.Finding` before it is confirmed.

    ``operation`` is the id of the operation held responsible. ``may_be_outage`` marks a response that a broken server
    gives too, ``is_unreadable`` a body whose values cannot be judged, ``is_wrong_status`` a status that the contract
    does not allow. ``object_name`` is the object concerned, if the response holds several.
    """

    id: str
    severity: Severity
    clause: str
    title: str
    why: str
    operation: str
    may_be_outage: bool = False
    is_unreadable: bool = False
    is_wrong_status: bool = False
    object_name: str | None = None


def is_html_page(response: Response) -> bool:
    """Return True for a page for people, as proxies, portals and error handlers send."""
    return "text/html" in response.headers.get("content-type", "").lower() or response.body[:64].lstrip()[:1] == b"<"


def parse_json(body: bytes) -> Any:
    """Parse a body; a member of `MissingBody` stands for one that is empty or not JSON."""
    if not body:
        return MissingBody.ABSENT
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return MissingBody.MALFORMED


def format_pointer(path: ValuePath) -> str:
    """Format a path as clauses write it: names joined with slashes, ``*`` for every index."""
    return "/".join("*" if isinstance(part, int) else str(part) for part in path)


def get_value(body: Any, path: ValuePath) -> Any:
    """Return the value at ``path``; `MissingBody.ABSENT` if there is none."""
    part: Any
    for part in path:
        if (isinstance(body, list) and isinstance(part, int) and part < len(body)) or (
            isinstance(body, dict) and part in body
        ):
            body = body[part]
        else:
            return MissingBody.ABSENT
    return body


def walk_strings(value: Any, path: ValuePath = ()) -> Iterator[tuple[ValuePath, str]]:
    """Yield every string in a JSON value, names excepted, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from walk_strings(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from walk_strings(inner, (*path, index))


def list_properties(value: Any, prefix: str = "") -> Iterator[str]:
    """Yield every property in a JSON value as clauses write it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield f"{prefix}{name}"
            yield from list_properties(inner, f"{prefix}{name}/")
    elif isinstance(value, list):
        for inner in value:
            yield from list_properties(inner, f"{prefix}*/")
