"""A request as faults match it, the same over REST, gRPC and at a token endpoint."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from contract_watch.contracts.matchers import are_equal
from contract_watch.contracts.parameters import parse_query
from contract_watch.mock.vendor import MockVendor

REST, GRPC, TOKEN = "rest", "grpc", "token"
"""The kinds of a call: to an operation over REST, or over gRPC and gRPC-web, or to a token endpoint."""


@dataclass(frozen=True)
class IncomingCall:
    """A request that a fault can match.

    ``operation`` is None for an undeclared method and at a token endpoint. ``template`` is the path template that the
    server found, base path included. ``headers`` have lower-case names, ``query`` is the query without keys. ``body`` is
    decoded: the JSON of REST for a gRPC call, the form at a token endpoint.
    """

    vendor: MockVendor
    kind: str
    operation: str | None
    method: str
    path: str
    template: str
    headers: Mapping[str, str]
    body: Any = None
    query: str = ""
    key: str | None = None

    @cached_property
    def account(self) -> str:
        """The name of the account whose key the request carries; empty if it carries none that is known."""
        by_key = {account.key: account.name for account in self.vendor.accounts}
        if self.key is not None:
            return by_key.get(self.key, "")
        for location in self.vendor.contract.credential_locations:
            holder = self.body if location.field else self.headers
            value = holder.get(location.field or location.key) if isinstance(holder, Mapping) else None
            key = location.read_key(value) if isinstance(value, str) else None
            if key in by_key:
                return by_key[key or ""]
        return ""

    @cached_property
    def query_values(self) -> list[tuple[str, str]]:
        """The pairs of the query, decoded."""
        return parse_query(self.query)


@dataclass(frozen=True)
class Where:
    """The content that a request must have for a fault.

    ``body`` is contained: a request has at least the properties of an object, at any depth, and equals anything else.
    ``header`` and ``query`` give the exact value of each name; a query has it among those of that name.
    """

    body: Any = None
    header: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    has_body: bool = False

    def matches(self, call: IncomingCall) -> bool:
        """Return True if ``call`` has the content."""
        return (
            all(call.headers.get(name) == value for name, value in self.header.items())
            and all(pair in call.query_values for pair in self.query.items())
            and (not self.has_body or contains(call.body, self.body))
        )


def contains(value: Any, part: Any) -> bool:
    """Return True if ``value`` has every property of ``part``, at any depth, or equals it."""
    if isinstance(value, dict) and isinstance(part, dict):
        return all(name in value and contains(value[name], inner) for name, inner in part.items())
    return are_equal(value, part)
