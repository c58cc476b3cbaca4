"""What has changed between two generations of a client, symbol by symbol, and whether it breaks who uses it.

Who uses a client makes the classes of its requests and reads those of its answers (`contract_watch.diff.client.class_uses`), and has a type
checker look at both. So what is set may come to accept more and never less, what is read may come to say less and never
more: ``X`` that becomes ``X | Unset`` breaks its readers and nobody who sets it. Models are made by keyword; the order of
their attributes is the document's, which promises none.

What happens to parameters is griffe's judgement. It says nothing of types, of what attrs classes are made with and of
enumerations, and nothing of what breaks nobody: that is judged here.
"""

from collections.abc import Iterator, Mapping
from typing import TypeVar

import griffe

from contract_watch.diff.client.api import Api, Attribute, Class, Function
from contract_watch.diff.client.class_uses import BOTH, Use, uses
from contract_watch.diff.client.symbol_changes import Kind, SymbolChange
from contract_watch.diff.client.types import Relation, Type, relation

_PARAMETERS = {
    griffe.BreakageKind.PARAMETER_REMOVED: (Kind.PARAMETER_REMOVED, "calls that give it raise a TypeError"),
    griffe.BreakageKind.PARAMETER_ADDED_REQUIRED: (Kind.PARAMETER_ADDED_REQUIRED, "calls without it raise a TypeError"),
    griffe.BreakageKind.PARAMETER_CHANGED_REQUIRED: (Kind.PARAMETER_REQUIRED, "calls without it raise a TypeError"),
    griffe.BreakageKind.PARAMETER_MOVED: (Kind.PARAMETER_MOVED, "calls that give it by its place give another one"),
    griffe.BreakageKind.PARAMETER_CHANGED_KIND: (Kind.PARAMETER_KIND, "calls cannot give it as they did"),
    griffe.BreakageKind.PARAMETER_CHANGED_DEFAULT: (Kind.PARAMETER_DEFAULT, "calls without it send another value"),
}
_Any = TypeVar("_Any")


def compare_apis(base: Api, revision: Api) -> tuple[SymbolChange, ...]:
    """Every change from ``base`` to ``revision``, in the order of the symbols' names."""
    known = uses(base)
    bases = {**revision.bases, **base.bases}
    found = {*_names(base, revision), *_parameters(base, revision)}
    for name, was, now in _common(base.functions, revision.functions):
        found |= set(_function(name, was, now, BOTH, bases))
    for name, before, after in _common(base.classes, revision.classes):
        found |= set(_class(name, before, after, known[name], bases))
    return tuple(sorted(found, key=lambda change: (change.symbol, change.kind.value)))


def _common(base: Mapping[str, _Any], revision: Mapping[str, _Any]) -> Iterator[tuple[str, _Any, _Any]]:
    """What both have, by name."""
    return ((name, base[name], revision[name]) for name in base if name in revision)


def _names(base: Api, revision: Api) -> Iterator[SymbolChange]:
    """What can be named no more, or newly."""
    was, now = _nameable(base), _nameable(revision)
    for name in _outermost(was - now, base.modules):
        yield SymbolChange(name, Kind.REMOVED, breaking=True, why="who names it finds nothing there")
    for name in _outermost(now - was, revision.modules):
        yield SymbolChange(name, Kind.ADDED, breaking=False, why="nobody has used it yet")


def _nameable(api: Api) -> frozenset[str]:
    """Modules, functions, classes, their methods, and values."""
    methods = {f"{name}.{own}" for name, one in api.classes.items() for own in one.methods}
    return frozenset({*api.modules, *api.functions, *api.classes, *methods, *api.values})


def _outermost(names: frozenset[str], modules: frozenset[str]) -> Iterator[str]:
    """Those of ``names`` that tell of the others too: modules but not packages of them, and nothing that is in one."""
    packages = {_owner(module) for module in modules}
    for name in names - packages:
        if name in modules or _owner(name) not in names:
            yield name


def _owner(name: str) -> str:
    return name.rpartition(".")[0]


def _parameters(base: Api, revision: Api) -> Iterator[SymbolChange]:
    """What griffe says of the parameters of functions that both have."""
    for breakage in griffe.find_breaking_changes(base.loaded, revision.loaded):
        if breakage.kind in _PARAMETERS:
            kind, why = _PARAMETERS[breakage.kind]
            owner, _, own = breakage.obj.path.rpartition(".")
            symbol = f"{revision.public.get(owner, owner)}.{own}({(breakage.old_value or breakage.new_value).name})"
            default = kind is Kind.PARAMETER_DEFAULT
            values = (str(breakage.old_value.default), str(breakage.new_value.default)) if default else ("", "")
            yield SymbolChange(symbol, kind, True, why, *values)


def _function(name: str, was: Function, now: Function, use: Use, bases: Mapping[str, str]) -> Iterator[SymbolChange]:
    """Types, and what breaks nobody; ``use`` says whether what is given counts, what is got, or both."""
    before = {parameter.name: parameter for parameter in was.parameters}
    for parameter in now.parameters:
        symbol = f"{name}({parameter.name})"
        old = before.get(parameter.name)
        if old is None:
            if parameter.default is not None:
                yield SymbolChange(symbol, Kind.PARAMETER_ADDED, breaking=False, why="calls may do without it")
            continue
        if old.default is None and parameter.default is not None:
            yield SymbolChange(symbol, Kind.PARAMETER_OPTIONAL, breaking=False, why="calls may do without it")
        flips = (old.default is None) != (parameter.default is None)
        yield from _type(symbol, Kind.PARAMETER_TYPE, old.type, parameter.type, use & Use.SET, bases, flips=flips)
    yield from _type(name, Kind.RETURN_TYPE, was.returns, now.returns, use & Use.READ, bases)


def _type(
    symbol: str,
    kind: Kind,
    was: Type | None,
    now: Type | None,
    use: Use,
    bases: Mapping[str, str],
    *,
    flips: bool = False,
) -> Iterator[SymbolChange]:
    """How a type has changed; where it ``flips`` between required and optional that is told elsewhere."""
    if was is None or now is None:
        return
    if flips:
        was, now = was.when_set, now.when_set
    found = relation(was, now, bases)
    if found is Relation.SAME:
        return
    reasons = []
    if Use.SET in use and found is not Relation.WIDER:
        reasons.append("values that it took are refused by a type checker, and by the server")
    if Use.READ in use and found is not Relation.NARROWER:
        reasons.append("who reads it meets values that there were none of")
    nobody = "what it gives is of the old type" if found is Relation.NARROWER else "it takes all that it took"
    if found is Relation.OTHER:
        nobody = "nobody reads or sets it"
    yield SymbolChange(symbol, kind, bool(reasons), " and ".join(reasons) or nobody, was.text, now.text)


def _class(name: str, was: Class, now: Class, use: Use, bases: Mapping[str, str]) -> Iterator[SymbolChange]:
    if (was.members is None) != (now.members is None):
        yield SymbolChange(name, Kind.REPLACED, breaking=True, why="an enumeration and a class have nothing in common")
        return
    if was.bases != now.bases:
        lost = not set(was.bases) <= set(now.bases)
        why = "it cannot stand for what it could" if lost else "it is all that it was"
        yield SymbolChange(name, Kind.BASE, lost, why, ", ".join(was.bases), ", ".join(now.bases))
    yield from _members(name, was.members or {}, now.members or {}, use)
    changes = list(_attributes(name, was.attributes, now.attributes, use, bases))
    yield from changes
    if Use.SET in use and not any(change.breaking for change in changes) and _reordered(was, now):
        why = "models are made by keyword; who gives values by their place gives them to another attribute"
        yield SymbolChange(name, Kind.ORDER, breaking=False, why=why)
    for own, before, after in _common(was.methods, now.methods):
        yield from _function(f"{name}.{own}", before, after, use, bases)


def _members(name: str, was: Mapping[str, str], now: Mapping[str, str], use: Use) -> Iterator[SymbolChange]:
    for own, value in was.items():
        symbol = f"{name}.{own}"
        if own not in now:
            yield SymbolChange(symbol, Kind.MEMBER_REMOVED, breaking=True, why="who names it gets an AttributeError")
        elif value != now[own]:
            why = "it is another value than it was"
            yield SymbolChange(symbol, Kind.MEMBER_VALUE, breaking=True, why=why, before=value, after=now[own])
    for own in now.keys() - was.keys():
        reads = Use.READ in use
        why = "who has a case for each member has none for it" if reads else "nobody has to send it"
        yield SymbolChange(f"{name}.{own}", Kind.MEMBER_ADDED, breaking=reads, why=why)


def _attributes(
    name: str, was: Mapping[str, Attribute], now: Mapping[str, Attribute], use: Use, bases: Mapping[str, str]
) -> Iterator[SymbolChange]:
    for own, old in was.items():
        symbol = f"{name}.{own}"
        if own in now:
            yield from _attribute(symbol, old, now[own], use, bases)
        else:
            ways = [way for which, way in ((Use.SET, "make the class with it"), (Use.READ, "read it")) if which in use]
            why = f"programs that {' or '.join(ways)} raise an error"
            yield SymbolChange(symbol, Kind.ATTRIBUTE_REMOVED, breaking=True, why=why)
    for own in now.keys() - was.keys():
        if not now[own].required:
            yield SymbolChange(f"{name}.{own}", Kind.ATTRIBUTE_ADDED, breaking=False, why="programs may leave it alone")
        else:
            sets = Use.SET in use
            why = "programs make the class without it" if sets else "the client fills it; nobody else makes the class"
            yield SymbolChange(f"{name}.{own}", Kind.ATTRIBUTE_ADDED_REQUIRED, breaking=sets, why=why)


def _attribute(
    symbol: str, was: Attribute, now: Attribute, use: Use, bases: Mapping[str, str]
) -> Iterator[SymbolChange]:
    flips = was.given and now.given and was.required != now.required
    texts = (was.type.text if was.type else "", now.type.text if now.type else "")
    if flips and now.required:
        sets = Use.SET in use
        why = "programs make the class without it" if sets else "it is always there"
        yield SymbolChange(symbol, Kind.ATTRIBUTE_REQUIRED, sets, why, *texts)
    elif flips:
        reads = Use.READ in use and now.type is not None and now.type.may_be_unset
        why = "who reads it may meet Unset" if reads else "programs may do without it"
        yield SymbolChange(symbol, Kind.ATTRIBUTE_OPTIONAL, reads, why, *texts)
    elif was.default != now.default and was.given and now.given:
        sets = Use.SET in use
        why = "programs that leave it out send another value" if sets else "the client fills it in any case"
        yield SymbolChange(symbol, Kind.ATTRIBUTE_DEFAULT, sets, why, was.default or "", now.default or "")
    yield from _type(symbol, Kind.ATTRIBUTE_TYPE, was.type, now.type, use, bases, flips=flips)


def _reordered(was: Class, now: Class) -> bool:
    """Whether a value given by its place would reach another attribute."""
    after = [name for name, one in now.attributes.items() if one.given]
    before = [name for name, one in was.attributes.items() if one.given and name in after]
    return after[: len(before)] != before
