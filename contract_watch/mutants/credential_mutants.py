"""Drifts of who is let in: no credential needed, any taken, another account's objects in reach."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from contract_watch.contracts.config import CredentialLocation
from contract_watch.contracts.interpretations import Interpretations
from contract_watch.contracts.model import Account
from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.mutants.mutant import Mutant, Mutation, VendorRequest
from contract_watch.mutants.mutated_vendor import MutatedVendor, read_credential, remove_arguments

CredentialTest = Callable[[CredentialLocation, str | None, str], bool]
"""Whether what stands in a credential's place (None: nothing) is taken for an account's key."""


class LaxAuthentication(Mutation):
    """A credential that ``taken`` picks in one place is good enough, for one operation (empty: for all)."""

    def __init__(self, operation: str, accepts: CredentialTest, location: int = 0) -> None:
        self._operation, self._accepts, self._location = operation, accepts, location

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """See `Mutation.answer`."""
        if self._operation in ("", request.operation.id) and vendor.find_account(request) is None:
            place = vendor.contract.credential_locations[self._location]
            shown = read_credential(place, request)
            if shown is None and any(
                read_credential(other, request) is not None for other in vendor.contract.credential_locations
            ):
                return super().respond(vendor, request)
            account = next((a for a in vendor.accounts if self._accepts(place, shown, a.key)), None)
            if account is not None:
                self.activations += 1
                request = replace(request, headers={**request.headers, **vendor.build_credential(account.name)})
        return super().respond(vendor, request)


class CrossAccountAccess(Mutation):
    """One operation finds objects of whatever account."""

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """See `Mutation.answer`."""
        account = vendor.find_account(request)
        if request.operation.id != self._operation or account is None:
            return super().respond(vendor, request)
        others = [known.name for known in vendor.accounts if known.name != account]
        if vendor.contract.is_read_only(request.operation.id):
            status, shown = super().respond(vendor, request)
            for other in others:
                more = vendor.apply_outcome(vendor.compute_outcome(_impersonate(vendor, request, other)))[1]
                self.activations += bool(vendor.list_owned(other))
                shown = _merge_rows(shown, more)
            return status, shown
        for other in others:
            if set(vendor.list_names(request, "existing")) & set(vendor.list_owned(other)):
                self.activations += 1
                return super().respond(vendor, _impersonate(vendor, request, other))
        return super().respond(vendor, request)


def _impersonate(vendor: MutatedVendor, request: VendorRequest, account: str) -> VendorRequest:
    return replace(request, headers={**request.headers, **vendor.build_credential(account)})


def _merge_rows(one: Any, other: Any) -> Any:
    """One answer with the rows of the other behind its own."""
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return one
    rows = {name: [*one[name], *other[name]] for name in one if isinstance(one[name], list) and name in other}
    return {**one, **rows}


class IgnoredCredential(Mutation):
    """One place for a credential does not count, for one operation."""

    def __init__(self, operation: str, location: int) -> None:
        self._operation, self._location = operation, location

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """See `Mutation.answer`."""
        place = vendor.contract.credential_locations[self._location]
        if request.operation.id == self._operation and read_credential(place, request) is not None:
            self.activations += 1
            headers = {name: value for name, value in request.headers.items() if name != place.header.lower()}
            request = replace(request, headers=headers)
            request = remove_arguments(request, place.field) if place.field else request
        return super().respond(vendor, request)


_CASES: Mapping[str, tuple[str, CredentialTest]] = {
    "not-needed": ("no credential", lambda _place, shown, _key: shown is None),
    "any-value": ("any value", lambda place, shown, _key: shown is not None and shown.startswith(place.form.split("{}")[0])),
    "any-scheme": ("the key under any scheme", lambda _place, shown, key: shown is not None and shown.endswith(f" {key}")),
    "no-scheme": ("the key without its scheme", lambda place, shown, key: bool(place.scheme) and shown == key),
    "beginning": ("whatever begins with the key",
                  lambda place, shown, key: shown is not None and shown.startswith(place.form.format(key))),
}  # fmt: skip


def derive_credential_mutants(contract: Contract) -> Iterator[Mutant]:
    """Each way to be let in, on each operation alone and on all; then each operation reaching into other accounts."""
    for operation in [*contract.operations, ""]:
        where = contract.operations[operation].name if operation else "every operation"
        for case, (words, taken) in _CASES.items():
            if case.endswith("-scheme") and not contract.credential_locations[0].scheme:
                continue
            name = f"credentials/{operation or 'all'}/{case}"
            yield Mutant(
                name,
                operation,
                "",
                f"{words} is good enough for {where}.",
                partial(LaxAuthentication, operation, taken),
            )
    for number, place in enumerate(contract.credential_locations[1:], 1):
        for operation, declared in contract.operations.items():
            head = f"credentials/{operation}/{place.name}"
            says = f"{declared.name} does not take the key in its other place any more: {place.name}."
            yield Mutant(f"{head}-refused", operation, "", says, partial(IgnoredCredential, operation, number))
            words, taken = _CASES["any-value"]
            says = f"{words} is good enough in {place.name} for {declared.name}."
            yield Mutant(f"{head}-any-value", operation, "", says, partial(LaxAuthentication, operation, taken, number))
    if _has_several_accounts(contract):
        for operation, declared in contract.operations.items():
            if contract.is_read_only(operation) or "existing" in contract.get_roles(operation).values():
                says = f"{declared.name} reaches the objects of other accounts."
                yield Mutant(
                    f"credentials/{operation}/other-account",
                    operation,
                    "",
                    says,
                    partial(CrossAccountAccess, operation),
                )


def _has_several_accounts(contract: Contract) -> bool:
    """Whether another account than the first can have objects of its own."""
    rehearsal, create = Simulation(contract), contract.operations[contract.lifecycle.create]
    accounts = [Account(credential.account, credential.test) for credential in contract.credentials]
    state = contract.model.start(accounts, Interpretations(contract.model.interpretations), "")
    return any(
        rehearsal.is_granted_in([state], create, rehearsal.build_arguments(create, ""), account.key)
        for account in accounts[1:]
    )
