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
    SecretTest,
    form,
    is_page,
    parsed,
    pointer,
)
from contract_watch.engine.protocols.wire import Reply

MOST_WORLDS = 64


@dataclass
class Judged:
    """What one answer showed. ``kept`` are clauses it showed to hold, ``lost`` objects nothing is known of any more."""

    worlds: list[ModelState]
    disagreements: list[Disagreement] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    json: Any = MissingBody.ABSENT


class Judge:
    """Judges the answers of one contract. ``secrets`` gives every secret that must not come back."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._model = contract.model

    def judge(
        self,
        worlds: Sequence[ModelState],
        request: Request,
        reply: Reply,
        aim: Sequence[str],
        secret: SecretTest,
        kept: Collection[str] = (),
    ) -> Judged:
        """Judge ``reply`` to ``request``.

        ``aim`` are the clauses that the request was made for, if any, ``kept`` those that earlier answers showed to hold.
        """
        if request.operation is None:
            secret.learn(parsed(reply.body))
            return self._undeclared(worlds, request, reply)
        operation = self._contract.operations[request.operation]
        judged = Judged(list(worlds), json=parsed(reply.body))
        secret.learn(judged.json)
        allowed = [(world, outcome) for world in worlds for outcome in self._model.outcomes(world, request)]
        fitting = [pair for pair in allowed if pair[1].status == reply.status]
        succeeded = 200 <= reply.status < 300
        done = [pair for pair in allowed if succeeded and pair[1].status < 300]
        if not fitting and done:  # it was done all the same, under another name
            judged.disagreements.append(_other_success(operation, done[0][1], reply))
            judged.worlds = _distinct(outcome.resolve_next_state(judged.json) for _, outcome in done)
        elif not fitting:
            judged.disagreements.append(_wrong_status(operation, [o for _, o in allowed], reply, aim))
            judged.lost |= self._named(request)
        judged.disagreements += _flaws(operation, reply)
        if operation.find_response(reply.status) is not None:
            judged.disagreements += form(operation, reply, judged.json, secret)
        if not fitting:
            return judged
        if any(found.unreadable for found in judged.disagreements):
            judged.worlds = _distinct(outcome.resolve_next_state(judged.json) for _, outcome in fitting)
            return judged
        self._values(operation, fitting, reply, judged, secret, kept)
        return judged

    def judge_fault(
        self, worlds: Sequence[ModelState], request: Request, reply: Reply, status: int, secret: SecretTest
    ) -> Judged:
        """Judge an answer that a scripted fault made by its status and its form: no rule calls for it."""
        judged = Judged(list(worlds), json=parsed(reply.body))
        secret.learn(judged.json)
        operation = self._contract.operations[request.operation or ""]
        if reply.status != status:
            clause = f"{operation.id}/response/{operation.get_response_key(status)}"
            expected = Outcome(status, clause, "a scripted fault", None, None)
            judged.disagreements.append(_wrong_status(operation, [expected], reply, ()))
        if operation.find_response(reply.status) is not None:
            judged.disagreements += form(operation, reply, judged.json, secret)
        return judged

    def _values(
        self,
        operation: Operation,
        fitting: Sequence[tuple[ModelState, Outcome]],
        reply: Reply,
        judged: Judged,
        secret: SecretTest,
        kept: Collection[str],
    ) -> None:
        """Keep the worlds whose pattern the body fits; else say how it misses the one that it comes nearest to."""
        tried = [
            (outcome, list(outcome.body.find_mismatches(judged.json)) if outcome.body is not None else [])
            for _, outcome in fitting
        ]
        right = [outcome for outcome, mismatches in tried if not mismatches]
        if right:
            judged.worlds = _distinct(outcome.resolve_next_state(judged.json) for outcome in right)
            for outcome in right:
                judged.kept |= {outcome.clause, *(collect_clauses(outcome.body) if outcome.body is not None else ())}
            return
        nearest, mismatches = min(tried, key=lambda pair: len(pair[1]))
        judged.worlds = [nearest.resolve_next_state(judged.json)]
        judged.lost |= {found.object_name for found in mismatches if found.object_name is not None}
        for found in mismatches:
            blamed = found.suspected_clause if found.clause in kept else None
            judged.disagreements.append(self._mismatch(operation, reply.status, found, judged.json, secret, blamed))

    def _mismatch(
        self, operation: Operation, status: int, found: Mismatch, shown: Any, secret: SecretTest, blamed: str | None
    ) -> Disagreement:
        at = pointer(found.path)
        clause = blamed or found.clause or f"{operation.id}/{operation.get_response_key(status)}/body/{at}"
        setting = next((part for part in reversed(found.path) if isinstance(part, str)), "")
        name = f"{clause}/{setting}" if blamed else clause
        responsible = clause.split("/", 1)[0]
        return Disagreement(
            id=f"{name}/{found.kind}",
            severity=ADDITIVE if "/request/" in clause else BREAKING,
            clause=clause,
            title=f"{operation.name} {status} should show {secret.expected(found.expected, found.path)} at {at or 'the top'}, "
            f"and shows {secret.shown_at(shown, found.path)}",
            why="A rule of the vendor's is not kept: callers who rely on it act on a wrong state.",
            operation=responsible if responsible in self._contract.operations else operation.id,
            about=found.object_name,
        )

    def _named(self, request: Request) -> set[str]:
        """The objects that a request names."""
        arguments = join_arguments(request.parameters, request.body)
        roles = self._contract.get_roles(request.operation).items()
        return {value for name, role in roles if role != "foreign" and isinstance(value := arguments.get(name), str)}

    def _undeclared(self, worlds: Sequence[ModelState], request: Request, reply: Reply) -> Judged:
        judged = Judged(list(worlds))
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


def _flaws(operation: Operation, reply: Reply) -> Iterator[Disagreement]:
    """What is wrong with how a surface said its answer."""
    for word, text in reply.flaws:
        yield Disagreement(
            id=f"{operation.id}/{reply.status}/{word}",
            severity=BREAKING,
            clause=f"{operation.id}/response/{operation.get_response_key(reply.status)}",
            title=f"{operation.name} {reply.status}: {text}",
            why="Clients of this surface read the answer otherwise, or not at all.",
            operation=operation.id,
            outage=reply.status >= 500 or is_page(reply),
        )


def _other_success(operation: Operation, expected: Outcome, reply: Reply) -> Disagreement:
    clause = f"{operation.id}/response/{expected.status}"
    return Disagreement(
        id=f"{clause}/status-{reply.status}",
        severity=BREAKING,
        clause=clause,
        title=f"{operation.name} should answer {expected.status}, and answers {reply.status}",
        why="Callers tell success by the status that is documented: they take this one for a failure.",
        operation=operation.id,
        outage=is_page(reply),
    )


def _wrong_status(operation: Operation, allowed: Sequence[Outcome], reply: Reply, aim: Sequence[str]) -> Disagreement:
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
        outage=reply.status >= 500 or is_page(reply),
        status=True,
    )


def _distinct(worlds: Iterator[ModelState]) -> list[ModelState]:
    found: list[ModelState] = []
    for world in worlds:
        if world not in found:
            found.append(world)
        if len(found) == MOST_WORLDS:
            break
    return found
