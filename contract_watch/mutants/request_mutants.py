"""Drifts of what requests may say: each constraint a step tighter and a step looser, types, names, crashes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from contract_watch.contracts.openapi import Operation, split_arguments
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody
from contract_watch.contracts.schema import Schema, resolve_reference
from contract_watch.engine.planning.arguments import Bodies, listed_elsewhere
from contract_watch.engine.planning.values import sample
from contract_watch.mutants import regex_edits
from contract_watch.mutants.coercions import COERCIONS
from contract_watch.mutants.mutant import Asked, Mutant, Play
from contract_watch.mutants.mutated_vendor import Actor
from contract_watch.mutants.response_mutants import other_name

Test = Callable[[Any], bool]


class Tighter(Play):
    """Requests to one operation that ``refused`` picks are refused where the honest vendor grants them.

    Or, with ``sought``, where it has looked for what they name: 404.
    """

    def __init__(self, operation: str, refused: Test, status: int = 400, *, sought: bool = False) -> None:
        self._operation, self._refused, self._status, self._sought = operation, refused, status, sought

    def answer(self, actor: Actor, asked: Asked) -> tuple[int, Any]:
        """See `Play.answer`."""
        outcome = actor.outcome(asked)
        mine = asked.operation.id == self._operation and _has_arguments(asked)
        valid = outcome.status < 300 or (self._sought and outcome.status == 404)
        if mine and valid and self._refused(asked.arguments):
            self.touched += 1
            return actor.refuse(asked.operation, self._status)
        return actor.apply_outcome(outcome)


class Looser(Play):
    """Requests to one operation that ``taken`` picks are not held to one clause."""

    def __init__(self, operation: str, clause: str, taken: Test) -> None:
        self._operation, self._clause, self._taken = operation, clause, taken

    def answer(self, actor: Actor, asked: Asked) -> tuple[int, Any]:
        """See `Play.answer`."""
        honest = actor.outcome(asked)
        mine = asked.operation.id == self._operation and _has_arguments(asked)
        if mine and honest.status >= 400 and self._taken(asked.arguments):
            outcome = actor.excused(asked, {self._clause})
            if outcome is not None:
                self.touched += outcome.status != honest.status
                return actor.apply_outcome(outcome)
        return actor.apply_outcome(honest)


class Otherwise(Play):
    """Requests to one operation are taken as if they had other arguments, or another body, where ``change`` gives one.

    With ``whatever`` it is granted even where the other body is no valid one either.
    """

    def __init__(self, operation: str, change: Callable[[Actor, Any], Any], *, whatever: bool = False) -> None:
        self._operation, self._change, self._whatever = operation, change, whatever

    def answer(self, actor: Actor, asked: Asked) -> tuple[int, Any]:
        """See `Play.answer`."""
        before = asked.arguments if _has_arguments(asked) else asked.body
        after = self._change(actor, before) if asked.operation.id == self._operation else before
        if after is before or actor.account(asked) is None:
            return super().answer(actor, asked)
        self.touched += 1
        parameters, body = split_arguments(after)
        other = replace(asked, body=body, parameters={**asked.parameters, **parameters})
        granted = actor.done(other, whatever=True) if self._whatever else None
        return actor.apply_outcome(granted or actor.outcome(other))


def requests(contract: Contract) -> Iterator[Mutant]:
    """Every constraint of every property of every body, and the body itself."""
    for operation in contract.operations.values():
        if operation.body is not None:
            yield from _bodies(operation, Bodies(contract).optional(operation))
        required = operation.get_required_arguments()
        for name, prop in operation.get_arguments().items():
            yield from _Property(contract, operation, name, prop, required=name in required).mutants()


def _has_arguments(asked: Asked) -> bool:
    return isinstance(asked.body, dict) or (bool(asked.parameters) and asked.body is MissingBody.ABSENT)


def _bodies(operation: Operation, optional: Sequence[str]) -> Iterator[Mutant]:
    head = f"requests/{operation.id}/body"

    def unwrapped(_actor: Actor, body: Any) -> Any:
        return body[0] if isinstance(body, list) and body else body

    says = f"{operation.name} takes an array for the object in it."
    yield Mutant(f"{head}/array", operation.id, "", says, partial(Otherwise, operation.id, unwrapped))
    if operation.body_required and operation.body is not None:
        whole = operation.body

        def made_up(actor: Actor, body: Any) -> Any:
            if body is MissingBody.ABSENT:
                return _filled(actor, operation, sample(whole))
            if body and isinstance(body, dict) and all(name.startswith("{") for name in body):
                return {**sample(whole), **body}  # the arguments that stand in the path are all there is
            return body

        says = f"{operation.name} takes no body at all."
        play = partial(Otherwise, operation.id, made_up, whatever=True)
        yield Mutant(f"{head}/absent", operation.id, "", says, play)

    if not optional:
        return

    def nulls_left_out(_actor: Actor, body: Any) -> Any:
        if not isinstance(body, dict) or None not in body.values():
            return body
        return {name: value for name, value in body.items() if value is not None}

    says = f"{operation.name} takes null for what is absent."
    yield Mutant(f"{head}/nulls", operation.id, "", says, partial(Otherwise, operation.id, nulls_left_out))


def _filled(actor: Actor, operation: Operation, body: Any) -> Any:
    """``body`` naming an object that is there, or a new one."""
    for name, role in actor.roles(operation).items():
        if name in body:
            there = actor.owned()
            body = {**body, name: there[0] if role == "existing" and there else f"made-up-{len(there)}"}
    return body


class _Property:
    """The drifts of one property of a body."""

    def __init__(
        self, contract: Contract, operation: Operation, name: str, schema: Mapping[str, Any], *, required: bool
    ) -> None:
        self._contract, self._operation, self._name = contract, operation, name
        self._schema, self._required = schema, required

    def mutants(self) -> Iterator[Mutant]:
        if self._name.startswith("{"):  # a path holds a text, always
            yield from self._bounds(self._schema, "", lambda value: [value])
            return
        yield from self._presence()
        yield from self._bounds(self._schema, "", lambda value: [value])
        yield from self._types()
        yield from self._values()
        items = resolve_reference(self._contract.effective.raw, self._schema.get("items", {}))
        if items:
            yield from self._bounds(items, "/*", lambda value: value if isinstance(value, list) else [])

    def _mutant(self, what: str, says: str, play: Callable[[], Play]) -> Mutant:
        operation = self._operation
        words = f"{operation.name}, {self._name}: {says}."
        return Mutant(f"requests/{operation.id}/{self._name}/{what}", operation.id, self._name, words, play)

    def _tighter(self, what: str, says: str, refused: Test, pointer: str = "", status: int = 400) -> Mutant:
        name = self._name

        def picked(body: dict[str, Any]) -> bool:
            return name in body and refused(body[name])

        play = partial(Tighter, self._operation.id, picked, status, sought=name.startswith("{"))
        return self._mutant(f"{what}{pointer.replace('/*', '/items')}", says, play)

    def _looser(self, what: str, says: str, keyword: str, taken: Test, pointer: str = "") -> Mutant:
        name, operation = self._name, self._operation.id

        def picked(body: dict[str, Any]) -> bool:
            return name in body and taken(body[name])

        play = partial(Looser, operation, f"{operation}/request/{name}{pointer}/{keyword}", picked)
        return self._mutant(f"{what}{pointer.replace('/*', '/items')}", says, play)

    # -- there or not, and under which name

    def _presence(self) -> Iterator[Mutant]:
        name, operation = self._name, self._operation

        def stand_in(actor: Actor, body: Any) -> Any:
            if not isinstance(body, dict) or name in body:
                return body
            value = sample(Schema(self._contract.effective.raw, self._schema))
            return _filled(actor, operation, {**body, name: value})

        def under_another_name(_actor: Actor, body: Any) -> Any:
            if not isinstance(body, dict) or not {name, other_name(name)} & set(body):
                return body
            rest = {key: value for key, value in body.items() if key not in (name, other_name(name))}
            return {**rest, name: body[other_name(name)]} if other_name(name) in body else rest

        if self._required:
            play = partial(Otherwise, operation.id, stand_in)
            yield self._mutant("optional", "need not be there", play)
        elif self._contract.get_roles(operation.id).get(name) != "foreign":
            refused = partial(Tighter, operation.id, lambda body: name not in body)
            yield self._mutant("required", "has to be there", refused)
            yield self._tighter("refused", "may not be there", lambda _value: True)
        renamed_play = partial(Otherwise, operation.id, under_another_name)
        yield self._mutant("renamed", f"is read under the name {other_name(name)}", renamed_play)

    # -- bounds

    def _bounds(
        self, schema: Mapping[str, Any], pointer: str, each: Callable[[Any], list[Any]]
    ) -> Iterator[Mutant]:  # fmt: skip
        """Every bound of the property, or of its items (``each`` gives the values that the bound is about)."""
        for keyword, size, step in (
            ("minLength", len, 1), ("maxLength", len, -1), ("minItems", len, 1), ("maxItems", len, -1),
            ("minimum", lambda value: value, 1), ("maximum", lambda value: value, -1),
        ):  # fmt: skip
            if keyword not in schema:
                continue
            bound, kind = schema[keyword], _KIND[keyword]
            at, beyond = partial(_at, kind, size, bound, each), partial(_at, kind, size, bound - step, each)
            yield self._tighter(f"{keyword}-tighter", f"{keyword} is {bound + step}", at, pointer)
            yield self._looser(f"{keyword}-looser", f"{keyword} is {bound - step}", keyword, beyond, pointer)
            yield self._tighter(f"{keyword}-crash", f"{bound}, its {keyword}, is answered 500", at, pointer, 500)
        if "pattern" in schema:
            yield from self._patterns(schema, pointer, each)

    def _patterns(
        self, schema: Mapping[str, Any], pointer: str, each: Callable[[Any], list[Any]]
    ) -> Iterator[Mutant]:  # fmt: skip
        document = self._contract.effective.raw
        ours = Schema(document, schema)
        theirs = self._published(pointer)
        edits = [("tighter", *edit) for edit in regex_edits.tighter(schema["pattern"])]
        edits += [("looser", *edit) for edit in regex_edits.looser(schema["pattern"])]
        for way, word, pattern in edits:
            if pattern == schema["pattern"]:
                continue
            try:
                other = Schema(document, {**schema, "pattern": pattern})
            except ValueError:
                continue  # not an expression any more
            refused = partial(_any, each, partial(_parted, ours, [other]))
            taken = partial(_any, each, partial(_parted, other, [ours, theirs]))
            if way == "tighter":
                yield self._tighter(f"pattern-tighter-{word}", f"the pattern is {pattern}", refused, pointer)
            else:
                yield self._looser(f"pattern-looser-{word}", f"the pattern is {pattern}", "pattern", taken, pointer)

    def _published(self, pointer: str) -> Schema:
        """The published schema of the property or its items: what it takes, a vendor may take."""
        document = self._contract.published.raw
        theirs = self._contract.published.find_operation(self._operation.path, self._operation.method)
        prop = theirs.get_arguments().get(self._name, {}) if theirs is not None else {}
        return Schema(document, prop.get("items", {}) if pointer else prop)

    # -- types

    def _types(self) -> Iterator[Mutant]:
        schema = self._schema
        kind = schema.get("type")
        items = resolve_reference(self._contract.effective.raw, schema.get("items", {}))
        coercions = COERCIONS.get("enum" if "enum" in schema else str(kind), {})
        for word, coerce in coercions.items():
            yield self._coerced(f"coerced-{word}", f"a {word} is taken for what it says", coerce)
        for word, coerce in COERCIONS.get(str(items.get("type")), {}).items():

            def each(value: Any, coerce: Callable[[Any], Any] = coerce) -> Any:
                return [coerce(item) for item in value] if isinstance(value, list) else value

            says = f"a {word} in it is taken for what it says"
            yield self._coerced(f"coerced-{word}/items", says, each, whatever=True)
        if kind == "number":
            yield self._tighter("integer", "has to be whole", lambda value: isinstance(value, float) and value % 1 != 0)

    def _coerced(self, what: str, says: str, coerce: Callable[[Any], Any], *, whatever: bool = False) -> Mutant:
        name = self._name

        def change(_actor: Actor, body: Any) -> Any:
            if not isinstance(body, dict) or name not in body:
                return body
            value = coerce(body[name])
            return body if _like(value, body[name]) else {**body, name: value}

        return self._mutant(what, says, partial(Otherwise, self._operation.id, change, whatever=whatever))

    # -- values

    def _values(self) -> Iterator[Mutant]:
        schema = self._schema
        for value in schema.get("enum", [True, False] if schema.get("type") == "boolean" else []):
            word = str(value).lower()
            yield self._tighter(f"refused-{word}", f"{word} is refused", partial(_like, value))
            yield self._tighter(f"crash-{word}", f"{word} is answered 500", partial(_like, value), status=500)
        if "enum" in schema:

            def named_alike(value: Any) -> bool:
                return isinstance(value, str) and value.lower() in schema["enum"]

            yield self._looser("enum-any", "any text is taken", "enum", lambda value: isinstance(value, str))
            yield self._looser("enum-any-case", "case is ignored", "enum", named_alike)
            for value in listed_elsewhere(self._contract.effective.raw, self._name):
                if value not in schema["enum"]:
                    yield self._looser(f"enum-added-{value}", f"{value} is taken", "enum", partial(_like, value))
        if schema.get("type") == "array":
            yield self._tighter("crash-empty", "[] is answered 500", lambda value: value == [], status=500)
        if schema.get("type") in ("number", "integer") and "minimum" not in schema:
            yield self._tighter("crash-zero", "0 is answered 500", lambda value: _like(0, value), status=500)


_KIND = {"minLength": str, "maxLength": str, "minItems": list, "maxItems": list, "minimum": (int, float),
         "maximum": (int, float)}  # fmt: skip


def _at(kind: Any, size: Callable[[Any], Any], bound: Any, each: Callable[[Any], list[Any]], value: Any) -> bool:
    """Whether some value is exactly on ``bound``."""
    return any(isinstance(v, kind) and not isinstance(v, bool) and size(v) == bound for v in each(value))


def _any(each: Callable[[Any], list[Any]], test: Callable[[str], bool], value: Any) -> bool:
    return any(isinstance(text, str) and test(text) for text in each(value))


def _parted(taking: Schema, refusing: Sequence[Schema], text: str) -> bool:
    """Whether one schema takes the text and the others do not."""
    return taking.accepts(text) and not any(schema.accepts(text) for schema in refusing)


def _like(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
