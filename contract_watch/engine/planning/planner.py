"""The planner: derives the probes of a contract from its documents, before anything is sent."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from contract_watch.contracts.clauses import derive_clauses
from contract_watch.contracts.openapi import Operation, split_arguments
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody
from contract_watch.contracts.samples import build_sample
from contract_watch.contracts.schema import Schema
from contract_watch.engine.planning.allowance import fit_to_allowance
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.engine.planning.bystanders import BystanderPlanner
from contract_watch.engine.planning.credential_probes import plan_credential_probes
from contract_watch.engine.planning.extremes import put_extremes_first, shrink_variants
from contract_watch.engine.planning.probe import Probe, ProbeStep, number_placeholders
from contract_watch.engine.planning.scenarios import load_scenarios
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.engine.planning.variants import Variant

UNDECLARED_METHODS = ("PUT", "TRACE")
"""Methods tried on paths that do not declare them. HEAD and OPTIONS are left to servers."""
_NULL = Variant("type", None)
_MAX_REQUESTS_PER_READ = 3
"""Valid requests that share one read of their effects, each about an object of its own."""


def plan_probes(contract: Contract, is_sent: Callable[[Probe], bool] = lambda _probe: True) -> list[Probe]:
    """Plan every probe of ``contract``, in the order in which they run.

    Probes beyond the allowance are marked with the probe that represents them. ``is_sent`` returns False for probes
    that are not sent in any case; they use no allowance.
    """
    planner = Planner(contract, is_sent)
    known = set(derive_clauses(contract))
    return fit_to_allowance(contract, [
        *plan_credential_probes(contract, ArgumentBuilder(contract)),
        *planner.plan_undeclared(),
        *planner.plan_accepted(),
        *planner.plan_refused(),
        *load_scenarios(contract, known),
        *planner.plan_faults(),
    ], is_sent)  # fmt: skip


class Planner:
    """A planner of the probes of one contract, family by family."""

    def __init__(self, contract: Contract, is_sent: Callable[[Probe], bool]) -> None:
        self._contract, self._is_sent = contract, is_sent
        self._document = contract.effective.schemas
        self._arguments = ArgumentBuilder(contract)
        self._bystanders = BystanderPlanner(contract)

    @cached_property
    def _simulation(self) -> Simulation:
        return Simulation(self._contract)

    # -- families

    def plan_undeclared(self) -> Iterator[Probe]:
        """Plan methods that no document declares on declared paths."""
        paths: dict[str, list[Operation]] = {}
        for operation in self._contract.operations.values():
            paths.setdefault(operation.path, []).append(operation)
        for path, operations in paths.items():
            life = self._contract.lifecycle
            changing = [o for o in operations if o.body is not None]
            changing.sort(key=lambda o: o.id in (life.create, life.remove))
            like = (changing or operations)[0]
            baseline_step = ProbeStep.from_arguments(like, self._arguments.build_baseline(like))
            for method in UNDECLARED_METHODS:
                if method not in {operation.method for operation in operations}:
                    step = replace(baseline_step, operation=None, body=MissingBody.ABSENT if method == "TRACE" else baseline_step.body,
                                   method=method, path=path)  # fmt: skip
                    title = f"{method} {path}, which is not documented, fails."
                    yield Probe(f"undeclared/{path}/{method}", "undeclared", operations[0].id, title,
                                (f"{path}/undeclared",), (step,), equivalence_key=method)  # fmt: skip

    def plan_accepted(self) -> Iterator[Probe]:
        """Plan valid requests on the bounds of every argument, as many bounds in one request as the model accepts.

        A few requests share one read of their effects: each is about an object of its own.
        """
        # Reads come last: by then there are objects to read.
        for operation in sorted(self._contract.operations.values(), key=self._is_read_only):
            if not operation.specs and (operation.body is None or self._is_read_only(operation)):
                continue
            batches = list(
                self._list_parameter_values(operation)
                if self._is_read_only(operation)
                else self._batch_values(operation)
            )
            sent = [one for one in batches if self._is_sent(self._build_valid_probe(operation, "alone", one))]
            kinds = [sent, [one for one in batches if one not in sent]]
            groups = [
                kind[first : first + _MAX_REQUESTS_PER_READ]
                for kind in kinds
                for first in range(0, len(kind), _MAX_REQUESTS_PER_READ)
            ]
            for number, group in enumerate(groups, 1):
                yield self._build_group_probe(operation, f"accepted/{operation.id}/{number}", group)

    def _is_read_only(self, operation: Operation) -> bool:
        return self._contract.is_read_only(operation.id)

    def _list_parameter_values(self, operation: Operation) -> Iterator[dict[str, Variant]]:
        """Yield each value of each parameter of a read alone: one filter would hide what another does."""
        for name, spec in operation.specs.items():
            yield from ({name: variant} for variant in self._generate_granted(operation, name, dict(spec.schema)))

    def _batch_values(self, operation: Operation) -> Iterator[dict[str, Variant]]:
        """Yield values of several properties for one request after another, until each value was used.

        A value that the model does not surely grant is left out.
        """
        queues = {
            name: variants
            for name, prop in operation.get_arguments().items()
            if (variants := put_extremes_first(list(self._generate_granted(operation, name, prop))))
        }
        for name, queue in queues.items():
            for variant in [variant for variant in queue if self._must_run_alone(operation, name, variant)]:
                queue.remove(variant)
                yield {name: variant}
        while any(queues.values()):
            taken: dict[str, Variant] = {}
            for name, queue in queues.items():
                if queue and self._simulation.is_granted(
                    operation, self._build_body(operation, {**taken, name: queue[0]})
                ):
                    taken[name] = queue.pop(0)
            if not taken:  # the model takes none: leave one out, or this would never end
                name = next(name for name, queue in queues.items() if queue)
                taken[name] = queues[name].pop(0)
            yield taken

    def _generate_granted(self, operation: Operation, name: str, prop: dict[str, Any]) -> Iterator[Variant]:
        for variant in self._arguments.generate_variants(operation, name, prop, accepted=True):
            if self._simulation.is_granted(operation, self._build_body(operation, {name: variant})):
                yield variant

    def _must_run_alone(self, operation: Operation, name: str, variant: Variant) -> bool:
        """Return True if a value needs a request of its own, so that its response hides no other.

        A short name does not have the run's form and may be taken. Some values are not sent at all.
        """
        if not self._is_sent(self._build_valid_probe(operation, "alone", {name: variant})):
            return True
        if "{short" not in str(variant.value):
            return False
        foreign = replace(variant, value=variant.value.replace("{short", "{foreign"))
        return not self._simulation.is_granted(operation, self._build_body(operation, {name: foreign}))

    def _build_body(self, operation: Operation, taken: Mapping[str, Variant]) -> Any:
        return {**self._arguments.build_baseline(operation), **{name: variant.value for name, variant in taken.items()}}

    def _build_group_probe(self, operation: Operation, name: str, batches: Sequence[dict[str, Variant]]) -> Probe:
        if len(batches) == 1:
            return self._build_valid_probe(operation, name, batches[0])
        parts = tuple(
            self._build_valid_probe(operation, f"{name}/{number}", taken) for number, taken in enumerate(batches, 1)
        )
        bodies = [number_placeholders(self._build_body(operation, taken), n) for n, taken in enumerate(batches, 1)]
        steps = [ProbeStep.from_arguments(operation, body) for body in bodies]
        clauses = tuple(dict.fromkeys(clause for part in parts for clause in part.clauses))
        title = f"{operation.name} accepts {', '.join(dict.fromkeys(n for taken in batches for n in taken))} on their bounds."
        steps += self._build_reads(operation, bodies)
        fallback = next((part.fallback for part in parts if part.fallback is not None), None)
        return Probe(name, "accepted", operation.id, title, clauses, tuple(steps), parts, fallback)

    def _build_reads(self, operation: Operation, bodies: Sequence[Any]) -> list[ProbeStep]:
        """Build the steps that read the objects of ``bodies``: one list, or one read for each; none after a read."""
        if self._is_read_only(operation):
            return []
        read = self._contract.operations[self._contract.lifecycle.read]
        baseline_step = self._arguments.build_baseline(read)
        wanted = [
            name
            for name, role in self._contract.get_roles(read.id).items()
            if role == "existing" and name in baseline_step
        ]
        if not wanted:
            return [ProbeStep.from_arguments(read, baseline_step)]
        if operation.id == self._contract.lifecycle.remove:
            return []
        roles = self._contract.get_roles(operation.id)
        about = [next((body[name] for name in roles if name in body), None) for body in bodies]
        return [
            ProbeStep.from_arguments(read, {**baseline_step, wanted[0]: name}) for name in about if name is not None
        ]

    def _build_valid_probe(self, operation: Operation, name: str, taken: Mapping[str, Variant]) -> Probe:
        targets = tuple(
            f"{operation.id}/request/{prop}{variant.pointer}/{variant.keyword}" for prop, variant in taken.items()
        )
        effects = tuple(
            clause for prop in taken if (clause := f"{operation.id}/effect/{prop}") in self._contract.model.rules
        )
        body = self._build_body(operation, taken)
        steps = (ProbeStep.from_arguments(operation, body), *self._build_reads(operation, [body]))
        parts: tuple[Probe, ...] = ()
        if len(taken) > 1:
            parts = tuple(self._build_valid_probe(operation, f"{name}/{prop}", {prop: taken[prop]}) for prop in taken)
        elif len(taken) == 1:
            ((prop, variant),) = taken.items()
            parts = tuple(
                self._build_valid_probe(operation, f"{name}/{number}", {prop: simpler})
                for number, simpler in enumerate(variant.simpler, 1)
            )
        fallback = None
        if (smaller := shrink_variants(taken)) != taken:
            fallback = self._build_valid_probe(operation, f"{name}/smaller", smaller)
        title = f"{operation.name} accepts {', '.join(taken)} on their bounds."
        return Probe(name, "accepted", operation.id, title, (*targets, *effects), steps, parts, fallback)

    def plan_refused(self) -> Iterator[Probe]:
        """Plan requests just outside each constraint, one at a time; good values ride along, which must not be stored."""
        yield from self._bystanders.add(self._generate_refused())
        yield from self._plan_unchanged()

    def _generate_refused(self) -> Iterator[Probe]:
        for operation in self._contract.operations.values():
            baseline = self._arguments.build_baseline(operation)
            required = operation.get_required_arguments()
            for name, prop in operation.get_arguments().items():
                if name in required and not name.startswith("{"):
                    body = {key: value for key, value in baseline.items() if key != name}
                    yield self._build_invalid_probe(operation, name, Variant("required", None), body, prop)
                for variant in self._arguments.generate_variants(operation, name, prop, accepted=False):
                    yield self._build_invalid_probe(operation, name, variant, {**baseline, name: variant.value}, prop)
            if operation.body is None:
                continue
            if probe := self._build_nulls_probe(operation):
                yield probe
            parameters, body = split_arguments(baseline)
            for case, body_value in self._list_wrong_bodies(operation, body) if operation.body_required else ():
                title = f"{operation.name} rejects a body that is {case}."
                step = ProbeStep(operation.id, body_value, parameters=parameters)
                yield Probe(f"refused/{operation.id}/body/{case}", "refused", operation.id, title,
                            (f"{operation.id}/request/body",), (step,), equivalence_key=case)  # fmt: skip
        yield from self._plan_nulls()

    def _plan_nulls(self) -> Iterator[Probe]:
        """Plan null for each required property, one at a time: a server may look for the name alone."""
        for operation in self._contract.operations.values():
            required, baseline = operation.get_required_arguments(), self._arguments.build_baseline(operation)
            for name, prop in operation.get_arguments().items():
                is_property = name in required and not name.startswith("{") and not operation.is_text_argument(name)
                if is_property and not Schema(self._document, prop).accepts(None):
                    body = {**baseline, name: None}
                    yield self._build_invalid_probe(operation, name, _NULL, body, prop, word="null")

    @staticmethod
    def _list_wrong_bodies(operation: Operation, body: Any) -> list[tuple[str, Any]]:
        absent = ("absent", MissingBody.ABSENT)
        return [absent] if operation.codec.is_form else [("array", [body]), absent]

    def _build_invalid_probe(
        self, operation: Operation, name: str, variant: Variant, body: Any, prop: Mapping[str, Any], word: str = ""
    ) -> Probe:
        """Build a probe whose ``body`` breaks one constraint; ``word`` replaces the keyword in id and title."""
        clause = f"{operation.id}/request/{name}{variant.pointer}/{variant.keyword}"
        title = (
            f"{operation.name} rejects {word} for {name}."
            if word
            else f"{operation.name} rejects {name} beyond its {variant.keyword}."
        )
        suffix = f"/{_build_short_id(variant.value)}" if variant.keyword in ("pattern", "enum") else ""
        head = f"refused/{operation.id}/{name}/{word}" if word else f"refused/{clause.replace('/request', '')}{suffix}"
        key = _build_equivalence_key(name, prop, variant, word)
        return Probe(head, "refused", operation.id, title, (clause,),
                     (ProbeStep.from_arguments(operation, body),), equivalence_key=key,
                     is_deterministic=lambda: self._simulation.is_refused(operation, body))  # fmt: skip

    def _build_nulls_probe(self, operation: Operation) -> Probe | None:
        """Build a probe with null for every optional property: a server that reads null as absent accepts it."""
        body = self._arguments.build_baseline(operation)
        properties = operation.get_arguments()
        left = [name for name in properties if name not in body and not operation.is_text_argument(name)]
        nulls = {name: None for name in left if not Schema(self._document, properties[name]).accepts(None)}
        if not nulls:
            return None
        clause = f"{operation.id}/request/{next(iter(nulls))}/type"
        title = f"{operation.name} rejects null for {', '.join(nulls)}."
        step = ProbeStep.from_arguments(operation, {**body, **nulls})
        return Probe(f"refused/{operation.id}/nulls", "refused", operation.id, title, (clause,), (step,))

    def _plan_unchanged(self) -> Iterator[Probe]:
        """Plan a read after all rejected requests, if the vendor can list objects."""
        create, read = self._contract.lifecycle.create, self._contract.operations[self._contract.lifecycle.read]
        rule = next((rule for rule in self._contract.model.rules if "changes-nothing" in rule), "")
        listed = self._contract.list_config
        if rule and listed is not None and self._names_object(read):
            read = self._contract.operations[listed.operation]
        status = min((one for one in self._contract.operations[create].responses if one >= 400), default=400)
        if not self._names_object(read):
            clauses = (one for one in self._contract.model.rules if one.endswith("/effect/refused"))
            yield Probe("refused/changes-nothing", "refused", create, "Rejected requests change nothing.",
                        (rule or f"{create}/response/{status}", *clauses),
                        (ProbeStep.from_arguments(read, self._arguments.build_baseline(read)),))  # fmt: skip

    def _names_object(self, operation: Operation) -> bool:
        """Return True if a minimal request to ``operation`` names an object."""
        baseline = self._arguments.build_baseline(operation)
        return any(name in baseline for name in self._contract.get_roles(operation.id))

    def plan_faults(self) -> Iterator[Probe]:
        """Plan statuses that only a scripted fault can provoke: server errors, and those that the contract names."""
        for operation in self._contract.operations.values():
            specs = [(status, str(status), spec) for status, spec in operation.responses.items()
                       if self._contract.is_unprovoked(operation, status)]  # fmt: skip
            if operation.default_response is not None:
                specs.append(
                    (
                        next(s for s in (500, 503, 507, 599) if s not in operation.responses),
                        "default",
                        operation.default_response,
                    )
                )
            for status, key, spec in specs:
                schema = next(iter(spec.media.values()), None)
                fault = {
                    "operation": operation.id,
                    "status": status,
                    "body": build_sample(schema, with_optional=True) if schema else None,
                }
                yield Probe(f"faults/{operation.id}/{key}", "faults", operation.id,
                            f"{operation.name} answers {status} as documented.", (f"{operation.id}/response/{key}",),
                            (ProbeStep.from_arguments(operation, self._arguments.build_baseline(operation)),), fault=fault,
                            mock_only_reason=f"only a scripted fault of the mock can provoke {status}",
                            equivalence_key=json.dumps([key, schema.schema if schema else None], sort_keys=True))  # fmt: skip


_ANNOTATION_KEYWORDS = ("description", "title", "example", "examples", "default")
"""Keywords that constrain nothing."""


def _build_equivalence_key(name: str, prop: Mapping[str, Any], variant: Variant, word: str = "") -> str:
    """Build the key that equivalent rejections share: argument name, constraints, and ``word`` or the violated keyword."""
    constraints = {keyword: value for keyword, value in prop.items() if keyword not in _ANNOTATION_KEYWORDS}
    return json.dumps([name, constraints, word or variant.keyword, variant.pointer], sort_keys=True)


def _build_short_id(value: Any) -> str:
    """Build a short, stable word for a value, to distinguish the probes of one clause."""
    text = value[-1] if isinstance(value, list) and value else str(value)
    return "".join(letter if letter.isalnum() else f"%{ord(letter):02x}" for letter in str(text))[:24]
