"""The requests that a mock can receive: a fault for any other would never play, and is refused with what there is."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from contract_watch.contracts.openapi import METHODS
from contract_watch.contracts.path_templates import PLACEHOLDER, decode_path, match_template, parse_template
from contract_watch.errors import UsageError
from contract_watch.mock.faults.calls import GRPC, REST, TOKEN, Where
from contract_watch.mock.faults.fault import FaultTarget
from contract_watch.mock.faults.values import quote
from contract_watch.mock.vendor import MockVendor
from contract_watch.suggestions import suggest_name

_METHODS = frozenset(map(str.upper, METHODS))


@dataclass(frozen=True)
class ServedRoute:
    """A kind of request that reaches a vendor: an operation over REST or gRPC, or a token request.

    ``path`` is the path template with the base path, ``document_path`` that of the document.
    """

    vendor: str
    kind: str
    path: str
    document_path: str = ""
    operation: str | None = None
    method: str = ""


class FaultCatalog:
    """The routes and accounts of the vendors that a mock serves; they are listed when the first fault asks."""

    def __init__(self, vendors: Mapping[str, MockVendor]) -> None:
        self._vendors = vendors
        self._routes: list[ServedRoute] = []

    def check_vendor(self, label: str, slug: str) -> None:
        """Raise `UsageError` unless the mock serves the vendor."""
        if slug not in self._vendors:
            raise UsageError(f"{label}: unknown vendor {quote(slug)}; {suggest_name(slug, self._vendors)}")

    def check_rates(self, label: str, slugs: Iterable[str]) -> None:
        """Raise `UsageError` unless all of these vendors publish a rate limit: the mock invents none."""
        for slug in slugs:
            if not self._vendors[slug].contract.rate.published:
                raise UsageError(
                    f"{label}: {slug} publishes no rate limit; give `rate` an object of `requests` and `seconds`, "
                    "or name another `vendor`"
                )

    def resolve_target(
        self, label: str, given: Mapping[str, Any], where: Where, *, is_rest_only: bool = False
    ) -> FaultTarget:
        """Return the requests that the fields of a fault name.

        Raises:
            UsageError: there can be none; the message begins with ``label`` and says what there is.
        """
        self._routes = self._routes or list(self._list_routes())
        vendor, account = given.get("vendor"), given.get("account")
        operation, method, path = (given.get(name) for name in ("operation", "method", "path"))
        routes: list[ServedRoute] = self._routes
        if vendor is not None:
            self.check_vendor(label, vendor)
            routes = [route for route in routes if route.vendor == vendor]
        if operation is not None:
            routes = _select_operation(label, routes, operation)
        if method is not None:
            routes = _select_method(label, routes, operation, method)
        paths: frozenset[str] = frozenset()
        if path is not None:
            routes, paths = _select_path(label, self._routes, routes, path)
        if account is not None:
            routes = self._select_account(label, routes, account)
        if is_rest_only or where.query:
            routes = [route for route in routes if route.kind != GRPC]
            if not routes:
                raise UsageError(
                    f"{label}: `cut`, `slow`, `headers` alone and `where/query` are for REST; {quote(str(path))} is gRPC's"
                )
        return FaultTarget(
            vendor, account, operation, method, paths, path is not None and _is_template(path), where,
            frozenset(route.vendor for route in routes),
        )  # fmt: skip

    def _list_routes(self) -> Iterator[ServedRoute]:
        for slug, vendor in self._vendors.items():
            contract = vendor.contract
            for one in contract.operations.values():
                yield ServedRoute(slug, REST, contract.base_path + one.path, one.path, one.id, one.method)
                if contract.grpc is not None:
                    path = f"/{contract.grpc.service}/{contract.grpc.methods[one.id]}"
                    yield ServedRoute(slug, GRPC, path, path, one.id, one.method)
            if vendor.issuer is not None:
                yield ServedRoute(slug, TOKEN, vendor.issuer.config.path, vendor.issuer.config.path)

    def _select_account(self, label: str, routes: list[ServedRoute], account: str) -> list[ServedRoute]:
        names = {slug: [one.name for one in self._vendors[slug].accounts] for slug in {one.vendor for one in routes}}
        found = [route for route in routes if account in names[route.vendor]]
        if not found:
            known = (name for listed in names.values() for name in listed)
            raise UsageError(f"{label}: unknown account {quote(account)}; {suggest_name(account, known)}")
        return found


def _select_operation(label: str, routes: list[ServedRoute], operation: str) -> list[ServedRoute]:
    found = [route for route in routes if route.operation == operation]
    if not found:
        known = (route.operation for route in routes if route.operation is not None)
        raise UsageError(f"{label}: unknown operation {quote(operation)}; {suggest_name(operation, known)}")
    return found


def _select_method(label: str, routes: list[ServedRoute], operation: str | None, method: str) -> list[ServedRoute]:
    """Return the routes for ``method``; without an operation, REST answers undeclared methods too."""
    if method not in _METHODS:
        raise UsageError(f"{label}: unknown method {quote(method)}; {suggest_name(method, _METHODS)}")
    is_any = operation is None
    found = [one for one in routes if one.method == method or (is_any and one.kind != GRPC)]
    if not found:
        raise UsageError(
            f"{label}: the operation {quote(str(operation))} never has the method {method}; "
            f"use {routes[0].method}, or remove one of them"
        )
    return found


def _select_path(
    label: str, known: list[ServedRoute], routes: list[ServedRoute], path: str
) -> tuple[list[ServedRoute], frozenset[str]]:
    """Return the routes that ``path`` finds, and its spellings in requests.

    It can be a path or a path template, with the base path or, if that finds none, as in the vendor's document.
    """
    found = [route for route in routes if _matches(route.path, path)]
    is_full = bool(found)
    if not found:
        found = [route for route in routes if _matches(route.document_path, path)]
    if not found:
        if any(_matches(one, path) for route in known for one in (route.path, route.document_path)):
            raise UsageError(f"{label}: no request has this path and the other fields, got {quote(path)}; remove one")
        raise UsageError(f"{label}: unknown path {quote(path)}; {suggest_name(path, (route.path for route in known))}")
    if _is_template(path):
        return found, frozenset(route.path for route in found)
    bases = {"" if is_full else route.path.removesuffix(route.document_path) for route in found}
    return found, frozenset(base + one for base in bases for one in (path, unquote(path)))


def _is_template(path: str) -> bool:
    return PLACEHOLDER.search(path) is not None


def _matches(template: str, path: str) -> bool:
    """Return True if ``path`` is one of ``template``, or the same template with any names in braces."""
    if _is_template(path):
        return PLACEHOLDER.sub("{}", template) == PLACEHOLDER.sub("{}", path)
    return match_template(parse_template(template), decode_path(path)) is not None
