"""The probes that a contract calls for, planned from its documents alone, before anything is sent."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contract_tests.harness.bodies import Bodies
from contract_tests.harness.names import wrong
from contract_tests.harness.probe import Probe, Step, apart
from contract_tests.harness.scenarios import scenarios
from contract_tests.harness.values import Variant, sample
from contracts.catalogue import Contract
from contracts.clauses import clauses
from contracts.document import Operation
from contracts.request import Body
from contracts.schema import Schema

UNDECLARED = ("PUT", "TRACE")
"""Methods tried where no document declares them. HEAD and OPTIONS are left to servers."""
_TOGETHER = 3
"""How many valid requests share one look at what they did; as many objects are there by then anyway."""


def plan(contract: Contract) -> list[Probe]:
    """Every probe of ``contract``, in the order in which they run."""
    planner = Planner(contract)
    known = set(clauses(contract))
    return [
        *planner.credentials(),
        *planner.undeclared(),
        *planner.accepted(),
        *planner.refused(),
        *scenarios(contract, known),
        *planner.faults(),
    ]


class Planner:
    """Plans the probes of one contract, family by family."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._document = contract.effective.raw
        self._bodies = Bodies(contract)

    # -- families

    def credentials(self) -> Iterator[Probe]:
        """No credential, a wrong one, the right one under another scheme, one without a scheme, for each operation."""
        place = self._contract.places[0]
        scheme = place.form.replace("{}", "").strip()
        cases = {
            "none": lambda _key: None,
            "wrong": lambda key: place.form.format(wrong(key)),
            "other-scheme": lambda key: f"Basic {key}" if scheme else None,
            "malformed": lambda key: key if scheme else key[:4],
        }
        for operation in self._contract.operations.values():
            for case, authorization in cases.items():
                step = Step(operation.id, self._bodies.baseline(operation), authorization=authorization)
                clause = f"{operation.id}/credential"
                says = f"{operation.name} refuses a request with {case.replace('-', ' ')} credential."
                yield Probe(f"credentials/{operation.id}/{case}", "credentials", operation.id, says, (clause,), (step,))

    def undeclared(self) -> Iterator[Probe]:
        """Methods that no document declares on a path that one does."""
        paths: dict[str, list[Operation]] = {}
        for operation in self._contract.operations.values():
            paths.setdefault(operation.path, []).append(operation)
        for path, operations in paths.items():
            life = self._contract.lifecycle
            changing = [o for o in operations if o.body is not None]
            changing.sort(key=lambda o: o.id in (life.create, life.remove))
            body = self._bodies.baseline((changing or operations)[0])
            for method in UNDECLARED:
                if method not in {operation.method for operation in operations}:
                    step = Step(None, Body.ABSENT if method == "TRACE" else body, method=method, path=path)
                    says = f"{method} {path}, which is not documented, does not succeed."
                    yield Probe(f"undeclared/{path}/{method}", "undeclared", operations[0].id, says,
                                (f"{path}/undeclared",), (step,))  # fmt: skip

    def accepted(self) -> Iterator[Probe]:
        """Valid requests on the bounds of every property: as many together as the model accepts at once.

        A few requests share one look at what they did: each is about an object of its own.
        """
        for operation in self._contract.operations.values():
            if operation.body is None:
                continue
            batches = list(self._batches(operation))
            for number, first in enumerate(range(0, len(batches), _TOGETHER), 1):
                yield self._group(operation, f"accepted/{operation.id}/{number}", batches[first : first + _TOGETHER])

    def _batches(self, operation: Operation) -> Iterator[dict[str, Variant]]:
        """Values of every property for request after request, until each value was in one."""
        queues = {
            name: variants
            for name, prop in self._bodies.properties(operation).items()
            if (variants := list(self._bodies.variants(operation, name, prop, accepted=True)))
        }
        while any(queues.values()):
            taken: dict[str, Variant] = {}
            for name, queue in queues.items():
                if queue and self._bodies.accepted(operation, self._body(operation, {**taken, name: queue[0]})):
                    taken[name] = queue.pop(0)
            if not taken:  # the model takes none: leave one out, or this would never end
                name = next(name for name, queue in queues.items() if queue)
                taken[name] = queues[name].pop(0)
            yield taken

    def _body(self, operation: Operation, taken: Mapping[str, Variant]) -> Any:
        return {**self._bodies.baseline(operation), **{name: variant.value for name, variant in taken.items()}}

    def _group(self, operation: Operation, name: str, batches: Sequence[dict[str, Variant]]) -> Probe:
        if len(batches) == 1:
            return self._valid(operation, name, batches[0])
        parts = tuple(self._valid(operation, f"{name}/{number}", taken) for number, taken in enumerate(batches, 1))
        steps = [Step(operation.id, apart(self._body(operation, taken), n)) for n, taken in enumerate(batches, 1)]
        clauses = tuple(dict.fromkeys(clause for part in parts for clause in part.clauses))
        says = (
            f"{operation.name} takes {', '.join(dict.fromkeys(n for taken in batches for n in taken))} on their bounds."
        )
        read = Step(self._contract.lifecycle.read)
        return Probe(name, "accepted", operation.id, says, clauses, (*steps, read), parts)

    def _valid(self, operation: Operation, name: str, taken: Mapping[str, Variant]) -> Probe:
        targets = tuple(
            f"{operation.id}/request/{prop}{variant.pointer}/{variant.keyword}" for prop, variant in taken.items()
        )
        effects = tuple(
            clause for prop in taken if (clause := f"{operation.id}/effect/{prop}") in self._contract.model.rules
        )
        steps = (Step(operation.id, self._body(operation, taken)), Step(self._contract.lifecycle.read))
        parts: tuple[Probe, ...] = ()
        if len(taken) > 1:
            parts = tuple(self._valid(operation, f"{name}/{prop}", {prop: taken[prop]}) for prop in taken)
        says = f"{operation.name} takes {', '.join(taken)} on their bounds."
        return Probe(name, "accepted", operation.id, says, (*targets, *effects), steps, parts)

    def refused(self) -> Iterator[Probe]:
        """Requests just outside each constraint, one at a time."""
        for operation in self._contract.operations.values():
            if operation.body is None:
                continue
            baseline = self._bodies.baseline(operation)
            for name, prop in self._bodies.properties(operation).items():
                if name in self._bodies.required(operation):
                    body = {key: value for key, value in baseline.items() if key != name}
                    yield self._invalid(operation, name, Variant("required", None), body)
                for variant in self._bodies.variants(operation, name, prop, accepted=False):
                    yield self._invalid(operation, name, variant, {**baseline, name: variant.value})
            if probe := self._nulls(operation):
                yield probe
            if operation.body_required:
                for what, shape_ in (("array", [baseline]), ("absent", Body.ABSENT)):
                    says = f"{operation.name} refuses a body that is {what}."
                    yield Probe(f"refused/{operation.id}/body/{what}", "refused", operation.id, says,
                                (f"{operation.id}/request/body",), (Step(operation.id, shape_),))  # fmt: skip
        yield self._unchanged()

    def _invalid(self, operation: Operation, name: str, variant: Variant, body: Any) -> Probe:
        clause = f"{operation.id}/request/{name}{variant.pointer}/{variant.keyword}"
        says = f"{operation.name} refuses {name} past its {variant.keyword}."
        suffix = f"/{_id(variant.value)}" if variant.keyword in ("pattern", "enum") else ""
        return Probe(f"refused/{clause.replace('/request', '')}{suffix}", "refused", operation.id, says, (clause,),
                     (Step(operation.id, body),))  # fmt: skip

    def _nulls(self, operation: Operation) -> Probe | None:
        """Null for every optional property at once: what a server that takes null for absent grants."""
        body = self._bodies.baseline(operation)
        properties = self._bodies.properties(operation)
        left = [name for name in properties if name not in body]
        nulls = {name: None for name in left if not Schema(self._document, properties[name]).accepts(None)}
        if not nulls:
            return None
        clause = f"{operation.id}/request/{next(iter(nulls))}/type"
        says = f"{operation.name} refuses null for {', '.join(nulls)}."
        step = Step(operation.id, {**body, **nulls})
        return Probe(f"refused/{operation.id}/nulls", "refused", operation.id, says, (clause,), (step,))

    def _unchanged(self) -> Probe:
        create = self._contract.lifecycle.create
        clause = next(
            (rule for rule in self._contract.model.rules if "changes-nothing" in rule), f"{create}/response/400"
        )
        return Probe("refused/changes-nothing", "refused", create, "Refused requests change nothing.", (clause,),
                     (Step(self._contract.lifecycle.read),))  # fmt: skip

    def faults(self) -> Iterator[Probe]:
        """Documented server errors, which only a scripted fault can provoke."""
        for operation in self._contract.operations.values():
            for status, answer in operation.answers.items():
                if status < 500:
                    continue
                schema = next(iter(answer.media.values()), None)
                clause = f"{operation.id}/response/{status}"
                fault = {"operation": operation.id, "status": status, "body": sample(schema) if schema else None}
                yield Probe(f"faults/{operation.id}/{status}", "faults", operation.id,
                            f"{operation.name} answers {status} as documented.", (clause,),
                            (Step(operation.id, self._bodies.baseline(operation)),), fault=fault,
                            mock_only=f"only a scripted fault of the mock can provoke {status}")  # fmt: skip


def _id(value: Any) -> str:
    """A short, stable word for a value, to tell probes of one clause apart."""
    text = value[-1] if isinstance(value, list) and value else str(value)
    return "".join(letter if letter.isalnum() else f"%{ord(letter):02x}" for letter in str(text))[:24]
