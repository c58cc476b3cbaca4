"""Objects that fuzzing creates over a vendor's own API and reads back: a mock that has lost its state shows none."""

import json
from collections.abc import Sequence
from functools import lru_cache

import httpx

from contract_watch.contracts.registry import Contract, load_contracts
from contract_watch.contracts.request import Request
from contract_watch.engine.planning.probe import get_pool_stand_in
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.engine.protocols.wire import encode_as_rest


def find_lost_objects(client: httpx.Client, slugs: Sequence[str]) -> str:
    """Create an object of each vendor and read it back; return the first problem, in one line.

    The vendors have no object and their first interpretations. Those whose keys must be exchanged for tokens are left out.
    """
    return next(filter(None, (_check_vendor(client, contract) for contract in _list_contracts(tuple(slugs)))), "")


@lru_cache
def _list_contracts(slugs: tuple[str, ...]) -> Sequence[Contract]:
    contracts = load_contracts()
    return [contracts[slug] for slug in slugs or contracts if contracts[slug].token is None]


def _check_vendor(client: httpx.Client, contract: Contract) -> str:
    creation, name = _build_creation(contract)
    created = _send(client, contract, creation)
    if not created.is_success:
        return f"{contract.slug}: {contract.lifecycle.create} of a valid object answers {created.status_code}"
    name = contract.lifecycle.extract_id(json.loads(created.content)) or name if created.content else name
    listed = client.get(f"/__mock/state/{contract.slug}").raise_for_status().json()
    if not isinstance(listed, list) or len(listed) != 1:
        return f"{contract.slug}: the object that was created is not in the state"
    read = _send(client, contract, _build_request(contract, contract.lifecycle.read, name))
    if not read.is_success or name not in read.text:
        return f"{contract.slug}: {contract.lifecycle.read} does not show the object that was created"
    return ""


@lru_cache
def _build_creation(contract: Contract) -> tuple[Request, str]:
    """Return the request that creates an object, and its name."""
    name = get_pool_stand_in(contract)
    return _build_request(contract, contract.lifecycle.create, name), name


@lru_cache
def _simulate(contract: Contract) -> Simulation:
    return Simulation(contract)


def _build_request(contract: Contract, operation_id: str, name: str) -> Request:
    simulation, operation = _simulate(contract), contract.operations[operation_id]
    new = {one: name for one, role in contract.get_roles(operation_id).items() if role == "new"}
    return simulation.build_request(operation, {**simulation.build_arguments(operation, name), **new})


def _send(client: httpx.Client, contract: Contract, request: Request) -> httpx.Response:
    encoded = encode_as_rest(str(client.base_url).rstrip("/") + contract.base_path, request, contract.operations)
    return client.request(encoded.method, encoded.url, headers=dict(encoded.headers), content=encoded.content)
