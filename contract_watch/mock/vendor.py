"""One vendor as a server plays it: the model's first outcome to each request, state kept between them."""

import json
import math
import time
from collections.abc import Mapping
from typing import Any

from contract_watch.contracts.errors import UsageError
from contract_watch.contracts.interpretations import Readings
from contract_watch.contracts.model import Account, Outcome, State
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import Body, Request

MAX_BODY = 8 * 1024 * 1024
"""The largest request body read, in bytes."""


def keys(contract: Contract, environment: Mapping[str, str]) -> dict[str, str]:
    """The key of each account: from its environment variable, or the documented test value."""
    return contract.told_apart({c.account: environment.get(c.variable) or c.test for c in contract.credentials})


class Vendor:
    """A contract's model with its current ``state``, and the ``accounts`` that it knows."""

    def __init__(self, contract: Contract, environment: Mapping[str, str], readings: Mapping[str, str] = {}) -> None:
        self.contract = contract
        self.accounts = [Account(name, key) for name, key in keys(contract, environment).items()]
        self._told = dict(readings)
        self.state: State = None
        self.reset()

    def reset(self) -> None:
        """Forget every object; the readings told stay."""
        readings = Readings(self.contract.model.readings).told(self._told)
        self.state = self.contract.model.start(self.accounts, readings, fresh="")

    @property
    def readings(self) -> dict[str, str]:
        """The reading in force of each name."""
        told = Readings(self.contract.model.readings).told(self._told)
        return {name: told.choices(name)[0] for name in told.open}

    def tell(self, readings: Mapping[str, str]) -> None:
        """Take ``readings`` from now on, with a fresh state; an unknown one is a `UsageError` and changes nothing."""
        told = {**self._told, **readings}
        Readings(self.contract.model.readings).told(told)
        self._told = told
        self.reset()

    def dump(self) -> Any:
        """The state as JSON, without secrets."""
        return self.contract.model.dump(self.state)

    def answer(
        self,
        operation: Operation,
        path: str,
        headers: Mapping[str, str],
        body: Any,
        parameters: Mapping[str, str] = {},
    ) -> tuple[int, Any]:
        """Status and JSON body (None: no body) of the answer to one request; the state goes on.

        ``body`` is what `parse` made of the request's, ``parameters`` are its path parameters.
        """
        request = Request(operation.id, operation.method, path, headers, body, parameters, time.time())
        return self.take(self.contract.model.outcomes(self.state, request)[0])

    def take(self, outcome: Outcome) -> tuple[int, Any]:
        """Answer with ``outcome``: status and JSON body; the state goes on."""
        shown = outcome.body.render() if outcome.body is not None else None
        self.state = outcome.follow(shown)
        return outcome.status, shown


def parse(body: bytes) -> Any:
    """The JSON value of ``body``, or a member of `Body`."""
    if not body:
        return Body.ABSENT
    try:
        return _DECODER.decode(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return Body.MALFORMED


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is too large")
    return number


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)


def overlapping(vendors: list[Vendor]) -> None:
    """Refuse two contracts that would answer the same address: a `UsageError` that names both."""
    seen: dict[str, str] = {}
    for vendor in vendors:
        contract = vendor.contract
        ours = {contract.base_path + operation.path for operation in contract.operations.values()}
        if contract.grpc is not None:
            ours |= {f"/{contract.grpc.service}/{method}" for method in contract.grpc.methods.values()}
        for address in sorted(ours):
            for other, slug in seen.items():
                if slug != contract.slug and _meet(address, other):
                    raise UsageError(f"contracts {slug} and {contract.slug} both declare {address}: serve one of them")
        seen |= dict.fromkeys(ours, contract.slug)


def _meet(one: str, other: str) -> bool:
    """Whether some address belongs to both of two paths, whatever stands in their parameters."""
    ours, theirs = one.split("/"), other.split("/")
    return len(ours) == len(theirs) and all(
        mine == their or "{" in mine or "{" in their for mine, their in zip(ours, theirs, strict=True)
    )
