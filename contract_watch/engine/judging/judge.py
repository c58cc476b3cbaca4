"""The judge of one response: is it allowed, and which states of the target does it leave possible?

The run does not see the target's state. It keeps every state that the responses so far leave possible. A response drops
the states in which the model does not allow it; a response that no state allows is a disagreement.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from contract_watch.contracts.matchers import Mismatch, collect_clauses
from contract_watch.contracts.model import match_headers
from contract_watch.contracts.openapi import Operation, join_arguments
from contract_watch.contracts.outcomes import ModelState, Outcome, deduplicate_states
from contract_watch.contracts.parameters import is_parameter_key
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody, Request
from contract_watch.contracts.resource.pages import Paging
from contract_watch.contracts.schema import format_pointer, parse_json
from contract_watch.engine.judging.candidates import settle_candidates
from contract_watch.engine.judging.checked_response import CheckedResponse
from contract_watch.engine.judging.disagreement import ADDITIVE, BREAKING, Disagreement
from contract_watch.engine.judging.hypotheses import explain_mismatch, explain_status
from contract_watch.engine.judging.interception import may_be_outage
from contract_watch.engine.judging.response_checks import check_response
from contract_watch.engine.judging.run_secrets import RunSecrets
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.protocols.wire import Response, TransportError

_GENERAL_STATUSES = {*range(300, 400), 401, 402, 403, 404, 408, 421, 425}
"""Statuses of every response after a key is revoked, an account unpaid, or a server moved."""


@dataclass
class Attempt:
    """The exchanges of one check, and its disagreements, each with its exchange.

    ``occurrences`` holds the id of every disagreement with the number of its exchange. ``held_back`` are the exchanges
    that disagree, with their results: nothing else may use them before they are confirmed. ``excused_refusals`` are
    refusals that might have been granted, each with the number of changes before it.
    """

    intended_clauses: tuple[str, ...] = ()
    exchanges: list[Exchange] = field(default_factory=list)
    disagreements: dict[str, tuple[Disagreement, Exchange]] = field(default_factory=dict)
    transport_error: TransportError | None = None
    occurrences: set[tuple[str, int]] = field(default_factory=set)
    held_back: "list[tuple[Exchange, JudgeResult]]" = field(default_factory=list)
    excused_refusals: list[tuple[Exchange, int]] = field(default_factory=list)

    def is_held_back(self, exchange: Exchange) -> bool:
        """Return True if an exchange disagrees."""
        return any(held is exchange for held, _ in self.held_back)

    def is_doubtful_at(self, exchange: Exchange) -> bool:
        """Return True if the cause of what is wrong with one exchange may be unrelated to the request."""
        found = next((judged.disagreements for held, judged in self.held_back if held is exchange), [])
        return exchange.response is None or any(
            one.may_be_outage or (one.is_wrong_status and exchange.response.status in _GENERAL_STATUSES)
            for one in found
        )

    def find_doubtful(self) -> Exchange | None:
        """Return the first exchange whose cause may be unrelated to the request, else the last one; None without any."""
        last = self.exchanges[-1] if self.exchanges else None
        return next((held for held, _ in self.held_back if self.is_doubtful_at(held)), last)

    def has_disagreement_at(self, name: str, number: int) -> bool:
        """Return True if a disagreement occurred at the ``number``-th exchange, or if that exchange never came."""
        return number >= len(self.exchanges) or (name, number) in self.occurrences

    @property
    def has_wrong_status(self) -> bool:
        """Return True if any response had a status that the contract does not allow."""
        return any(found.is_wrong_status for found, _ in self.disagreements.values())

    @property
    def may_be_outage(self) -> bool:
        """Return True if a server that is merely down may have responded so."""
        return self.transport_error is not None or any(found.may_be_outage for found, _ in self.disagreements.values())

    @property
    def is_doubtful(self) -> bool:
        """Return True if the cause may be unrelated to the request: a control request can tell."""
        statuses = {
            at.response.status
            for found, at in self.disagreements.values()
            if found.is_wrong_status and at.response is not None
        }
        return self.may_be_outage or not statuses.isdisjoint(_GENERAL_STATUSES)


@dataclass
class JudgeResult:
    """The result of judging one response.

    ``satisfied_clauses`` are the clauses that it satisfied, ``unknown_objects`` the objects whose state it leaves
    unknown. A result that is not ``is_conclusive`` says nothing about the target. ``is_excused_refusal`` marks a
    refusal of a request that might have been granted. ``states_before`` are the states by which it was judged.
    """

    possible_states: list[ModelState]
    disagreements: list[Disagreement] = field(default_factory=list)
    satisfied_clauses: set[str] = field(default_factory=set)
    unknown_objects: set[str] = field(default_factory=set)
    json: Any = MissingBody.ABSENT
    is_conclusive: bool = True
    is_excused_refusal: bool = False
    states_before: Sequence[ModelState] = ()


class ResponseJudge:
    """A judge of the responses to one contract's requests. ``secrets`` must come back in no response."""

    def __init__(self, contract: Contract, secrets: RunSecrets) -> None:
        self._contract = contract
        self._model = contract.model
        self._secrets = secrets

    def judge_response(
        self,
        possible_states: Sequence[ModelState],
        request: Request,
        response: Response,
        intended_clauses: Sequence[str] = (),
        satisfied_clauses: Collection[str] = (),
    ) -> JudgeResult:
        """Judge the response to ``request``.

        ``intended_clauses`` are the clauses that the request was made for, ``satisfied_clauses`` those that earlier
        responses satisfied.
        """
        judged = JudgeResult(list(possible_states), json=parse_json(response.body), states_before=possible_states)
        self._secrets.learn_response(judged.json)
        if request.operation is None:
            judged.json = MissingBody.ABSENT
            judged.disagreements += self._check_undeclared(request, response)
            return judged
        operation = self._contract.operations[request.operation]
        allowed = [(state, outcome) for state in possible_states for outcome in self._model.outcomes(state, request)]
        fitting = [pair for pair in allowed if pair[1].status == response.status]
        succeeded = 200 <= response.status < 300
        done = [pair for pair in allowed if succeeded and pair[1].status < 300]
        if not fitting and done:  # the request was carried out, with another success status
            judged.disagreements.append(self._build_other_success(operation, done[0][1], response))
            judged.possible_states = deduplicate_states(outcome.resolve_next_state(judged.json) for _, outcome in done)
        elif not fitting:
            expected = [outcome for _, outcome in allowed]
            judged.disagreements.append(self._build_wrong_status(request, expected, response, intended_clauses))
            judged.unknown_objects |= self._find_names(request)
        judged.disagreements += self._check_response(operation, request, response, judged.json)
        if judged.disagreements and may_be_outage(response):  # the request may have been carried out, or never arrived
            judged.possible_states = list(possible_states)
            judged.unknown_objects |= self._find_names(request)
            return judged
        if not fitting:
            return judged
        if any(found.is_unreadable for found in judged.disagreements):
            judged.possible_states = deduplicate_states(
                outcome.resolve_next_state(judged.json) for _, outcome in fitting
            )
            return judged
        self._check_values(request, fitting, response, judged, satisfied_clauses)
        might_succeed = any(outcome.status < 300 for _, outcome in allowed)
        judged.is_excused_refusal = 400 <= response.status < 500 and might_succeed and not judged.disagreements
        return judged

    def dismiss_response(
        self, possible_states: Sequence[ModelState], request: Request, judged: JudgeResult
    ) -> JudgeResult:
        """Return the result of a response that says nothing about the target: only its objects are unknown now."""
        unknown = set() if self._contract.is_read_only(request.operation) else self._find_names(request)
        return JudgeResult(list(possible_states), unknown_objects=unknown, json=judged.json, is_conclusive=False)

    def build_unexcused_refusal(
        self, request: Request, granted: Sequence[Outcome], response: Response, intended_clauses: Sequence[str]
    ) -> Disagreement:
        """Build the disagreement of a refusal that only an unknown state could excuse, and that others got as well."""
        return self._build_wrong_status(request, granted, response, intended_clauses)

    def judge_fault(
        self, possible_states: Sequence[ModelState], request: Request, response: Response, status: int
    ) -> JudgeResult:
        """Judge the response to a scripted fault by its status and the response checks: no rule calls for it."""
        judged = JudgeResult(list(possible_states), json=parse_json(response.body), states_before=possible_states)
        self._secrets.learn_response(judged.json)
        operation = self._contract.operations[request.operation or ""]
        if response.status != status:
            clause = f"{operation.id}/response/{operation.get_response_key(status)}"
            expected = Outcome(status, clause, "a scripted fault", None, None)
            judged.disagreements.append(self._build_wrong_status(request, [expected], response, ()))
        judged.disagreements += self._check_response(operation, request, response, judged.json)
        return judged

    def _check_response(
        self, operation: Operation, request: Request, response: Response, body: Any
    ) -> Iterator[Disagreement]:
        spec = operation.find_response(response.status)
        matchers = match_headers(self._model, operation.id, response.status, body)
        names, may_generate = frozenset(self._find_names(request)), self._secrets.may_generate(request)
        checked = CheckedResponse(operation, response, spec, body, self._secrets, matchers, names, may_generate)
        return check_response(checked)

    def _check_values(
        self,
        request: Request,
        fitting: Sequence[tuple[ModelState, Outcome]],
        response: Response,
        judged: JudgeResult,
        satisfied_clauses: Collection[str],
    ) -> None:
        """Leave the states whose matcher accepts the body; if none does, report how the body misses the nearest one."""
        tried = []
        for _, outcome in fitting:
            mismatches = [*outcome.body.find_mismatches(judged.json)] if outcome.body else []
            tried.append((outcome, [*settle_candidates(mismatches, satisfied_clauses)] if mismatches else []))
        right = [outcome for outcome, mismatches in tried if not mismatches]
        if right:
            judged.possible_states = deduplicate_states(outcome.resolve_next_state(judged.json) for outcome in right)
            for outcome in right:
                judged.satisfied_clauses |= {
                    outcome.clause,
                    *(collect_clauses(outcome.body) if outcome.body is not None else ()),
                }
            return
        operation = self._contract.operations[request.operation or ""]
        listed = self._describe_selection(operation, request)
        nearest, mismatches = min(tried, key=lambda pair: len(pair[1]))
        judged.possible_states = [nearest.resolve_next_state(judged.json)]
        judged.unknown_objects |= {found.object_name for found in mismatches if found.object_name is not None}
        if self._contract.is_read_only(operation.id) and any(one.clause and not one.object_name for one in mismatches):
            judged.unknown_objects |= self._find_names(request)  # a later operation is not to blame
        for found in mismatches:
            blamed = found.suspected_clause if found.clause in satisfied_clauses else None
            title = f"{operation.name}{listed} {response.status}"
            judged.disagreements.append(
                self._build_mismatch(operation, response.status, found, judged.json, blamed, title)
            )

    def _describe_selection(self, operation: Operation, request: Request) -> str:
        """Describe the objects that a list request asks for, as far as its arguments say so; they are not those of pages."""
        listing = self._contract.list_config
        if listing is None or listing.operation != operation.id:
            return ""
        pages = Paging(listing).list_arguments()
        arguments = join_arguments(request.parameters, request.body)
        asked = [
            f"`{name}` = {self._secrets.describe_value(arguments, (name,))}"
            for name in arguments
            if name not in pages and not name.startswith(("header:", "cookie:", "{"))
        ]
        return f" with {' and '.join(asked)}" if asked else ""

    def _build_mismatch(
        self, operation: Operation, status: int, found: Mismatch, body: Any, blamed: str | None, asked: str
    ) -> Disagreement:
        pointer = format_pointer(found.path)
        clause = blamed or found.clause or f"{operation.id}/{operation.get_response_key(status)}/body/{pointer}"
        setting = next((part for part in reversed(found.path) if isinstance(part, str)), "")
        times = found.suspected_times if blamed or found.suspected_clause is None else ()
        name = f"{clause}/{setting}" if blamed or times or found.candidates else clause
        where = f" at `{pointer}`" if pointer else ""
        cause = self._contract.operations.get(clause.split("/", 1)[0], operation)
        after, of_reader = "", None
        if cause is not operation:
            after = f" after {'a rejected ' if clause.endswith('/effect/refused') else ''}{cause.name}"
            of_reader = None if times or found.candidates else self._blame_reader(operation, status, found, body, asked)
        return Disagreement(
            id=f"{name}/{found.kind}",
            severity=ADDITIVE if "/request/" in clause else BREAKING,
            clause=clause,
            title=f"{asked}{after}: expected {self._secrets.describe_expected(found.expected, found.path)}"
            f"{where}, got {self._secrets.describe_value(body, found.path)}",
            why="Code that relies on this rule of the vendor acts on a wrong state.",
            operation=cause.id,
            object_name=found.object_name,
            hypotheses=explain_mismatch(self._contract, operation, clause, name if blamed else pointer, found.kind),
            may_lag=True,
            of_reader=of_reader,
            suspected_times=times,
        )

    def _blame_reader(
        self, operation: Operation, status: int, found: Mismatch, body: Any, asked: str
    ) -> Disagreement | None:
        """Build a mismatch as the fault of the read that shows it; None after a change."""
        if not self._contract.is_read_only(operation.id):
            return None
        own = self._build_mismatch(operation, status, replace(found, clause=None), body, None, asked)
        return replace(own, hypotheses=own.hypotheses[:1])  # the others explain that the object does not exist

    def _find_names(self, request: Request) -> set[str]:
        """Return the objects that a request names."""
        arguments = join_arguments(request.parameters, request.body)
        roles = self._contract.get_roles(request.operation).items()
        return {value for name, role in roles if role != "foreign" and isinstance(value := arguments.get(name), str)}

    def _check_undeclared(self, request: Request, response: Response) -> Iterator[Disagreement]:
        """Report success of a method and path that the document does not declare."""
        if 200 <= response.status < 300 and request.method not in ("HEAD", "OPTIONS"):
            path = self._contract.effective.find_path_template(request.path) or request.path
            clause = f"{path}/undeclared"
            yield Disagreement(
                id=f"{clause}/{request.method}",
                severity=ADDITIVE,
                clause=clause,
                title=f"{request.method} {path} is not documented: expected an error, got {response.status}",
                why="The vendor has an operation that its document does not declare.",
                operation=f"{request.method} {path}",
            )

    def _build_other_success(self, operation: Operation, expected: Outcome, response: Response) -> Disagreement:
        clause, kind = f"{operation.id}/response/{expected.status}", f"status-{response.status}"
        return Disagreement(
            id=f"{clause}/{kind}",
            severity=BREAKING,
            clause=clause,
            title=f"{operation.name}: expected {expected.status}, got {response.status}",
            why="Code that recognises success by the documented status takes this response for a failure.",
            operation=operation.id,
            may_be_outage=may_be_outage(response),
            hypotheses=explain_status(self._contract, operation, clause, kind, [expected.status], response.status),
        )

    def _build_wrong_status(
        self, request: Request, allowed: Sequence[Outcome], response: Response, intended_clauses: Sequence[str]
    ) -> Disagreement:
        operation = self._contract.operations[request.operation or ""]
        intended = [clause for clause in intended_clauses if clause.startswith(f"{operation.id}/")]
        aimed = [outcome for outcome in allowed if outcome.clause in intended]
        expected = (aimed or list(allowed))[0]
        wanted = sorted({outcome.status for outcome in allowed})
        expects_error = all(status >= 400 for status in wanted)
        owed = "/effect/" in expected.clause and not expected.clause.startswith(operation.id)
        clause = expected.clause if aimed or expects_error or owed else next(iter(intended), expected.clause)
        documented = operation.find_response(response.status) is not None
        action = ""
        if expects_error and 200 <= response.status < 300 and documented:
            kind, action = "accepted", "accepts"
            severity = ADDITIVE if "/request/" in clause else BREAKING
            why = (
                "The vendor accepts more than it documents."
                if severity is ADDITIVE
                else "Code that expects the error will carry on as if it succeeded."
            )
        elif any(status < 300 for status in wanted) and 400 <= response.status < 500 and documented:
            kind, action, severity = "refused", "rejects", BREAKING
            why = "Code that sends this documented request will fail."
        else:
            kind, severity = f"status-{response.status}", BREAKING
            why = "Code that handles the documented status does not handle this one."
        options = " or ".join(str(status) for status in wanted)
        subject = self._describe_request(request, clause)
        reason = "" if "/request/" in clause else f" ({expected.why})"
        return Disagreement(
            id=f"{clause}/{kind}",
            severity=severity,
            clause=clause,
            title=f"{operation.name} {action or 'given'} {subject}: expected {options}{reason}, got {response.status}",
            why=why,
            operation=clause.split("/")[0] if owed else operation.id,
            may_be_outage=may_be_outage(response),
            is_wrong_status=True,
            hypotheses=explain_status(self._contract, operation, clause, kind, wanted, response.status),
            may_lag=documented and not may_be_outage(response),
        )

    def _describe_request(self, request: Request, clause: str) -> str:
        """Describe what was sent, as far as ``clause`` is about it."""
        if "/credential" in clause:
            location = clause.partition("/credential/")[2]
            return f"the key in its location `{location}`" if location else "a request without a valid key"
        _, _, argument = clause.partition("/request/")
        pointer, _, keyword = argument.rpartition("/")
        arguments = join_arguments(request.parameters, request.body)
        if pointer and keyword == "required":
            holder = "request" if is_parameter_key(pointer) else "body"
            return f"a {holder} without required `{pointer}`"
        name = pointer.split("/")[0]
        if name and name in arguments:
            inner = "" if pointer == name else f" of `{pointer}`"
            return f"`{name}` = {self._secrets.describe_value(arguments, (name,))} ({keyword}{inner})"
        if isinstance(request.body, MissingBody):
            return "no body" if request.body is MissingBody.ABSENT and argument else self._describe_arguments(arguments)
        if not isinstance(request.body, dict):
            return f"the body {self._secrets.describe_value(request.body, ())}"
        return self._describe_arguments(arguments)

    def _describe_arguments(self, arguments: Mapping[str, Any]) -> str:
        shown = self._secrets.describe_value(dict(arguments), ())
        return "a request without arguments" if not arguments else shown
