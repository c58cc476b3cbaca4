"""Whether one answer is what the contract allows, and what is known of the target afterwards.

What is known is a set of worlds: states that the answers so far leave possible. An answer drops the worlds in which it
was not allowed; one that no world allows is a disagreement.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contract_tests.harness.wire import Reply
from contracts.catalogue import Contract
from contracts.document import Operation
from contracts.model import Outcome, State
from contracts.pattern import Mismatch, promises
from contracts.request import Body, Request
from contracts.schema import Path
from drift.finding import Severity

MOST_WORLDS = 64
_TYPE_WORDS = {"required": "missing", "const": "value", "enum": "value", "oneOf": "type", "anyOf": "type"}
BREAKING, ADDITIVE = Severity.BREAKING, Severity.ADDITIVE


@dataclass(frozen=True)
class Disagreement:
    """One way in which an answer is not what was promised; a `drift.finding.Finding` before it is confirmed.

    ``operation`` is the id of the operation held responsible, ``outage`` marks what a broken server answers too.
    """

    id: str
    severity: Severity
    clause: str
    title: str
    why: str
    operation: str
    outage: bool = False


@dataclass
class Judged:
    """What one answer showed. ``kept`` are clauses it showed to hold, ``lost`` objects nothing is known of any more."""

    worlds: list[State]
    disagreements: list[Disagreement] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    json: Any = Body.ABSENT


class Judge:
    """Judges the answers of one contract. ``secrets`` gives every secret that must not come back."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._model = contract.model

    def judge(
        self, worlds: Sequence[State], request: Request, reply: Reply, aim: Sequence[str], secret: "SecretTest"
    ) -> Judged:
        """Judge ``reply`` to ``request``. ``aim`` are the clauses that the request was made for, if any."""
        if request.operation is None:
            return self._undeclared(worlds, request, reply)
        operation = self._contract.operations[request.operation]
        judged = Judged(list(worlds), json=_json(reply.body))
        allowed = [(world, outcome) for world in worlds for outcome in self._model.outcomes(world, request)]
        fitting = [pair for pair in allowed if pair[1].status == reply.status]
        if not fitting:
            judged.disagreements.append(_wrong_status(operation, [o for _, o in allowed], reply, aim))
            judged.lost |= self._named(request)
        answer = operation.answers.get(reply.status)
        if answer is not None:
            judged.disagreements += self._structure(operation, reply, judged.json, secret)
        if not fitting:
            return judged
        if judged.disagreements:
            judged.worlds = _distinct(outcome.follow(judged.json) for _, outcome in fitting)
            return judged
        self._values(operation, fitting, reply, judged)
        return judged

    def judge_fault(self, worlds: Sequence[State], request: Request, reply: Reply, secret: "SecretTest") -> Judged:
        """Judge the form alone of an answer that a scripted fault made: no rule calls for it."""
        judged = Judged(list(worlds), json=_json(reply.body))
        operation = self._contract.operations[request.operation or ""]
        if reply.status in operation.answers:
            judged.disagreements += self._structure(operation, reply, judged.json, secret)
        return judged

    def _values(
        self, operation: Operation, fitting: Sequence[tuple[State, Outcome]], reply: Reply, judged: Judged
    ) -> None:
        """Keep the worlds whose pattern the body fits; else say how it misses the one that it comes nearest to."""
        tried = [
            (outcome, list(outcome.body.mismatches(judged.json)) if outcome.body is not None else [])
            for _, outcome in fitting
        ]
        right = [outcome for outcome, mismatches in tried if not mismatches]
        if right:
            judged.worlds = _distinct(outcome.follow(judged.json) for outcome in right)
            for outcome in right:
                judged.kept |= {outcome.clause, *(promises(outcome.body) if outcome.body is not None else ())}
            return
        nearest, mismatches = min(tried, key=lambda pair: len(pair[1]))
        judged.worlds = [nearest.follow(judged.json)]
        judged.lost |= {found.about for found in mismatches if found.about is not None}
        for found in mismatches:
            judged.disagreements.append(self._mismatch(operation, reply.status, found, judged.json))

    def _mismatch(self, operation: Operation, status: int, found: Mismatch, shown: Any) -> Disagreement:
        pointer = _pointer(found.path)
        clause = found.clause or f"{operation.id}/{status}/body/{pointer}"
        name = clause if found.clause else f"{operation.id}/{status}/body/{pointer}"
        responsible = clause.split("/", 1)[0]
        return Disagreement(
            id=f"{name}/{found.kind}",
            severity=BREAKING,
            clause=clause,
            title=f"{operation.name} {status} should show {found.expected} at {pointer or 'the top'}, "
            f"and shows {_at(shown, found.path)}",
            why="A rule of the vendor's is not kept: callers who rely on it act on a wrong state.",
            operation=responsible if responsible in self._contract.operations else operation.id,
        )

    def _named(self, request: Request) -> set[str]:
        """The objects that a request names."""
        fields = self._contract.identities.get(request.operation or "", {})
        body = request.body if isinstance(request.body, dict) else {}
        return {value for pointer in fields if isinstance(value := body.get(pointer[1:]), str)}

    def _undeclared(self, worlds: Sequence[State], request: Request, reply: Reply) -> Judged:
        judged = Judged(list(worlds))
        if 200 <= reply.status < 300 and request.method not in ("HEAD", "OPTIONS"):
            clause = f"{request.path}/undeclared"
            judged.disagreements.append(
                Disagreement(
                    id=f"{clause}/{request.method}",
                    severity=ADDITIVE,
                    clause=clause,
                    title=f"{request.method} {request.path} is not documented, and answers {reply.status}",
                    why="The vendor has an operation that its document does not show.",
                    operation=f"{request.method} {request.path}",
                )
            )
        return judged

    def _structure(
        self, operation: Operation, reply: Reply, shown: Any, secret: "SecretTest"
    ) -> Iterator[Disagreement]:
        """Media type, JSON, schema and strict reading of a body whose status is documented."""
        answer = operation.answers[reply.status]
        place = f"{operation.id}/{reply.status}"
        label = f"{operation.name} {reply.status}"
        clause = f"{operation.id}/response/{reply.status}"
        came = reply.headers.get("content-type", "").split(";")[0].strip().lower()
        html = came == "text/html" or reply.body[:64].lstrip()[:1] == b"<"
        if not answer.media:
            if reply.body:
                yield Disagreement(f"{place}/body/undocumented", ADDITIVE, clause, f"{label} should have no body",
                                   "Callers may not read it.", operation.id, outage=html)  # fmt: skip
            return
        if came not in answer.media:
            wanted = " or ".join(answer.media)
            yield Disagreement(f"{place}/media-type/{came or 'none'}", BREAKING, clause,
                               f"{label} should be {wanted}, and is {came or 'without a media type'}",
                               "Clients choose their parser by the media type.", operation.id, outage=html)  # fmt: skip
        if isinstance(shown, Body):
            what = "is empty" if shown is Body.ABSENT else "is no JSON"
            yield Disagreement(f"{place}/body/not-json", BREAKING, clause, f"{label} should be JSON, and {what}",
                               "Clients cannot parse it.", operation.id, outage=html)  # fmt: skip
            return
        schema = answer.media.get(came) or next(iter(answer.media.values()))
        if schema is None:
            return
        for found in schema.violations(shown):
            kind = _TYPE_WORDS.get(found.keyword, found.keyword)
            at = f"{found.pointer}/" if found.path else ""
            yield Disagreement(f"{place}/body/{at}{kind}", BREAKING, f"{place}/body/{found.pointer}" if at else clause,
                               f"{label} should have {found.expected} at {found.pointer or 'the top'}, "
                               f"and has {_at(shown, found.path)}",
                               "Clients that rely on the documented shape fail on this answer.", operation.id)  # fmt: skip
        for path in schema.undocumented(shown):
            pointer = _pointer(path)
            telling = secret.name(str(path[-1])) or any(secret.value(text) for text in _texts(_value(shown, path)))
            yield Disagreement(f"{place}/body/{pointer}/undocumented", BREAKING if telling else ADDITIVE, clause,
                               f"{label} has the undocumented property {pointer}",
                               "A secret may be given away to whoever stores or logs answers." if telling
                               else "Clients that read strictly refuse it; others lose it.", operation.id)  # fmt: skip
        yield from self._echoes(operation, reply.status, shown, secret)

    def _echoes(self, operation: Operation, status: int, shown: Any, secret: "SecretTest") -> Iterator[Disagreement]:
        for path, text in _walk(shown):
            if secret.value(text) and not (path and secret.password(str(path[-1]))):
                pointer = _pointer(path)
                yield Disagreement(f"{operation.id}/{status}/body/{pointer}/secret", BREAKING,
                                   f"{operation.id}/response/{status}",
                                   f"{operation.name} {status} says a secret at {pointer}",
                                   "A secret is given away to whoever stores or logs answers.", operation.id)  # fmt: skip


class SecretTest:
    """What counts as a secret in an answer: ``names`` of documented password properties, ``values`` this run knows."""

    def __init__(self, names: frozenset[str], telling: Any, values: Mapping[str, None]) -> None:
        self._names = names
        self.name = telling
        self._values = values

    def password(self, name: str) -> bool:
        """Whether the document says that ``name`` holds a password."""
        return name in self._names

    def value(self, text: str) -> bool:
        """Whether ``text`` holds a secret of this run."""
        return len(text) >= 8 and any(known in text for known in self._values)


def _wrong_status(operation: Operation, allowed: Sequence[Outcome], reply: Reply, aim: Sequence[str]) -> Disagreement:
    aimed = [outcome for outcome in allowed if outcome.clause in aim]
    expected = (aimed or list(allowed))[0]
    wanted = sorted({outcome.status for outcome in allowed})
    refusal = all(status >= 400 for status in wanted)
    clause = expected.clause if aimed or refusal else next(iter(aim), expected.clause)
    documented = reply.status in operation.answers
    if refusal and 200 <= reply.status < 300 and documented:
        kind = "accepted"
        loosened = "/request/" in clause
        severity = ADDITIVE if loosened else BREAKING
        why = (
            "The vendor accepts more than it documents."
            if loosened
            else "A rule that the vendor documents is not kept: callers who rely on the refusal go on in a wrong state."
        )
    elif 200 in wanted and 400 <= reply.status < 500 and documented:
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
        operation=operation.id,
        outage=reply.status >= 500,
    )


def _distinct(worlds: Iterator[State]) -> list[State]:
    found: list[State] = []
    for world in worlds:
        if world not in found:
            found.append(world)
        if len(found) == MOST_WORLDS:
            break
    return found


def _json(body: bytes) -> Any:
    if not body:
        return Body.ABSENT
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return Body.MALFORMED


def _pointer(path: Path) -> str:
    return "/".join("*" if isinstance(part, int) else str(part) for part in path)


def _value(shown: Any, path: Path) -> Any:
    part: Any
    for part in path:
        if (isinstance(shown, list) and isinstance(part, int) and part < len(shown)) or (
            isinstance(shown, dict) and part in shown
        ):
            shown = shown[part]
        else:
            return Body.ABSENT
    return shown


def _at(shown: Any, path: Path) -> str:
    value = _value(shown, path)
    if value is Body.ABSENT:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _walk(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _walk(inner, (*path, index))


def _texts(value: Any) -> Iterator[str]:
    for _, text in _walk(value):
        yield text
