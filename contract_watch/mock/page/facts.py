"""The facts about vendors that the page shows: names, addresses, test keys, operations, and the document to render."""

import copy
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from contract_watch.contracts.registry import Contract
from contract_watch.contracts.resource.state import ResourceState
from contract_watch.mock.vendor import MockVendor

MAX_ROWS = 200
"""Objects of a vendor that the page shows, the newest."""


def describe_vendor(vendor: MockVendor) -> dict[str, Any]:
    """Return the facts about a vendor that stay the same while the mock runs, as JSON without secrets."""
    contract = vendor.contract
    return {
        "slug": contract.slug,
        "name": contract.name,
        "base_path": contract.base_path,
        "has_grpc": contract.grpc is not None,
        "token": _describe_token(contract),
        "accounts": list(_describe_accounts(vendor)),
        "operations": [
            {"id": operation.id, "method": operation.method, "path": contract.base_path + operation.path}
            for operation in contract.operations.values()
        ],
        "interpretations": {name: list(values) for name, values in contract.model.interpretations.items()},
    }


def _describe_token(contract: Contract) -> dict[str, Any] | None:
    """Describe the endpoint of access tokens, and name the schemes that carry them; None if the vendor has none."""
    if contract.token is None:
        return None
    wanted = _find_wanted_schemes(contract)
    schemes = [name for name, scheme in wanted.items() if scheme.get("type") in ("oauth2", "http", "openIdConnect")]
    return {"path": contract.token.path, "auth": contract.token.auth, "schemes": schemes}


def _describe_accounts(vendor: MockVendor) -> Iterator[dict[str, Any]]:
    """Describe each account; a key that is not the documented test value came from the environment and stays secret."""
    keys = {account.name: account.key for account in vendor.accounts}
    for credential in vendor.contract.credentials:
        is_public = keys.get(credential.account) == credential.test
        yield {
            "account": credential.account,
            "about": credential.about,
            "variable": credential.variable,
            "key": credential.test if is_public else None,
            "authorizations": _fill_schemes(vendor.contract, credential.test) if is_public else {},
        }


def _fill_schemes(contract: Contract, key: str) -> dict[str, dict[str, str]]:
    """Return the values of the document's security schemes for a key, by the name of the scheme.

    Keys that have to be exchanged for access tokens fill no scheme.
    """
    if contract.token is not None:
        return {}
    filled = {name: _fill_scheme(contract, scheme, key) for name, scheme in _find_wanted_schemes(contract).items()}
    return {name: values for name, values in filled.items() if values}


def _find_wanted_schemes(contract: Contract) -> dict[str, Mapping[str, Any]]:
    """Return the document's security schemes that requests need, by name: the first of each list of alternatives."""
    raw = contract.effective.raw
    schemes = raw.get("components", {}).get("securitySchemes", {})
    wanted = {name for alternatives in _list_requirements(raw) for name in alternatives[0]}
    return {name: scheme for name, scheme in schemes.items() if name in wanted and isinstance(scheme, dict)}


def _list_requirements(raw: Mapping[str, Any]) -> Iterator[list[Mapping[str, Any]]]:
    """Yield the lists of alternatives of the document and of its operations, without those that are empty."""
    owners = [raw, *(one for item in raw["paths"].values() for one in item.values() if isinstance(one, dict))]
    for owner in owners:
        found = owner.get("security")
        if isinstance(found, list) and found and isinstance(found[0], dict):
            yield found


def _fill_scheme(contract: Contract, scheme: Mapping[str, Any], key: str) -> dict[str, str]:
    """Return the values that a person would type for one security scheme; none if the contract has no such location."""
    kind, located = scheme.get("type"), scheme.get("in")
    if kind == "http" and str(scheme.get("scheme")).lower() == "basic":
        user, _, password = key.partition(":")
        return {"username": user, "password": password}
    if kind == "http":
        return {"value": key}
    name = str(scheme.get("name"))
    for location in contract.credential_locations:
        if kind == "apiKey" and located == "header" and location.header.lower() == name.lower():
            return {"value": location.build_value(key)}
        if kind == "apiKey" and located == "query" and location.query == name:
            return {"value": key}
    return {}


def build_document(contract: Contract) -> dict[str, Any]:
    """Return the effective document with the mock in place of every server and token endpoint that it names."""
    document = copy.deepcopy(dict(contract.effective.raw))
    for item in document["paths"].values():
        for owner in [item, *(one for one in item.values() if isinstance(one, dict))]:
            owner.pop("servers", None)
    if "://" not in str(document.get("externalDocs", {}).get("url")):
        document.pop("externalDocs", None)  # a page of the vendor's own site, which the mock does not have
    document["servers"] = [{"url": contract.base_path or "/", "description": "this mock"}]
    schemes = document.get("components", {}).get("securitySchemes", {})
    if contract.token is not None:
        for scheme in schemes.values():
            for flow in (one for one in scheme.get("flows", {}).values() if isinstance(one, dict)):
                flow.update({name: contract.token.path for name in ("tokenUrl", "refreshUrl") if name in flow})
    return document


def describe_state(vendor: MockVendor) -> dict[str, Any]:
    """Return the number of a vendor's objects, and the newest of them, as the state's own dump has them."""
    state = vendor.state
    if isinstance(state, ResourceState):  # the page asks each second, and a state may have 100,000 objects
        newest = tuple(islice(reversed(state.items), MAX_ROWS))
        return {"count": len(state.items), "rows": vendor.contract.model.dump(state.evolve(items=newest))}
    dumped = vendor.dump()
    rows = dumped if isinstance(dumped, list) else [] if dumped is None else [dumped]
    return {"count": len(rows), "rows": rows[: -MAX_ROWS - 1 : -1]}
