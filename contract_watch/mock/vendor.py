"""A vendor behind the mock: it answers each request with the model's first outcome and keeps the state."""

import json
import math
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

from starlette.responses import Response
from starlette.types import Scope

from contract_watch.contracts.matchers import Matcher
from contract_watch.contracts.model import Account, match_unserved, preset_state
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.outcomes import Interpretations, ModelState, Outcome
from contract_watch.contracts.randomness import RandomStream, StreamPosition
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody, Request
from contract_watch.contracts.schema import MAX_DEPTH, is_too_deep
from contract_watch.errors import UsageError
from contract_watch.mock.clock import LATEST, SEEDED_STEP, MockClock, VendorClock
from contract_watch.mock.tokens import TokenIssuer

BodyRenderer = Callable[[Matcher], Any]
"""A function that renders the body which a matcher describes."""
MAX_BODY = 8 * 1024 * 1024
"""The largest request body that the mock reads, in bytes."""


def read_keys(contract: Contract, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the key of each account: from its environment variable, or the documented test value."""
    return contract.check_keys_differ({c.account: environment.get(c.variable) or c.test for c in contract.credentials})


class StateNotSavedError(Exception):
    """A change that the store could not write, so that it did not happen."""


class StateStore(Protocol):
    """A store of one vendor's states."""

    def save(self, old: ModelState, new: ModelState, choices: Any) -> None:
        """Write the change from ``old`` to ``new``, with the vendor's `choices`.

        Raises:
            StateNotSavedError: it cannot be written.
        """


@dataclass(frozen=True)
class SavedState:
    """The state of one vendor at one moment: its objects, the chosen interpretations, and what a seed decides next."""

    state: ModelState
    interpretations: Mapping[str, str]
    position: StreamPosition | None
    passed: float


class MockVendor:
    """A contract's model with its current ``state``, and the ``accounts`` that it knows. Its times are those of ``clock``.

    With a ``seed``, ids, secrets and times depend on the vendor's own requests since the last reset and on nothing else.
    """

    edits_responses: ClassVar[bool] = False
    """True for a mutant: the endpoints then call `intercept_request` and `edit_response`, which are no-ops here."""

    def __init__(
        self,
        contract: Contract,
        environment: Mapping[str, str],
        interpretations: Mapping[str, str] = {},
        clock: MockClock | None = None,
        seed: int | None = None,
    ) -> None:
        self.contract = contract
        self.drift = ""
        """The id of the mutant that this vendor plays; empty for a faithful one."""
        self.clock = clock or MockClock(step=0.0 if seed is None else SEEDED_STEP)
        self._stream = None if seed is None else RandomStream(f"{seed}/{contract.slug}")
        if self.clock.step:
            self.clock = VendorClock(self.clock)
        self.accounts = [Account(name, key) for name, key in read_keys(contract, environment).items()]
        contract.given.read(environment)
        self.issuer = (
            TokenIssuer(contract.token, self.accounts, self.clock.read, self.draw)
            if contract.token is not None
            else None
        )
        self._chosen_interpretations = dict(interpretations)
        self.store: StateStore | None = None
        """The store that each change of the state is written to before it counts."""
        self.last_outcome: Outcome | None = None
        """The outcome of the last request; it says why a request was refused."""
        self._render: BodyRenderer | None = None
        """The renderer of the present request's body; None for a plain value."""
        self._state: ModelState = None
        self.reset()

    @property
    def state(self) -> ModelState:
        """The present state; a new one is first written to the ``store``, if there is one."""
        return self._state

    @state.setter
    def state(self, state: ModelState) -> None:
        if self.store is not None:
            self.store.save(self._state, state, self.choices)
        self._state = state

    @property
    def choices(self) -> dict[str, Any]:
        """Everything besides the state that a restart has to restore, as JSON."""
        choices: dict[str, Any] = {"interpretations": dict(self._chosen_interpretations)}
        if self._stream is not None:
            choices["drawn"] = self._stream.save().words
        if isinstance(self.clock, VendorClock):
            choices["passed"] = self.clock.passed
        return choices

    def restore_choices(self, choices: Mapping[str, Any]) -> None:
        """Restore what `choices` returned, also without a seed or of another one.

        Raises:
            UsageError: the interpretations are not this contract's.
            ValueError: a value is out of bounds.
        """
        drawn, passed = int(choices.get("drawn", 0)), float(choices.get("passed", 0.0))
        if not 0 <= passed <= LATEST:
            raise ValueError("the clock cannot be there")
        chosen = dict(choices["interpretations"])
        Interpretations(self.contract.model.interpretations).decide(chosen)
        if self._stream is not None:
            self._stream.restore(StreamPosition(drawn))
        if isinstance(self.clock, VendorClock):
            self.clock.passed = passed
        self._chosen_interpretations = chosen

    def reset(self) -> None:
        """Reset the state, end all access tokens, and start again what a seed decides; the chosen interpretations stay."""
        self._move_to(replace(self.save(), state=self._start(), position=StreamPosition(0), passed=0.0))
        if self.issuer is not None:
            self.issuer.clear()

    def _start(self) -> ModelState:
        interpretations = Interpretations(self.contract.model.interpretations).decide(self._chosen_interpretations)
        return self.contract.model.start(self.accounts, interpretations, own_prefix="")

    def _restart_seed(self) -> None:
        if self._stream is not None:
            self._stream.restart()
        if isinstance(self.clock, VendorClock):
            self.clock.passed = 0.0

    def draw(self) -> AbstractContextManager[None]:
        """Return the context in which random values are this vendor's."""
        return self._stream.activate() if self._stream is not None else nullcontext()

    def save(self) -> SavedState:
        """Return everything that `restore` needs to come back to this moment; states are immutable, so this is cheap."""
        return SavedState(
            self.state,
            dict(self._chosen_interpretations),
            self._stream.save() if self._stream is not None else None,
            self.clock.passed if isinstance(self.clock, VendorClock) else 0.0,
        )

    def restore(self, saved: SavedState) -> None:
        """Return to a saved moment of this vendor; if that cannot be stored, raise `StateNotSavedError` and stay."""
        self._move_to(saved)

    def _move_to(self, saved: SavedState) -> None:
        """Take over a moment; the store writes it as a whole, so the seed goes on from there before the state does."""
        before = self.save()
        self._chosen_interpretations = dict(saved.interpretations)
        self._resume(saved)
        try:
            self.state = saved.state
        except StateNotSavedError:
            self._chosen_interpretations = dict(before.interpretations)
            self._resume(before)
            raise

    def _resume(self, saved: SavedState) -> None:
        """Let a seed go on from a saved moment."""
        if self._stream is not None and saved.position is not None:
            self._stream.restore(saved.position)
        if isinstance(self.clock, VendorClock):
            self.clock.passed = saved.passed

    def prepare(self, objects: Sequence[Any], label: str) -> SavedState:
        """Return the moment after a reset at which the vendor has ``objects``, for `restore`; change nothing.

        ``label`` names the list of objects in errors.

        Raises:
            UsageError: an object breaks the contract.
        """
        before = self.save()
        try:
            self._restart_seed()
            with self.draw():
                state = preset_state(self.contract.model, self._start(), objects, self.clock.read(), label)
            return replace(self.save(), state=state)
        finally:
            self._resume(before)

    @property
    def interpretations(self) -> dict[str, str]:
        """The current value of each interpretation."""
        decided = Interpretations(self.contract.model.interpretations).decide(self._chosen_interpretations)
        return {name: decided.get_choices(name)[0] for name in decided.declared}

    def set_interpretations(self, interpretations: Mapping[str, str]) -> None:
        """Choose ``interpretations`` and reset the state, or change nothing.

        Raises:
            UsageError: one is unknown.
            StateNotSavedError: the new state could not be stored.
        """
        before = self._chosen_interpretations
        chosen = {**before, **interpretations}
        Interpretations(self.contract.model.interpretations).decide(chosen)
        self._chosen_interpretations = chosen
        try:
            self.reset()
        except StateNotSavedError:
            self._chosen_interpretations = before
            raise

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
        request = Request(operation.id, operation.method, path, headers, body, parameters, self.clock.take())
        if self._stream is None:
            return self.apply_outcome(self.contract.model.outcomes(self.state, request)[0])
        with self.draw():
            return self.apply_outcome(self.contract.model.outcomes(self.state, request)[0])

    def handle_with_reason(
        self,
        operation: Operation,
        path: str,
        headers: Mapping[str, str],
        body: Any,
        parameters: Mapping[str, Any] = {},
        render: BodyRenderer | None = None,
    ) -> tuple[int, Any, str]:
        """Answer one request like `handle_request`; the third value says why it was refused, empty if it was not.

        With ``render`` the body can be what that returns. It renders no body that somebody reads before the caller does:
        the model for its next state, or a class with a `handle_request` of its own.
        """
        self.last_outcome = None
        if render is not None and type(self).handle_request is MockVendor.handle_request:
            self._render = render
        try:
            status, answer = self.handle_request(operation, path, headers, body, parameters)
        finally:
            self._render = None
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
        if outcome.body is None:
            body = None
        elif self._render is None or callable(outcome.next_state):
            body = outcome.body.render()
        else:
            body = self._render(outcome.body)
        self.state = outcome.resolve_next_state(body)
        self.last_outcome = outcome
        return outcome.status, body

    def intercept_request(self, operation: Operation | None, scope: Scope) -> Response | None:  # noqa: ARG002 (for mutants)
        """Return the response that a mutant gives in the vendor's place, or None; ``operation`` is None if it is undeclared."""
        return None

    def edit_response(self, operation: Operation | None, response: Response) -> Response:  # noqa: ARG002 (for mutants)
        """Return the response as a mutant sends it."""
        return response

    def take_drift(self) -> str:
        """Return the id of the mutant if it changed the answer since the last call of this method; else an empty string."""
        return ""

    @property
    def response_delay(self) -> float:
        """The seconds that a mutant waits before each response."""
        return 0.0

    def build_refusal(self, operation: Operation | None, status: int, phrase: str) -> Any:
        """Build the body of a refusal that no model decides, in the vendor's form if its documents show one.

        ``operation`` is the nearest one. ``phrase`` is the sentence of the neutral form.
        """
        matcher = match_unserved(self.contract.model, operation, status)
        return matcher.render() if matcher is not None else {"error": phrase}


def parse_body(body: bytes) -> Any:
    """Return the JSON value of ``body``, or a `MissingBody` if it is empty, not JSON, or nested deeper than `MAX_DEPTH`."""
    if not body:
        return MissingBody.ABSENT
    try:
        value = _DECODER.decode(body.removeprefix(BOM_UTF8).decode())
    except (ValueError, RecursionError):
        return MissingBody.MALFORMED
    may_be_deep = body.count(b"[") + body.count(b"{") > MAX_DEPTH
    return MissingBody.MALFORMED if may_be_deep and is_too_deep(value) else value


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
