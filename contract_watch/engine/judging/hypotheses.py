"""Hypotheses of the judge: the changes by a vendor that would explain a disagreement, the most specific one first."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.schema import Schema
from contract_watch.engine.judging.disagreement import Disagreement
from contract_watch.report.hypothesis import Hypothesis

_LEAST_FOR_OPERATION = 3
"""The findings that it takes to hold a whole operation responsible: two may be unrelated."""
_BODY_WORDS = {
    "missing": ("lack", "the required property `{}`"),
    "undocumented": ("add", "the undocumented property `{}`"),
    "type": ("answer", "with `{}` of another type"),
    "value": ("answer", "with another value of `{}`"),
    "secret": ("leak", "a secret in `{}`"),
    "repeated": ("repeat", "an earlier password in `{}`"),
    "guessable": ("generate", "passwords in `{}` that can be guessed from each other"),
    "contains-name": ("generate", "passwords in `{}` that contain a part of the name"),
}
_KIND_VERBS = {"accepted": "accept", "refused": "reject"}


def explain_status(
    contract: Contract, operation: Operation, clause: str, kind: str, wanted: Sequence[int], actual: int
) -> tuple[Hypothesis, ...]:
    """Explain a status that the contract does not allow; ``wanted`` are those that it does, ``kind`` ends the id."""
    found = [*_explain_clause(operation, clause, kind)]
    is_documented = operation.find_response(actual) is not None
    for status in wanted:
        rest = f"{actual} where {status} is documented"
        failing = f"Code that handles the documented status {status} does not handle this response."
        refuting = ((operation.name, (status,)),)
        # Where the status is no documented one, a single code in the vendor's program gives it everywhere.
        if kind.startswith("status-"):
            found.append(
                Hypothesis(
                    f"status:{status}->{actual}",
                    "answer",
                    rest,
                    refuting=refuting if is_documented else (),
                    consequence=failing,
                    explains_any_request=not is_documented,
                )
            )
        found.append(
            Hypothesis(
                f"{operation.id}:{status}->{actual}",
                "answer",
                rest,
                operation.name,
                _LEAST_FOR_OPERATION,
                refuting,
                consequence=failing,
                explains_any_request=True,
            )
        )
    if actual == 404 and min(wanted) < 300 and "existing" in contract.get_roles(operation.id).values():
        found.append(explain_missing_object(contract))
    return (*found, _explain_operation(operation, actual))


def _explain_clause(operation: Operation, clause: str, kind: str) -> Iterator[Hypothesis]:
    verb = _KIND_VERBS.get(kind, "")
    _, _, argument = clause.partition("/request/")
    if argument and verb:
        pointer, _, keyword = argument.rpartition("/")
        if pointer:
            what = "the bounds" if kind == "refused" else "values past the bounds"
            yield Hypothesis(f"request/{argument}:{kind}", verb, f"{what} of `{pointer}` ({keyword})")
            name = pointer.split("/")[0]
            what = "documented" if kind == "refused" else "undocumented"
            yield Hypothesis(f"{operation.id}/request/{name}:{kind}", verb, f"{what} values of `{name}`")
    elif "/rule/" in clause and verb:
        rule = clause.partition("/rule/")[2]
        yield Hypothesis(f"rule/{rule}:{kind}", verb, f"requests against the rule `{rule}`" if kind == "accepted" else
                         f"requests that the rule `{rule}` allows")  # fmt: skip
    elif "/credential" in clause and verb:
        where = clause.partition("/credential/")[2]
        rest = f"the key in its location `{where}`" if where else "requests without a valid key"
        yield Hypothesis(f"credential/{where}:{kind}" if where else f"credential:{kind}", verb, rest)


def explain_missing_object(contract: Contract) -> Hypothesis:
    """Explain that an object is not there although it was created: creation creates nothing."""
    create = contract.operations[contract.lifecycle.create]
    users = [one for one in contract.operations.values() if "existing" in contract.get_roles(one.id).values()]
    return Hypothesis(
        f"{create.id}:creates-nothing", "create", "no object: what it created is neither listed nor found",
        create.name, _LEAST_FOR_OPERATION,
        tuple((one.name, tuple(status for status in one.responses if status < 300)) for one in users),
        consequence="Code that uses what it created will fail.",
        explains_any_request=True,
    )  # fmt: skip


def _explain_operation(operation: Operation, status: int, *, is_side_effect: bool = False) -> Hypothesis:
    """Explain a response by an operation that gives this status to every request."""
    consequence = (
        "Every call of this operation fails." if status >= 400 else "Code is told that it succeeded, whatever it sends."
    )
    return Hypothesis(
        f"{operation.id}:answers:{status}", "answer", f"{status} to every request", operation.name,
        _LEAST_FOR_OPERATION, only_status=((operation.name, status),), consequence=consequence,
        is_side_effect=is_side_effect, explains_any_request=True,
    )  # fmt: skip


def explain_body(operation: Operation, status: int, pointer: str, kind: str) -> tuple[Hypothesis, ...]:
    """Explain a property of a response body that breaks its schema: every response may have changed alike."""
    verb, rest = _BODY_WORDS.get(kind, ("answer", f"with another `{{}}` than documented ({kind})"))
    described = rest.replace("{}", pointer) if pointer else "with a body of another type"
    whole = _explain_operation(operation, status, is_side_effect=True)
    return Hypothesis(f"body/{pointer}:{kind}", verb, described), whole


def explain_part(operation: Operation, status: int, key: str, verb: str, rest: str) -> tuple[Hypothesis, ...]:
    """Explain another part of a response: every response may have changed alike."""
    return Hypothesis(key, verb, rest), _explain_operation(operation, status, is_side_effect=True)


def explain_mismatch(
    contract: Contract, shown: Operation, clause: str, pointer: str, kind: str
) -> tuple[Hypothesis, ...]:
    """Explain a value that the state does not allow, in a response to the operation ``shown``."""
    if kind == "row-missing":
        omitted = Hypothesis("row-missing", "omit", "objects that exist", shown.name)
        return omitted, explain_missing_object(contract)
    operation, _, effect = clause.partition("/effect/")
    if effect == "refused":
        what = "what it rejects" if kind != "row-missing" else "the request that it rejects"
        return (Hypothesis(f"effect/refused:{kind}", "store", what, contract.operations[operation].name),)
    if effect.startswith("untouched"):
        name = next((part for part in reversed(pointer.split("/")) if part != "*"), "")
        return (
            Hypothesis(f"effect/untouched/{name}:{kind}", "change", f"`{name}`, which the request does not name"),
            Hypothesis(
                f"{operation}/effect/untouched:{kind}",
                "change",
                "settings that the request does not name",
                least=_LEAST_FOR_OPERATION,
            ),
        )
    if effect:
        return (Hypothesis(f"effect/{effect}:{kind}", "store", f"`{effect}` other than it was set"),)
    if "/rule/" in clause:
        rule = clause.partition("/rule/")[2]
        return (Hypothesis(f"rule/{rule}:{kind}", "break", f"the rule `{rule}`"),)
    return (Hypothesis(f"body/{pointer}:{kind}", "answer", f"with another value of `{pointer}` than its state"),)


def add_renames(
    disagreements: Iterable[Disagreement], prefix: str, schema: Schema | None, body: object
) -> list[Disagreement]:
    """Add the hypothesis of a renamed property to the disagreements of one response, whose ids begin with ``prefix``.

    A property is renamed if its object lacks this property alone, has one undocumented property, and the value of that
    one fits the schema.
    """
    found = list(disagreements)
    if schema is None:
        return found
    lost, added = (_index_by_parent(found, prefix, kind) for kind in ("missing", "undocumented"))
    for parent, missing in lost.items():
        new = added.get(parent, {})
        if len(missing) != 1 or len(new) != 1:
            continue
        (before, places_before), (after, places_after) = *missing.items(), *new.items()
        path = f"{parent}/" if parent else ""
        renamed = _rename_property(body, path.split("/")[:-1], after, before)
        if any(one.pointer.startswith(f"{path}{before}") for one in schema.find_violations(renamed)):
            continue
        rest = f"`{path}{after}` instead of `{path}{before}`"
        failing = f"Code that reads `{path}{before}` will fail: the property has another name."
        explained = Hypothesis(f"renamed/{path}{before}->{after}", "answer", rest, consequence=failing)
        for index in (*places_before, *places_after):
            found[index] = replace(found[index], hypotheses=(explained, *found[index].hypotheses))
    return found


def _index_by_parent(disagreements: Sequence[Disagreement], prefix: str, kind: str) -> dict[str, dict[str, list[int]]]:
    """Index the disagreements of ``kind`` by the pointer of the object, then by the name of the property."""
    found: dict[str, dict[str, list[int]]] = {}
    for index, one in enumerate(disagreements):
        if one.id.startswith(f"{prefix}/body/") and one.id.endswith(f"/{kind}"):
            pointer = one.id.removeprefix(f"{prefix}/body/").removesuffix(f"/{kind}")
            parent, _, name = pointer.rpartition("/")
            found.setdefault(parent, {}).setdefault(name, []).append(index)
    return found


def _rename_property(value: Any, path: Sequence[str], before: str, after: str) -> Any:
    """Return a copy of ``value`` whose objects at ``path`` have the property ``before`` under the name ``after``."""
    if path and isinstance(value, list):
        return [_rename_property(inner, path[1:], before, after) for inner in value]
    if isinstance(value, dict) and not path:
        return {after if name == before else name: inner for name, inner in value.items()}
    if isinstance(value, dict) and path[0] in value:
        return {**value, path[0]: _rename_property(value[path[0]], path[1:], before, after)}
    return value
