"""Mutants of generated passwords: those that count, tell the time, contain a name, or come from a small set."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from contract_watch.contracts.redaction import find_password_names
from contract_watch.contracts.registry import Contract
from contract_watch.mutants.mutant import Mutant, Mutation, VendorRequest
from contract_watch.mutants.mutated_vendor import MutatedVendor
from contract_watch.mutants.response_mutants import list_property_paths

_CONSTANT = hashlib.sha256(b"a constant beginning").hexdigest()
_POOL_SIZE = 3


@dataclass(frozen=True)
class PasswordDraft:
    """A password that a faithful vendor would hand out, as the ``number``-th one, at ``time``, for the object ``name``."""

    text: str
    number: int
    time: float
    name: str

    def end_with(self, end: str) -> str:
        """Return a constant password of the same length with another end."""
        return f"{_CONSTANT[: max(len(self.text) - len(end), 0)]}{end}"[-len(self.text) :]


class PredictablePasswords(Mutation):
    """Mutation that replaces every generated password with a predictable one of the same length."""

    def __init__(self, predict: Callable[[PasswordDraft], str]) -> None:
        self._predict = predict

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        outcome = vendor.compute_outcome(request)
        if outcome.body is None or outcome.status >= 300 or vendor.contract.is_read_only(request.operation.id):
            return vendor.apply_outcome(outcome)
        names = [*vendor.list_names(request, "new"), *vendor.list_names(request, "existing"), ""]
        draft = partial(PasswordDraft, time=request.received_at, name=names[0])
        # Two renderings of an outcome differ in what the vendor generates.
        body = self._replace(
            find_password_names(vendor.contract.effective.raw), outcome.body.render(), outcome.body.render(), draft
        )
        vendor.state = outcome.resolve_next_state(body)
        vendor.last_outcome = outcome
        return outcome.status, body

    def _replace(self, names: frozenset[str], body: Any, other: Any, draft: Callable[..., PasswordDraft]) -> Any:
        """Replace the properties called ``names`` in which two renderings of one body differ."""
        if isinstance(body, list):
            return [self._replace(names, one, another, draft) for one, another in zip(body, other, strict=True)]
        if not isinstance(body, dict):
            return body
        replaced = {name: self._replace(names, value, other.get(name), draft) for name, value in body.items()}
        for name in names & body.keys():
            if isinstance(body[name], str) and body[name] != other.get(name):
                replaced[name] = self._predict(draft(body[name], self.activations))
                self.activations += 1
        return replaced


def _insert_counter(draft: PasswordDraft) -> str:
    half = len(draft.text) // 2
    return f"{_CONSTANT[:half]}{draft.number:04d}{_CONSTANT}"[: len(draft.text)]


def _begin_with_name(draft: PasswordDraft) -> str:
    part = draft.name[: max(len(draft.text) * 2 // 3, 10)]
    return f"{part}{draft.text}"[: len(draft.text)]


_KINDS: Mapping[str, tuple[str, Callable[[PasswordDraft], str]]] = {
    "counter": ("end with a decimal counter", lambda draft: draft.end_with(f"{9 + draft.number}")),
    "counter-hex": ("are hexadecimal numbers that follow each other", lambda draft: draft.end_with(f"{0xFFFA + draft.number:06x}")),
    "counter-step": ("count in steps of 37", lambda draft: draft.end_with(f"{1000 + 37 * draft.number}")),
    "counter-inside": ("have a decimal counter in the middle", _insert_counter),
    "clock": ("are the time in milliseconds", lambda draft: draft.end_with(f"{int(draft.time * 1000)}")),
    "short": ("have four random characters", lambda draft: draft.end_with(draft.text[-4:])),
    "name": ("begin with the object's name", _begin_with_name),
    "name-reversed": ("end with the object's name backwards", lambda draft: f"{draft.text}{draft.name[-12:][::-1]}"[-len(draft.text) :]),
    "name-upper": ("begin with the object's name in capital letters", lambda draft: _begin_with_name(draft).upper()),
    "pool": (f"come from a set of {_POOL_SIZE}", lambda draft: draft.end_with("abc"[draft.number % _POOL_SIZE])),
}  # fmt: skip


def derive_password_mutants(contract: Contract) -> Iterator[Mutant]:
    """Derive every kind of predictable password, for all operations together: a vendor generates them in one place."""
    if not any(_shows_password(contract, operation) for operation in contract.operations):
        return
    for kind, (description, predict) in _KINDS.items():
        mutation = partial(PredictablePasswords, predict)
        yield Mutant(f"state/passwords/{kind}", "", "", f"Generated passwords {description}.", mutation)


def _shows_password(contract: Contract, operation: str) -> bool:
    """Return True if a success of an operation that changes objects may hold a password."""
    document, declared = contract.effective.schemas, contract.operations[operation]
    return not contract.is_read_only(operation) and any(
        location.schema.get("format") == "password"
        for status, response in declared.responses.items()
        if status < 300
        for schema in response.media.values()
        if schema is not None
        for location in list_property_paths(document, schema.schema)
    )
