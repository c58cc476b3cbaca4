"""Whether one answer is what the contract allows, and what is known of the target afterwards.

What is known is a set of worlds: states that the answers so far leave possible. An answer drops the worlds in which it
was not allowed; one that no world allows is a disagreement.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from contract_watch.contracts.matchers import Mismatch, collect_clauses
from contract_watch.contracts.model import ModelState, Outcome
from contract_watch.contracts.openapi import Operation, join_arguments
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody, Request
from contract_watch.engine.judging.response_checks import (
    ADDITIVE,
    BREAKING,
    Disagreement,
    SecretDetector,
    check_response,
    format_pointer,
    is_html_page,
    parse_json,
)
from contract_watch.engine.protocols.wire import Response

MAX_POSSIBLE_STATES = 64


@dataclass
class JudgeResult:
    """What one answer showed. ``kept`` are clauses it showed to hold, ``lost`` objects nothing is known of any more."""

    possible_states: list[ModelState]
    disagreements: list[Disagreement] = field(default_factory=list)
    satisfied_clauses: set[str] = field(default_factory=set)
    unknown_objects: set[str] = field(default_factory=set)
    json: Any = MissingBody.ABSENT


class ResponseJudge:
    """Judges the answers of one contract. ``secrets`` gives every secret that must not come back."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._model = contract.model

    def judge_response(
        self,
        possible_states: Sequence[ModelState],
        request: Request,
        response: Response,
        intended_clauses: Sequence[str],
        detector: SecretDetector,
        satisfied_clauses: Collection[str] = (),
    ) -> JudgeResult:
        """Judge ``reply`` to ``request``.

        ``aim`` are the clauses that the request was made for, if any, ``kept`` those that earlier answers showed to hold.
        """
        if request.operation is None:
            detector.learn(parse_json(response.body))
            return self._judge_undeclared(possible_states, request, response)
        operation = self._contract.operations[request.operation]
        judged = JudgeResult(list(possible_states), json=parse_json(response.body))
        detector.learn(judged.json)
        allowed = [(world, outcome) for world in possible_states for outcome in self._model.outcomes(world, request)]
        fitting = [pair for pair in allowed if pair[1].status == response.status]
        succeeded = 200 <= response.status < 300
        done = [pair for pair in allowed if succeeded and pair[1].status < 300]
        if not fitting and done:  # it was done all the same, under another name
            judged.disagreements.append(_build_other_success(operation, done[0][1], response))
            judged.possible_states = _deduplicate_states(outcome.resolve_next_state(judged.json) for _, outcome in done)
        elif not fitting:
            judged.disagreements.append(
                _build_wrong_status(operation, [o for _, o in allowed], response, intended_clauses)
            )
            judged.unknown_objects |= self._find_names(request)
        judged.disagreements += _check_protocol_errors(operation, response)
        if operation.find_response(response.status) is not None:
            judged.disagreements += check_response(operation, response, judged.json, detector)
        if not fitting:
            return judged
        if any(found.is_unreadable for found in judged.disagreements):
            judged.possible_states = _deduplicate_states(
                outcome.resolve_next_state(judged.json) for _, outcome in fitting
            )
            return judged
        self._check_values(operation, fitting, response, judged, detector, satisfied_clauses)
        return judged

    def judge_fault(
        self,
        possible_states: Sequence[ModelState],
        request: Request,
        response: Response,
        status: int,
        detector: SecretDetector,
    ) -> JudgeResult:
        """Judge an answer that a scripted fault made by its status and its form: no rule calls for it."""
        judged = JudgeResult(list(possible_states), json=parse_json(response.body))
        detector.learn(judged.json)
        operation = self._contract.operations[request.operation or ""]
        if response.status != status:
            clause = f"{operation.id}/response/{operation.get_response_key(status)}"
            expected = Outcome(status, clause, "a scripted fault", None, None)
            judged.disagreements.append(_build_wrong_status(operation, [expected], response, ()))
        if operation.find_response(response.status) is not None:
            judged.disagreements += check_response(operation, response, judged.json, detector)
        return judged

    def _check_values(
        self,
        operation: Operation,
        fitting: Sequence[tuple[ModelState, Outcome]],
        reply: Response,
        judged: JudgeResult,
        secret: SecretDetector,
        kept: Collection[str],
    ) -> None:
        """Keep the worlds whose pattern the body fits; else say how it misses the one that it comes nearest to."""
        tried = [
            (outcome, list(outcome.body.find_mismatches(judged.json)) if outcome.body is not None else [])
            for _, outcome in fitting
        ]
        right = [outcome for outcome, mismatches in tried if not mismatches]
        if right:
            judged.possible_states = _deduplicate_states(outcome.resolve_next_state(judged.json) for outcome in right)
            for outcome in right:
                judged.satisfied_clauses |= {
                    outcome.clause,
                    *(collect_clauses(outcome.body) if outcome.body is not None else ()),
                }
            return
        nearest, mismatches = min(tried, key=lambda pair: len(pair[1]))
        judged.possible_states = [nearest.resolve_next_state(judged.json)]
        judged.unknown_objects |= {found.object_name for found in mismatches if found.object_name is not None}
        for found in mismatches:
            blamed = found.suspected_clause if found.clause in kept else None
            judged.disagreements.append(
                self._build_mismatch(operation, reply.status, found, judged.json, secret, blamed)
            )

    def _build_mismatch(
        self, operation: Operation, status: int, found: Mismatch, shown: Any, secret: SecretDetector, blamed: str | None
    ) -> Disagreement:
        at = format_pointer(found.path)
        clause = blamed or found.clause or f"{operation.id}/{operation.get_response_key(status)}/body/{at}"
        setting = next((part for part in reversed(found.path) if isinstance(part, str)), "")
        name = f"{clause}/{setting}" if blamed else clause
        responsible = clause.split("/", 1)[0]
        return Disagreement(
            id=f"{name}/{found.kind}",
            severity=ADDITIVE if "/request/" in clause else BREAKING,
            clause=clause,
            title=f"{operation.name} {status} should show {secret.describe_expected(found.expected, found.path)} at {at or 'the top'}, "
            f"and shows {secret.describe_value(shown, found.path)}",
            why="A rule of the vendor's is not kept: callers who rely on it act on a wrong state.",
            operation=responsible if responsible in self._contract.operations else operation.id,
            object_name=found.object_name,
        )

    def _find_names(self, request: Request) -> set[str]:
        """The objects that a request names."""
        arguments = join_arguments(request.parameters, request.body)
        roles = self._contract.get_roles(request.operation).items()
        return {value for name, role in roles if role != "foreign" and isinstance(value := arguments.get(name), str)}

    def _judge_undeclared(self, worlds: Sequence[ModelState], request: Request, reply: Response) -> JudgeResult:
        judged = JudgeResult(list(worlds))
        if 200 <= reply.status < 300 and request.method not in ("HEAD", "OPTIONS"):
            path = self._contract.effective.find_path_template(request.path) or request.path
            clause = f"{path}/undeclared"
            judged.disagreements.append(
                Disagreement(
                    id=f"{clause}/{request.method}",
                    severity=ADDITIVE,
                    clause=clause,
                    title=f"{request.method} {path} is not documented, and answers {reply.status}",
                    why="The vendor has an operation that its document does not show.",
                    operation=f"{request.method} {path}",
                )
            )
        return judged


def _check_protocol_errors(operation: Operation, reply: Response) -> Iterator[Disagreement]:
    """What is wrong with how a surface said its answer."""
    for word, text in reply.protocol_errors:
        yield Disagreement(
            id=f"{operation.id}/{reply.status}/{word}",
            severity=BREAKING,
            clause=f"{operation.id}/response/{operation.get_response_key(reply.status)}",
            title=f"{operation.name} {reply.status}: {text}",
            why="Clients of this surface read the answer otherwise, or not at all.",
            operation=operation.id,
            may_be_outage=reply.status >= 500 or is_html_page(reply),
        )


def _build_other_success(operation: Operation, expected: Outcome, reply: Response) -> Disagreement:
    clause = f"{operation.id}/response/{expected.status}"
    return Disagreement(
        id=f"{clause}/status-{reply.status}",
        severity=BREAKING,
        clause=clause,
        title=f"{operation.name} should answer {expected.status}, and answers {reply.status}",
        why="Callers tell success by the status that is documented: they take this one for a failure.",
        operation=operation.id,
        may_be_outage=is_html_page(reply),
    )


def _build_wrong_status(
    operation: Operation, allowed: Sequence[Outcome], reply: Response, aim: Sequence[str]
) -> Disagreement:
    aim = [clause for clause in aim if clause.startswith(f"{operation.id}/")]
    aimed = [outcome for outcome in allowed if outcome.clause in aim]
    expected = (aimed or list(allowed))[0]
    wanted = sorted({outcome.status for outcome in allowed})
    refusal = all(status >= 400 for status in wanted)
    owed = "/effect/" in expected.clause and not expected.clause.startswith(operation.id)
    clause = expected.clause if aimed or refusal or owed else next(iter(aim), expected.clause)
    documented = operation.find_response(reply.status) is not None
    if refusal and 200 <= reply.status < 300 and documented:
        kind = "accepted"
        loosened = "/request/" in clause
        severity = ADDITIVE if loosened else BREAKING
        why = (
            "The vendor accepts more than it documents."
            if loosened
            else "A rule that the vendor documents is not kept: callers who rely on the refusal go on in a wrong state."
        )
    elif any(status < 300 for status in wanted) and 400 <= reply.status < 500 and documented:
        kind, severity = "refused", BREAKING
        why = "A request that the vendor documents as valid is refused: callers who send it fail."
    else:
        kind, severity = f"status-{reply.status}", BREAKING
        why = "Callers tell cases apart by the status: they take another path than the one documented."
    options = " or ".join(str(status) for status in wanted)
    return Disagreement(
        id=f"{clause}/{kind}",
        severity=severity,
        clause=clause,
        title=f"{operation.name} should answer {options} ({expected.why}), and answers {reply.status}",
        why=why,
        operation=clause.split("/")[0] if owed else operation.id,
        may_be_outage=reply.status >= 500 or is_html_page(reply),
        is_wrong_status=True,
    )


def _deduplicate_states(states: Iterator[ModelState]) -> list[ModelState]:
    found: list[ModelState] = []
    for world in states:
        if world not in found:
            found.append(world)
        if len(found) == MAX_POSSIBLE_STATES:
            break
    return found
