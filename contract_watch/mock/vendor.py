"""A vendor behind the mock: it answers each request with the model's first outcome and keeps the state."""

import json
import math
from collections.abc import Mapping
from typing import Any

from contract_watch.contracts.model import Account, match_unserved
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.outcomes import Interpretations, ModelState, Outcome
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody, Request
from contract_watch.errors import UsageError
from contract_watch.mock.clock import MockClock
from contract_watch.mock.tokens import TokenIssuer

MAX_BODY = 8 * 1024 * 1024
"""The largest request body that the mock reads, in bytes."""


def read_keys(contract: Contract, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the key of each account: from its environment variable, or the documented test value."""
    return contract.check_keys_differ({c.account: environment.get(c.variable) or c.test for c in contract.credentials})


class MockVendor:
    """A contract's model with its current ``state``, and the ``accounts`` that it knows. Its times are those of ``clock``."""

    def __init__(
        self,
        contract: Contract,
        environment: Mapping[str, str],
        interpretations: Mapping[str, str] = {},
        clock: MockClock | None = None,
    ) -> None:
        self.contract = contract
        self.clock = clock or MockClock()
        self.accounts = [Account(name, key) for name, key in read_keys(contract, environment).items()]
        contract.given.read(environment)
        self.issuer = (
            TokenIssuer(contract.token, self.accounts, self.clock.read) if contract.token is not None else None
        )
        self._chosen_interpretations = dict(interpretations)
        self.state: ModelState = None
        self.last_outcome: Outcome | None = None  # says why a request was refused
        self.reset()

    def reset(self) -> None:
        """Reset the state; the chosen interpretations stay."""
        interpretations = Interpretations(self.contract.model.interpretations).decide(self._chosen_interpretations)
        self.state = self.contract.model.start(self.accounts, interpretations, own_prefix="")

    @property
    def interpretations(self) -> dict[str, str]:
        """The current value of each interpretation."""
        decided = Interpretations(self.contract.model.interpretations).decide(self._chosen_interpretations)
        return {name: decided.get_choices(name)[0] for name in decided.declared}

    def set_interpretations(self, interpretations: Mapping[str, str]) -> None:
        """Choose ``interpretations`` and reset the state; raise `UsageError` and change nothing if one is unknown."""
        chosen = {**self._chosen_interpretations, **interpretations}
        Interpretations(self.contract.model.interpretations).decide(chosen)
        self._chosen_interpretations = chosen
        self.reset()

    def dump(self) -> Any:
        """Return the state as JSON without secrets."""
        return self.contract.model.dump(self.state)

    def handle_request(
        self,
        operation: Operation,
        path: str,
        headers: Mapping[str, str],
        body: Any,
        parameters: Mapping[str, Any] = {},
    ) -> tuple[int, Any]:
        """Answer one request with status and JSON body (None: no body), and update the state.

        ``body`` is the result of `parse_body`, ``parameters`` are those of `Request`.
        """
        request = Request(operation.id, operation.method, path, headers, body, parameters, self.clock.read())
        return self.apply_outcome(self.contract.model.outcomes(self.state, request)[0])

    def handle_with_reason(
        self,
        operation: Operation,
        path: str,
        headers: Mapping[str, str],
        body: Any,
        parameters: Mapping[str, Any] = {},
    ) -> tuple[int, Any, str]:
        """Answer one request like `handle_request`; the third value says why it was refused, empty if it was not."""
        self.last_outcome = None
        status, answer = self.handle_request(operation, path, headers, body, parameters)
        outcome = self.last_outcome
        if status < 400 or outcome is None or outcome.status != status:
            return status, answer, ""
        return status, answer, f"{outcome.clause}: {outcome.why}"

    def find_client(self, key: str) -> str | None:
        """Return the account's key for the key of a token request; None if it is unknown."""
        return self.issuer.find_key(key) if self.issuer is not None else None

    def identify(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """Return the headers of a request with keys in place of current access tokens, if the vendor has such."""
        return headers if self.issuer is None else self.issuer.identify(headers, self.contract.credential_locations)

    def apply_outcome(self, outcome: Outcome) -> tuple[int, Any]:
        """Return status and rendered body of ``outcome``, and move to its next state."""
        body = outcome.body.render() if outcome.body is not None else None
        self.state = outcome.resolve_next_state(body)
        self.last_outcome = outcome
        return outcome.status, body

    def build_refusal(self, operation: Operation | None, status: int, phrase: str) -> Any:
        """Build the body of a refusal that no model decides, in the vendor's form if its documents show one.

        ``operation`` is the nearest one. ``phrase`` is the sentence of the neutral form.
        """
        matcher = match_unserved(self.contract.model, operation, status)
        return matcher.render() if matcher is not None else {"error": phrase}


def parse_body(body: bytes) -> Any:
    """Return the JSON value of ``body``, or a `MissingBody` if it is empty or not JSON."""
    if not body:
        return MissingBody.ABSENT
    try:
        return _DECODER.decode(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return MissingBody.MALFORMED


def _reject_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _parse_finite_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is too large")
    return number


_DECODER = json.JSONDecoder(parse_constant=_reject_constant, parse_float=_parse_finite_float)


def check_overlaps(vendors: list[MockVendor]) -> None:
    """Raise `UsageError` if two contracts declare paths that can match the same request."""
    slugs: dict[str, str] = {}
    for vendor in vendors:
        contract = vendor.contract
        paths = {contract.base_path + operation.path for operation in contract.operations.values()}
        paths |= {contract.token.path} if contract.token is not None else set()
        if contract.grpc is not None:
            paths |= {f"/{contract.grpc.service}/{method}" for method in contract.grpc.methods.values()}
        for path in sorted(paths):
            for other, slug in slugs.items():
                if slug != contract.slug and _may_overlap(path, other):
                    raise UsageError(f"contracts {slug} and {contract.slug} both declare {path}; serve one of them")
        slugs |= dict.fromkeys(paths, contract.slug)


def _may_overlap(path: str, other: str) -> bool:
    """Return True if some request matches both path templates."""
    segments, other_segments = path.split("/"), other.split("/")
    return len(segments) == len(other_segments) and all(
        left == right or "{" in left or "{" in right for left, right in zip(segments, other_segments, strict=True)
    )
