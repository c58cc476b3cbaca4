"""The changes between two generations of a client, symbol by symbol, and the code that each breaks.

Code that uses a client creates the classes of requests and reads those of responses
(`contract_watch.diff.client.class_uses`), and a type checker examines both. A type that code sets may become wider and
never narrower; a type that code reads may become narrower and never wider: a change of ``X`` to ``X | Unset`` breaks code
that reads it and no code that sets it. A class that takes its fields by position breaks with a new order: an argument
sets another field. The generated models take them by keyword alone, so that their order means nothing.

A new member of an enumeration breaks code that reads the enumeration alone. The generated models read ``Status | str``: a
value without a member stays what it is, and code that handles one need not change.

griffe judges parameters. It ignores types, the arguments of attrs classes, enumerations, and compatible changes: these
are judged here.
"""

from collections.abc import Iterator, Mapping
from typing import TypeVar

import griffe

from contract_watch.diff.client.api import ClientApi, ClientAttribute, ClientClass, ClientFunction
from contract_watch.diff.client.class_uses import SET_AND_READ, ClassUse, find_class_uses, find_closed_enums
from contract_watch.diff.client.symbol_changes import SymbolChange, SymbolChangeKind
from contract_watch.diff.client.types import ClientType, TypeRelation, relate_types

_PARAMETER_BREAKAGES = {
    griffe.BreakageKind.PARAMETER_REMOVED: (SymbolChangeKind.PARAMETER_REMOVED, "calls that pass it raise a TypeError"),
    griffe.BreakageKind.PARAMETER_ADDED_REQUIRED: (
        SymbolChangeKind.PARAMETER_ADDED_REQUIRED,
        "calls without it raise a TypeError",
    ),
    griffe.BreakageKind.PARAMETER_CHANGED_REQUIRED: (
        SymbolChangeKind.PARAMETER_REQUIRED,
        "calls without it raise a TypeError",
    ),
    griffe.BreakageKind.PARAMETER_MOVED: (
        SymbolChangeKind.PARAMETER_MOVED,
        "calls that pass it by position pass another parameter",
    ),
    griffe.BreakageKind.PARAMETER_CHANGED_KIND: (
        SymbolChangeKind.PARAMETER_KIND,
        "calls that pass it the old way raise a TypeError",
    ),
    griffe.BreakageKind.PARAMETER_CHANGED_DEFAULT: (
        SymbolChangeKind.PARAMETER_DEFAULT,
        "calls without it send another value",
    ),
}
_Item = TypeVar("_Item")


def compare_apis(base: ClientApi, revision: ClientApi) -> tuple[SymbolChange, ...]:
    """Every change from ``base`` to ``revision``, in the order of the symbols' names."""
    known = find_class_uses(base)
    closed = find_closed_enums(base, known)
    bases = {**revision.bases, **base.bases}
    found = {*_compare_names(base, revision), *_compare_parameters(base, revision)}
    for name, was, now in _iterate_common(base.functions, revision.functions):
        found |= set(_compare_functions(name, was, now, SET_AND_READ, bases))
    for name, before, after in _iterate_common(base.classes, revision.classes):
        found |= set(_compare_classes(name, before, after, known[name], bases, is_closed=name in closed))
    return tuple(sorted(found, key=lambda change: (change.symbol, change.kind.value)))


def _iterate_common(base: Mapping[str, _Item], revision: Mapping[str, _Item]) -> Iterator[tuple[str, _Item, _Item]]:
    """Yield the items of both, by name."""
    return ((name, base[name], revision[name]) for name in base if name in revision)


def _compare_names(base: ClientApi, revision: ClientApi) -> Iterator[SymbolChange]:
    """Yield the names that were removed and added."""
    was, now = _list_names(base), _list_names(revision)
    for name in _select_outermost(was - now, base.modules):
        yield SymbolChange(name, SymbolChangeKind.REMOVED, is_breaking=True, consequence="code that names it will fail")
    for name in _select_outermost(now - was, revision.modules):
        yield SymbolChange(name, SymbolChangeKind.ADDED, is_breaking=False, consequence="no code uses it yet")


def _list_names(api: ClientApi) -> frozenset[str]:
    """Return the names of modules, functions, classes, their methods, and values."""
    methods = {f"{name}.{own}" for name, one in api.classes.items() for own in one.methods}
    return frozenset({*api.modules, *api.functions, *api.classes, *methods, *api.values})


def _select_outermost(names: frozenset[str], modules: frozenset[str]) -> Iterator[str]:
    """Yield the outermost of ``names``: modules but not their packages, and nothing inside a yielded name."""
    packages = {_get_owner(module) for module in modules}
    for name in names - packages:
        if name in modules or _get_owner(name) not in names:
            yield name


def _get_owner(name: str) -> str:
    return name.rpartition(".")[0]


def _compare_parameters(base: ClientApi, revision: ClientApi) -> Iterator[SymbolChange]:
    """Yield griffe's breaking changes of the parameters of functions in both.

    The door's methods are left out: each is an operation's function with keyword arguments, whose changes are reported
    for the function and for the classes of its body.
    """
    names = _list_names(base)
    for breakage in griffe.find_breaking_changes(base.griffe_module, revision.griffe_module):
        owner, _, own = breakage.obj.path.rpartition(".")
        function = f"{revision.public_names.get(owner, owner)}.{own}"
        if breakage.kind in _PARAMETER_BREAKAGES and function in names:
            kind, why = _PARAMETER_BREAKAGES[breakage.kind]
            symbol = f"{function}({(breakage.old_value or breakage.new_value).name})"
            default = kind is SymbolChangeKind.PARAMETER_DEFAULT
            values = (str(breakage.old_value.default), str(breakage.new_value.default)) if default else ("", "")
            yield SymbolChange(symbol, kind, True, why, *values)


def _compare_functions(
    name: str, was: ClientFunction, now: ClientFunction, use: ClassUse, bases: Mapping[str, str]
) -> Iterator[SymbolChange]:
    """Yield changes of types and compatible changes; ``use`` selects parameters, return types, or both."""
    before = {parameter.name: parameter for parameter in was.parameters}
    for parameter in now.parameters:
        symbol = f"{name}({parameter.name})"
        old = before.get(parameter.name)
        if old is None:
            if parameter.default is not None:
                yield SymbolChange(
                    symbol, SymbolChangeKind.PARAMETER_ADDED, is_breaking=False, consequence="calls may omit it"
                )
            continue
        if old.default is None and parameter.default is not None:
            yield SymbolChange(
                symbol, SymbolChangeKind.PARAMETER_OPTIONAL, is_breaking=False, consequence="calls may omit it"
            )
        flips = (old.default is None) != (parameter.default is None)
        yield from _compare_types(
            symbol,
            SymbolChangeKind.PARAMETER_TYPE,
            old.type,
            parameter.type,
            use & ClassUse.SET,
            bases,
            changes_requiredness=flips,
        )
    yield from _compare_types(name, SymbolChangeKind.RETURN_TYPE, was.returns, now.returns, use & ClassUse.READ, bases)


def _compare_types(
    symbol: str,
    kind: SymbolChangeKind,
    was: ClientType | None,
    now: ClientType | None,
    use: ClassUse,
    bases: Mapping[str, str],
    *,
    changes_requiredness: bool = False,
) -> Iterator[SymbolChange]:
    """Yield the change of a type, without a change between required and optional, which callers report themselves."""
    if was is None or now is None:
        return
    if changes_requiredness:
        was, now = was.without_unset, now.without_unset
    found = relate_types(was, now, bases)
    if found is TypeRelation.SAME:
        return
    reasons = []
    if ClassUse.SET in use and found is not TypeRelation.WIDER:
        reasons.append("code that sets old values will be rejected by a type checker and by the server")
    if ClassUse.READ in use and found is not TypeRelation.NARROWER:
        reasons.append("code that reads it will get values it does not expect")
    harmless = "its values are still of the old type" if found is TypeRelation.NARROWER else "it accepts all old values"
    if found is TypeRelation.OTHER:
        harmless = "no code reads or sets it"
    yield SymbolChange(symbol, kind, bool(reasons), " and ".join(reasons) or harmless, was.text, now.text)


def _compare_classes(
    name: str, was: ClientClass, now: ClientClass, use: ClassUse, bases: Mapping[str, str], *, is_closed: bool
) -> Iterator[SymbolChange]:
    if (was.enum_members is None) != (now.enum_members is None):
        yield SymbolChange(
            name,
            SymbolChangeKind.REPLACED,
            is_breaking=True,
            consequence="code that uses it will fail: an enumeration and a class have nothing in common",
        )
        return
    if was.bases != now.bases:
        lost = not set(was.bases) <= set(now.bases)
        why = "code that uses it as its old base class will fail" if lost else "it keeps its old base classes"
        yield SymbolChange(name, SymbolChangeKind.BASE, lost, why, ", ".join(was.bases), ", ".join(now.bases))
    yield from _compare_enum_members(name, was.enum_members or {}, now.enum_members or {}, is_closed=is_closed)
    changes = list(_compare_attribute_sets(name, was.attributes, now.attributes, use, bases))
    yield from changes
    if ClassUse.SET in use and not was.is_keyword_only and not any(change.is_breaking for change in changes):
        if now.is_keyword_only:
            why = "code that passes values by position raises a TypeError; pass them by keyword"
            yield SymbolChange(name, SymbolChangeKind.ORDER, is_breaking=True, consequence=why)
        elif _has_new_order(was, now):
            why = "code that passes values by position sets other attributes; pass them by keyword"
            yield SymbolChange(name, SymbolChangeKind.ORDER, is_breaking=True, consequence=why)
    for own, before, after in _iterate_common(was.methods, now.methods):
        yield from _compare_functions(f"{name}.{own}", before, after, use, bases)


def _compare_enum_members(
    name: str, was: Mapping[str, str], now: Mapping[str, str], *, is_closed: bool
) -> Iterator[SymbolChange]:
    for own, value in was.items():
        symbol = f"{name}.{own}"
        if own not in now:
            yield SymbolChange(
                symbol,
                SymbolChangeKind.MEMBER_REMOVED,
                is_breaking=True,
                consequence="code that names it raises an AttributeError",
            )
        elif value != now[own]:
            why = "code that compares or sends the old value will fail"
            yield SymbolChange(
                symbol, SymbolChangeKind.MEMBER_VALUE, is_breaking=True, consequence=why, before=value, after=now[own]
            )
    for own in now.keys() - was.keys():
        why = "code that handles each member has no case for it" if is_closed else "no code has to send or expect it"
        yield SymbolChange(f"{name}.{own}", SymbolChangeKind.MEMBER_ADDED, is_breaking=is_closed, consequence=why)


def _compare_attribute_sets(
    name: str,
    was: Mapping[str, ClientAttribute],
    now: Mapping[str, ClientAttribute],
    use: ClassUse,
    bases: Mapping[str, str],
) -> Iterator[SymbolChange]:
    for own, old in was.items():
        symbol = f"{name}.{own}"
        if own in now:
            yield from _compare_attributes(symbol, old, now[own], use, bases)
        else:
            ways = [
                way
                for needed, way in ((ClassUse.SET, "creates the class with it"), (ClassUse.READ, "reads it"))
                if needed in use
            ]
            why = f"code that {' or '.join(ways)} raises an error"
            yield SymbolChange(symbol, SymbolChangeKind.ATTRIBUTE_REMOVED, is_breaking=True, consequence=why)
    for own in now.keys() - was.keys():
        if not now[own].is_required:
            yield SymbolChange(
                f"{name}.{own}",
                SymbolChangeKind.ATTRIBUTE_ADDED,
                is_breaking=False,
                consequence="code may ignore it",
            )
        else:
            sets = ClassUse.SET in use
            why = (
                "code that creates the class without it will fail"
                if sets
                else "only the client creates the class, and it sets the attribute"
            )
            yield SymbolChange(
                f"{name}.{own}", SymbolChangeKind.ATTRIBUTE_ADDED_REQUIRED, is_breaking=sets, consequence=why
            )


def _compare_attributes(
    symbol: str, was: ClientAttribute, now: ClientAttribute, use: ClassUse, bases: Mapping[str, str]
) -> Iterator[SymbolChange]:
    flips = was.is_init_argument and now.is_init_argument and was.is_required != now.is_required
    texts = (was.type.text if was.type else "", now.type.text if now.type else "")
    if flips and now.is_required:
        sets = ClassUse.SET in use
        why = "code that creates the class without it will fail" if sets else "it is always set"
        yield SymbolChange(symbol, SymbolChangeKind.ATTRIBUTE_REQUIRED, sets, why, *texts)
    elif flips:
        reads = ClassUse.READ in use and now.type is not None and now.type.may_be_unset
        why = "code that reads it may get Unset" if reads else "code may omit it"
        yield SymbolChange(symbol, SymbolChangeKind.ATTRIBUTE_OPTIONAL, reads, why, *texts)
    elif was.default != now.default and was.is_init_argument and now.is_init_argument:
        sets = ClassUse.SET in use
        why = (
            "code that omits it sends another value"
            if sets
            else "only the client creates the class, and it sets the attribute"
        )
        yield SymbolChange(symbol, SymbolChangeKind.ATTRIBUTE_DEFAULT, sets, why, was.default or "", now.default or "")
    yield from _compare_types(
        symbol, SymbolChangeKind.ATTRIBUTE_TYPE, was.type, now.type, use, bases, changes_requiredness=flips
    )


def _has_new_order(was: ClientClass, now: ClientClass) -> bool:
    """Return True if a value passed by position would set another attribute."""
    after = [name for name, one in now.attributes.items() if one.is_init_argument]
    before = [name for name, one in was.attributes.items() if one.is_init_argument and name in after]
    return after[: len(before)] != before
