"""A request as models receive it, the same for every protocol."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class MissingBody(Enum):
    """Values of ``Request.body`` for a request without a JSON body: an empty one, or one that is not JSON."""

    ABSENT = "absent"
    MALFORMED = "malformed"


@dataclass(frozen=True)
class Request:
    """A request, decoded.

    ``operation`` is the operation id of the effective document, None if it declares none for this method and path.
    ``path`` is the requested path without its query. ``parameters`` are the path parameters by name, as strings, and the
    other parameters by key (``query:limit``), decoded by their schemas; those of the query that no document declares
    are among them. ``headers`` have lower-case names; the values of a repeated header are joined with a comma and a space.
    ``body`` is the JSON value or a `MissingBody`. ``timestamp`` is the time of sending (suite) or receiving (mock), in
    seconds since the epoch. ``exempt_clauses`` are ids of clauses that the model does not enforce on this request:
    mutants switch promises off with them (see `outcomes.build_outcomes`). ``account`` is the name of the account whose key
    the request carries; models ignore it.
    """

    operation: str | None
    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = MissingBody.ABSENT
    parameters: Mapping[str, Any] = field(default_factory=dict)
    timestamp: float = 0.0
    exempt_clauses: frozenset[str] = frozenset()
    account: str = ""
