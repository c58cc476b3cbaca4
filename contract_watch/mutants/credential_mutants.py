"""Mutants of authentication: no credential needed, any value accepted, another account's objects accessible."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from contract_watch.contracts.config import CredentialLocation
from contract_watch.contracts.model import Account
from contract_watch.contracts.outcomes import Interpretations
from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.mutants.mutant import Mutant, Mutation, VendorRequest
from contract_watch.mutants.mutated_vendor import MutatedVendor, read_credential, remove_arguments

CredentialTest = Callable[[CredentialLocation, str | None, str], bool]
"""Returns True if a value in a credential's location (None: absent) is accepted as an account's key."""


class LaxAuthentication(Mutation):
    """Mutation that accepts a wrong credential in one location for one operation (empty: for all operations)."""

    def __init__(self, operation: str, accepts: CredentialTest, location: int = 0) -> None:
        self._operation, self._accepts, self._location = operation, accepts, location

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        if self._operation in ("", request.operation.id) and vendor.find_account(request) is None:
            location = vendor.contract.credential_locations[self._location]
            value = read_credential(location, request)
            if value is None and any(
                read_credential(other, request) is not None for other in vendor.contract.credential_locations
            ):
                return super().respond(vendor, request)
            account = next((a for a in vendor.accounts if self._accepts(location, value, a.key)), None)
            if account is not None:
                self.activations += 1
                request = replace(request, headers={**request.headers, **vendor.build_credential(account.name)})
        return super().respond(vendor, request)


class CrossAccountAccess(Mutation):
    """Mutation that lets one operation access the objects of every account."""

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        account = vendor.find_account(request)
        if request.operation.id != self._operation or account is None:
            return super().respond(vendor, request)
        others = [known.name for known in vendor.accounts if known.name != account]
        if vendor.contract.is_read_only(request.operation.id):
            status, body = super().respond(vendor, request)
            for other in others:
                more = vendor.apply_outcome(vendor.compute_outcome(_impersonate(vendor, request, other)))[1]
                self.activations += bool(vendor.list_owned(other))
                body = _merge_rows(body, more)
            return status, body
        for other in others:
            if set(vendor.list_names(request, "existing")) & set(vendor.list_owned(other)):
                self.activations += 1
                return super().respond(vendor, _impersonate(vendor, request, other))
        return super().respond(vendor, request)


def _impersonate(vendor: MutatedVendor, request: VendorRequest, account: str) -> VendorRequest:
    return replace(request, headers={**request.headers, **vendor.build_credential(account)})


def _merge_rows(one: Any, other: Any) -> Any:
    """Append the rows of ``other`` to those of ``one``."""
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return one
    rows = {name: [*one[name], *other[name]] for name in one if isinstance(one[name], list) and name in other}
    return {**one, **rows}


class IgnoredCredential(Mutation):
    """Mutation that ignores a credential in one location, for one operation."""

    def __init__(self, operation: str, location: int) -> None:
        self._operation, self._location = operation, location

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        location = vendor.contract.credential_locations[self._location]
        if request.operation.id == self._operation and read_credential(location, request) is not None:
            self.activations += 1
            headers = {name: value for name, value in request.headers.items() if name != location.key}
            request = replace(request, headers=headers)
            request = remove_arguments(request, location.field) if location.field else request
        return super().respond(vendor, request)


_CASES: Mapping[str, tuple[str, CredentialTest]] = {
    "not-needed": ("no credential", lambda _location, value, _key: value is None),
    "any-value": ("any value", lambda location, value, _key: value is not None and value.startswith(location.form.split("{}")[0])),
    "any-scheme": ("the key under any scheme", lambda location, value, key: value is not None and value.endswith(f" {location.encode_key(key)}")),
    "no-scheme": ("the key without its scheme", lambda location, value, key: bool(location.scheme) and value == location.encode_key(key)),
}  # fmt: skip


def derive_credential_mutants(contract: Contract) -> Iterator[Mutant]:
    """Derive every lax authentication for each operation and for all, then access to other accounts' objects."""
    for operation in [*contract.operations, ""]:
        where = contract.operations[operation].name if operation else "every operation"
        for case, (description, accepts) in _CASES.items():
            if case.endswith("-scheme") and not contract.credential_locations[0].scheme:
                continue
            name = f"credentials/{operation or 'all'}/{case}"
            yield Mutant(
                name,
                operation,
                "",
                f"{where} accepts {description}.",
                partial(LaxAuthentication, operation, accepts),
            )
    for number, location in enumerate(contract.credential_locations[1:], 1):
        for operation, declared in contract.operations.items():
            head = f"credentials/{operation}/{location.name}"
            description_text = f"{declared.name} no longer accepts the key in {location.name}."
            yield Mutant(
                f"{head}-refused", operation, "", description_text, partial(IgnoredCredential, operation, number)
            )
            description, accepts = _CASES["any-value"]
            description_text = f"{declared.name} accepts {description} in {location.name}."
            yield Mutant(
                f"{head}-any-value",
                operation,
                "",
                description_text,
                partial(LaxAuthentication, operation, accepts, number),
            )
    if _has_several_accounts(contract):
        for operation, declared in contract.operations.items():
            if contract.is_read_only(operation) or "existing" in contract.get_roles(operation).values():
                description_text = f"{declared.name} accesses the objects of other accounts."
                yield Mutant(
                    f"credentials/{operation}/other-account",
                    operation,
                    "",
                    description_text,
                    partial(CrossAccountAccess, operation),
                )


def _has_several_accounts(contract: Contract) -> bool:
    """Return True if another account than the first can have objects of its own."""
    simulation, create = Simulation(contract), contract.operations[contract.lifecycle.create]
    accounts = [Account(credential.account, credential.test) for credential in contract.credentials]
    state = contract.model.start(accounts, Interpretations(contract.model.interpretations), "")
    return any(
        simulation.is_granted_in([state], create, simulation.build_arguments(create, ""), account.key)
        for account in accounts[1:]
    )
