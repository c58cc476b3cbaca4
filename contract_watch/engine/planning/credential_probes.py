"""The probes of credentials: missing, nearly right, in another scheme, in another header, and right in each location."""

from collections.abc import Callable, Iterator

from contract_watch.contracts.config import CredentialLocation
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.engine.planning.near_keys import build_near_key, choose_kind, find_other_header, has_secret_part
from contract_watch.engine.planning.probe import Probe, ProbeStep

CredentialBuilder = Callable[[str], str | None]
_KIND_PHRASES = {"other-case": "a key in the other case", "changed": "a key whose last character is another"}


def plan_credential_probes(contract: Contract, arguments: ArgumentBuilder) -> Iterator[Probe]:
    """Plan missing and wrong credentials for each operation, and the right one in every other location.

    Each wrong key is nearly right, and the kinds take turns: a vendor compares keys in one place for all operations.
    """
    elsewhere = _choose_operation_for_other_header(contract)
    for turn, operation in enumerate(contract.operations.values()):
        for number, location in enumerate(contract.credential_locations):
            kind = choose_kind(turn + number)
            cases = _build_cases(contract, location, kind, first=number == 0)
            for case, credential in cases.items():
                step = ProbeStep.from_arguments(
                    operation, arguments.build_baseline(operation), credential=credential, location=number
                )
                if location.field and not isinstance(step.body, dict):
                    continue
                if case == "none" and operation.id == elsewhere:
                    yield _build_elsewhere_probe(contract, operation, arguments)
                else:
                    yield _build_probe(operation, location, number, case, kind, step)


def _build_probe(
    operation: Operation, location: CredentialLocation, number: int, case: str, kind: str, step: ProbeStep
) -> Probe:
    good = case == "good"
    clause = f"{operation.id}/credential" + (f"/{location.name}" if good else "")
    words = {"wrong": _KIND_PHRASES.get(kind, f"a {kind} key"), "none": "no credential"}
    title = (
        f"{operation.name} accepts the key in its other location: {location.name}."
        if good
        else f"{operation.name} rejects a request with {words.get(case, f'a {case} credential')}."
    )
    name = case if number == 0 else f"{location.name}-{case}"
    equivalence_key = name if number else ""
    return Probe(f"credentials/{operation.id}/{name}", "credentials", operation.id, title, (clause,), (step,),
                 equivalence_key=equivalence_key)  # fmt: skip


def _choose_operation_for_other_header(contract: Contract) -> str:
    """Choose the operation that gets the key in an undocumented header instead of none: one that changes nothing."""
    if not find_other_header(contract)[0] or len(contract.operations) == 1:
        return ""
    reads = [operation for operation in contract.operations if contract.is_read_only(operation)]
    return contract.lifecycle.read if contract.lifecycle.read in reads else next(iter(reads), "")


def _build_elsewhere_probe(contract: Contract, operation: Operation, arguments: ArgumentBuilder) -> Probe:
    header, form = find_other_header(contract)
    location = contract.credential_locations[0]
    step = ProbeStep.from_arguments(
        operation, arguments.build_baseline(operation), header=header,
        credential=lambda key: form.format(location.encode_key(key)),
    )  # fmt: skip
    title = f"{operation.name} rejects a request with the key in another header: {header}."
    return Probe(f"credentials/{operation.id}/elsewhere", "credentials", operation.id, title,
                 (f"{operation.id}/credential",), (step,))  # fmt: skip


def _build_cases(
    contract: Contract, location: CredentialLocation, kind: str, *, first: bool
) -> dict[str, CredentialBuilder]:
    """Build the credentials for one location by case; the right key only in locations that are not the usual one."""
    is_pair = has_secret_part(contract)
    cases: dict[str, CredentialBuilder] = {
        "wrong": lambda key: location.build_value(build_near_key(kind, key, is_pair=is_pair))
    }
    if not first:
        return {"good": location.build_value, **cases}
    cases = {"none": lambda _key: None, **cases}
    if location.scheme:
        other = "Bearer" if location.scheme.lower() == "basic" else "Basic"
        return {
            **cases,
            "other-scheme": lambda key: f"{other} {location.encode_key(key)}",
            "malformed": location.encode_key,
        }
    return {**cases, "malformed": lambda key: key[:4]}
