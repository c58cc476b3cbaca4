"""One vendor as a server plays it: the model's first outcome to each request, state kept between them."""

import json
import math
import time
from collections.abc import Mapping
from typing import Any

from contract_watch.contracts.interpretations import Interpretations
from contract_watch.contracts.model import Account, ModelState, Outcome
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody, Request
from contract_watch.errors import UsageError

MAX_BODY = 8 * 1024 * 1024
"""The largest request body read, in bytes."""


def read_keys(contract: Contract, environment: Mapping[str, str]) -> dict[str, str]:
    """The key of each account: from its environment variable, or the documented test value."""
    return contract.check_keys_differ({c.account: environment.get(c.variable) or c.test for c in contract.credentials})


class MockVendor:
    """A contract's model with its current ``state``, and the ``accounts`` that it knows."""

    def __init__(
        self, contract: Contract, environment: Mapping[str, str], interpretations: Mapping[str, str] = {}
    ) -> None:
        self.contract = contract
        self.accounts = [Account(name, key) for name, key in read_keys(contract, environment).items()]
        self._chosen_interpretations = dict(interpretations)
        self.state: ModelState = None
        self.reset()

    def reset(self) -> None:
        """Forget every object; the readings told stay."""
        readings = Interpretations(self.contract.model.interpretations).decide(self._chosen_interpretations)
        self.state = self.contract.model.start(self.accounts, readings, own_prefix="")

    @property
    def interpretations(self) -> dict[str, str]:
        """The reading in force of each name."""
        told = Interpretations(self.contract.model.interpretations).decide(self._chosen_interpretations)
        return {name: told.get_choices(name)[0] for name in told.declared}

    def set_interpretations(self, interpretations: Mapping[str, str]) -> None:
        """Take ``readings`` from now on, with a fresh state; an unknown one is a `UsageError` and changes nothing."""
        told = {**self._chosen_interpretations, **interpretations}
        Interpretations(self.contract.model.interpretations).decide(told)
        self._chosen_interpretations = told
        self.reset()

    def dump(self) -> Any:
        """The state as JSON, without secrets."""
        return self.contract.model.dump(self.state)

    def handle_request(
        self,
        operation: Operation,
        path: str,
        headers: Mapping[str, str],
        body: Any,
        parameters: Mapping[str, str] = {},
    ) -> tuple[int, Any]:
        """Status and JSON body (None: no body) of the answer to one request; the state goes on.

        ``body`` is what `parse_body` made of the request's, ``parameters`` are its path parameters.
        """
        request = Request(operation.id, operation.method, path, headers, body, parameters, time.time())
        return self.apply_outcome(self.contract.model.outcomes(self.state, request)[0])

    def apply_outcome(self, outcome: Outcome) -> tuple[int, Any]:
        """Answer with ``outcome``: status and JSON body; the state goes on."""
        shown = outcome.body.render() if outcome.body is not None else None
        self.state = outcome.resolve_next_state(shown)
        return outcome.status, shown


def parse_body(body: bytes) -> Any:
    """The JSON value of ``body``, or a member of `MissingBody`."""
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
    """Refuse two contracts that would answer the same address: a `UsageError` that names both."""
    seen: dict[str, str] = {}
    for vendor in vendors:
        contract = vendor.contract
        ours = {contract.base_path + operation.path for operation in contract.operations.values()}
        if contract.grpc is not None:
            ours |= {f"/{contract.grpc.service}/{method}" for method in contract.grpc.methods.values()}
        for address in sorted(ours):
            for other, slug in seen.items():
                if slug != contract.slug and _may_overlap(address, other):
                    raise UsageError(f"contracts {slug} and {contract.slug} both declare {address}: serve one of them")
        seen |= dict.fromkeys(ours, contract.slug)


def _may_overlap(one: str, other: str) -> bool:
    """Whether some address belongs to both of two paths, whatever stands in their parameters."""
    ours, theirs = one.split("/"), other.split("/")
    return len(ours) == len(theirs) and all(
        mine == their or "{" in mine or "{" in their for mine, their in zip(ours, theirs, strict=True)
    )
