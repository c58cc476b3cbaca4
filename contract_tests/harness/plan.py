"""The probes that a contract calls for, planned from its documents alone, before anything is sent."""

import copy
from collections.abc import Iterator
from typing import Any

from contract_tests.harness import values
from contract_tests.harness.names import wrong
from contract_tests.harness.probe import Probe, Step, fill
from contract_tests.harness.scenarios import scenarios
from contract_tests.harness.values import Judges, Variant
from contracts.catalogue import Contract
from contracts.clauses import clauses
from contracts.document import Operation
from contracts.model import Account
from contracts.readings import Readings
from contracts.request import Body, Request
from contracts.schema import Schema, resolve

UNDECLARED = ("PUT", "TRACE")
"""Methods tried where no document declares them. HEAD and OPTIONS are left to servers."""


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
        self._main = contract.credentials[0].account

    # -- bodies

    def properties(self, operation: Operation) -> dict[str, dict[str, Any]]:
        schema = resolve(self._document, operation.body.schema) if operation.body else {}
        return {name: resolve(self._document, raw) for name, raw in schema.get("properties", {}).items()}

    def required(self, operation: Operation) -> list[str]:
        """The names of the body's required properties."""
        found: list[str] = resolve(self._document, operation.body.schema).get("required", []) if operation.body else []
        return found

    def role(self, operation: Operation, name: str) -> str | None:
        return self._contract.identities.get(operation.id, {}).get(f"/{name}")

    def baseline(self, operation: Operation) -> Any:
        """The least valid body: what is required, and one optional property where the schema wants more."""
        if operation.body is None:
            return Body.ABSENT
        properties = self.properties(operation)
        body = {name: self._sample(operation, name, properties[name]) for name in self.required(operation)}
        for name, prop in properties.items():
            if operation.body.accepts(self._filled(body)):
                break
            if name not in body and self.role(operation, name) is None:
                body[name] = self._sample(operation, name, prop)
        return body

    def _sample(self, operation: Operation, name: str, prop: dict[str, Any]) -> Any:
        role = self.role(operation, name)
        if role == "new":
            return "{n}"
        if role == "existing":
            return "{stock}"
        if prop.get("format") == "password":
            return "{password}"
        if "example" in prop:
            return prop["example"]
        return next(values.inside(prop, Judges([Schema(self._document, prop)]))).value

    @staticmethod
    def _filled(body: Any) -> Any:
        """``body`` with stand-ins in its places, for asking a schema or the model about it."""
        sizes = {"n": "ct-n", "stock": "ct-stock", "short": "a"}

        def give(word: str, modifier: str) -> str:
            size = int(modifier) if modifier.isdigit() else 12
            return "Password1234".ljust(size, "x")[:size] if word == "password" else (
                sizes.get(word, "ct-x").ljust(size, "x")[:size] if modifier.isdigit() else sizes.get(word, "ct-x")
            )  # fmt: skip

        return fill(body, give)

    def _judges(self, operation: Operation, name: str, *, item: bool) -> Judges:
        """Effective and published schema of a property, or of its items."""
        found = []
        theirs = self._contract.published.at(operation.path, operation.method)
        for document, body in (
            (self._document, operation.body),
            (self._contract.published.raw, theirs and theirs.body),
        ):
            if body:
                prop = resolve(document, resolve(document, body.schema)["properties"].get(name, {}))
                found.append(Schema(document, prop.get("items", {}) if item else prop))
        return Judges(found)

    def variants(self, operation: Operation, name: str, prop: dict[str, Any], *, accepted: bool) -> Iterator[Variant]:
        role = self.role(operation, name)
        items = self._judges(operation, name, item=True) if prop.get("type") == "array" else None
        for variant in (values.inside if accepted else values.outside)(
            prop, self._judges(operation, name, item=False), items
        ):
            if role is None:
                yield variant
            elif variant.keyword in ("minLength", "maxLength"):
                size = len(variant.value)
                place = f"{{n:{size}}}" if size > 30 else f"{{short:{size}}}" if size else ""
                yield Variant(variant.keyword, place)
            elif variant.keyword == "type" and not accepted:
                yield variant

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
                step = Step(operation.id, self.baseline(operation), authorization=authorization)
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
            body = self.baseline((changing or operations)[0])
            for method in UNDECLARED:
                if method not in {operation.method for operation in operations}:
                    step = Step(None, Body.ABSENT if method == "TRACE" else body, method=method, path=path)
                    says = f"{method} {path}, which is not documented, does not succeed."
                    yield Probe(f"undeclared/{path}/{method}", "undeclared", operations[0].id, says,
                                (f"{path}/undeclared",), (step,))  # fmt: skip

    def accepted(self) -> Iterator[Probe]:
        """Valid requests on the bounds of every property: as many together as the model accepts at once."""
        for operation in self._contract.operations.values():
            if operation.body is None:
                continue
            queues = {
                name: variants
                for name, prop in self.properties(operation).items()
                if (variants := list(self.variants(operation, name, prop, accepted=True)))
            }
            number = 0
            while any(queues.values()):
                number += 1
                yield self._batch(operation, queues, number)

    def _batch(self, operation: Operation, queues: dict[str, list[Variant]], number: int) -> Probe:
        body = self.baseline(operation)
        taken: dict[str, Variant] = {}
        for name, queue in queues.items():
            if queue and self._accepted(operation, {**body, name: queue[0].value}):
                body = {**body, name: queue[0].value}
                taken[name] = queue.pop(0)
        if not taken:  # the model takes none: leave one out, or this would never end
            name = next(name for name, queue in queues.items() if queue)
            taken[name] = queues[name].pop(0)
            body = {**body, name: taken[name].value}
        return self._valid(operation, f"accepted/{operation.id}/{number}", body, taken)

    def _valid(self, operation: Operation, name: str, body: Any, taken: dict[str, Variant]) -> Probe:
        targets = tuple(
            f"{operation.id}/request/{prop}{variant.pointer}/{variant.keyword}" for prop, variant in taken.items()
        )
        effects = tuple(
            clause for prop in taken if (clause := f"{operation.id}/effect/{prop}") in self._contract.model.rules
        )
        steps = (Step(operation.id, body), Step(self._contract.lifecycle.read))
        parts: tuple[Probe, ...] = ()
        if len(taken) > 1:
            parts = tuple(
                self._valid(
                    operation, f"{name}/{prop}", {**self.baseline(operation), prop: variant.value}, {prop: variant}
                )
                for prop, variant in taken.items()
            )
        says = f"{operation.name} takes {', '.join(taken)} on their bounds."
        return Probe(name, "accepted", operation.id, says, (*targets, *effects), steps, parts)

    def _accepted(self, operation: Operation, body: Any) -> bool:
        """Whether the model accepts ``body`` in every reading, from a state where what it names exists."""
        contract = self._contract
        model = contract.model
        accounts = [Account(credential.account, credential.test) for credential in contract.credentials]
        state = model.start(accounts, Readings(model.readings), "ct-")
        place = contract.places[0]
        headers = {place.header.lower(): place.form.format(contract.credentials[0].test)}
        create = contract.operations[contract.lifecycle.create]
        stock = Request(create.id, create.method, create.path, headers, self._stocked(create), {}, 0.0)
        state = model.outcomes(state, stock)[0].follow(None)
        asked = Request(operation.id, operation.method, operation.path, headers, self._filled(body), {}, 0.0)
        return all(outcome.status < 300 or outcome.status == 409 for outcome in model.outcomes(state, asked))

    def _stocked(self, create: Operation) -> Any:
        body = copy.deepcopy(self._filled(self.baseline(create)))
        for pointer, role in self._contract.identities.get(create.id, {}).items():
            if role == "new":
                body[pointer[1:]] = "ct-stock"
        return body

    def refused(self) -> Iterator[Probe]:
        """Requests just outside each constraint, one at a time."""
        for operation in self._contract.operations.values():
            if operation.body is None:
                continue
            baseline = self.baseline(operation)
            for name, prop in self.properties(operation).items():
                if name in self.required(operation):
                    body = {key: value for key, value in baseline.items() if key != name}
                    yield self._invalid(operation, name, Variant("required", None), body)
                for variant in self.variants(operation, name, prop, accepted=False):
                    yield self._invalid(operation, name, variant, {**baseline, name: variant.value})
            if operation.body_required:
                for what, shape_ in (("array", [baseline]), ("absent", Body.ABSENT)):
                    says = f"{operation.name} refuses a body that is {what}."
                    yield Probe(f"refused/{operation.id}/body/{what}", "refused", operation.id, says,
                                (f"{operation.id}/request/body",), (Step(operation.id, shape_),))  # fmt: skip
        yield self._unchanged()

    def _invalid(self, operation: Operation, name: str, variant: Variant, body: Any) -> Probe:
        clause = f"{operation.id}/request/{name}{variant.pointer}/{variant.keyword}"
        says = f"{operation.name} refuses {name} past its {variant.keyword}."
        suffix = "" if variant.keyword != "pattern" else f"/{values_id(variant.value)}"
        return Probe(f"refused/{clause.replace('/request', '')}{suffix}", "refused", operation.id, says, (clause,),
                     (Step(operation.id, body),))  # fmt: skip

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
                            (Step(operation.id, self.baseline(operation)),), fault=fault,
                            mock_only=f"only a scripted fault of the mock can provoke {status}")  # fmt: skip


def values_id(value: Any) -> str:
    """A short, stable word for a value, to tell probes of one clause apart."""
    text = value[0] if isinstance(value, list) and value else str(value)
    return "".join(letter if letter.isalnum() else f"%{ord(letter):02x}" for letter in str(text))[:24]


def sample(schema: Schema) -> Any:
    """A value of the schema, from its constants, examples and types."""
    document = schema.document

    def make(raw: Any) -> Any:
        found = resolve(document, raw)
        if "const" in found:
            return found["const"]
        if "example" in found:
            return found["example"]
        if "enum" in found:
            return found["enum"][0]
        if found.get("type") == "object" or "properties" in found:
            return {name: make(found["properties"][name]) for name in found.get("required", [])}
        defaults = {"string": "text", "boolean": True, "array": []}
        return defaults.get(found.get("type", ""), found.get("minimum", 0))

    return make(schema.schema)
