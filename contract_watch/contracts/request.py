"""A request as a model sees it: what was asked, whichever surface carried it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class MissingBody(Enum):
    """What stands in ``Request.body`` where there is no JSON value."""

    ABSENT = "absent"
    MALFORMED = "malformed"


@dataclass(frozen=True)
class Request:
    """One request.

    ``operation`` is the effective document's operation id, None where it declares none for this method and path.
    ``headers`` have lower-case names; a name sent twice has its values joined with a comma and a space.
    ``body`` is the JSON value, or a member of `MissingBody`. ``parameters`` holds path parameters by name.
    ``timestamp`` is when it was sent (suite) or received (mock), in seconds since the epoch. ``exempt_clauses`` are clauses
    that this request is not held to: how a mutant of the mock switches a promise off (see
    `contract_watch.contracts.checks.judge`). ``account`` names the account whose key it carries; models ignore it.
    """

    operation: str | None
    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = MissingBody.ABSENT
    parameters: Mapping[str, str] = field(default_factory=dict)
    timestamp: float = 0.0
    exempt_clauses: frozenset[str] = frozenset()
    account: str = ""
