"""The use of a client's classes: code sets them in a request, reads them in a response, or both.

The signatures decide: code sets the classes of parameters and every class reachable from them, and reads the classes of
return types and every class reachable from them. A class that no signature reaches counts as set and read.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import Flag, auto

from contract_watch.diff.client.api import ClientApi, ClientClass
from contract_watch.diff.client.types import ClientType


class ClassUse(Flag):
    """The use of a class."""

    SET = auto()
    READ = auto()


SET_AND_READ = ClassUse.SET | ClassUse.READ


def find_class_uses(api: ClientApi) -> dict[str, ClassUse]:
    """Return the use of each class of ``api``, by public name."""
    functions = [function for name, function in api.functions.items() if name.startswith(f"{api.package}.api.")]
    set_names = _find_reachable_classes(api.classes, (p.type for function in functions for p in function.parameters))
    read_names = _find_reachable_classes(api.classes, (function.returns for function in functions))
    uses = {}
    for name in api.classes:
        use = (ClassUse.SET if name in set_names else ClassUse(0)) | (
            ClassUse.READ if name in read_names else ClassUse(0)
        )
        uses[name] = use or SET_AND_READ
    return uses


def _find_reachable_classes(classes: Mapping[str, ClientClass], types: Iterable[ClientType | None]) -> set[str]:
    """Return every class that ``types`` name, and those of their attributes, transitively."""
    pending = [one for one in types if one is not None]
    found: set[str] = set()
    while pending:
        for name in pending.pop().class_names:
            if name in classes and name not in found:
                found.add(name)
                pending.extend(one.type for one in classes[name].attributes.values() if one.type is not None)
    return found


def find_closed_enums(api: ClientApi, uses: Mapping[str, ClassUse]) -> set[str]:
    """Return the enumerations that code reads in a type without their plain values: ``Status``, not ``Status | str``."""
    types = [function.returns for name, function in api.functions.items() if name.startswith(f"{api.package}.api.")]
    for name, one in api.classes.items():
        if ClassUse.READ in uses[name]:
            types += [attribute.type for attribute in one.attributes.values()]
    return {name for one in types if one is not None for name in _iterate_closed_names(one)}


def _iterate_closed_names(found: ClientType) -> Iterator[str]:
    names = {alternative.name for alternative in found.alternatives}
    for alternative in found.alternatives:
        if not names & {"str", "int"}:
            yield alternative.name
        for inner in alternative.arguments:
            yield from _iterate_closed_names(inner)
