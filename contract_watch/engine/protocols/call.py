"""A request before any surface has put it into bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.request import MissingBody


@dataclass(frozen=True)
class Call:
    """One request: to ``operation`` (None: to none that is declared), with ``method`` and ``path`` below the target's address.

    ``parameters`` are the path parameters, filled into ``path`` already. ``body`` is a JSON value or `MissingBody.ABSENT`,
    ``headers`` are what else is said, a credential for one.
    """

    operation: Operation | None
    method: str
    path: str
    body: Any = MissingBody.ABSENT
    headers: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
