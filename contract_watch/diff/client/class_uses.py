"""What users do with a client's classes: make them for a request, read them in an answer, or both.

It follows from the functions alone: what one takes, and all that can be put into it, is made; what one gives back, and
all that it holds, is read. Of a class that no function mentions nothing is known, so both is assumed.
"""

from collections.abc import Iterable, Mapping
from enum import Flag, auto

from contract_watch.diff.client.api import ClientApi, ClientClass
from contract_watch.diff.client.types import ClientType


class ClassUse(Flag):
    """What users do with a class."""

    SET = auto()
    READ = auto()


SET_AND_READ = ClassUse.SET | ClassUse.READ


def find_class_uses(api: ClientApi) -> dict[str, ClassUse]:
    """How users of ``api`` use each of its classes."""
    functions = [function for name, function in api.functions.items() if name.startswith(f"{api.package}.api.")]
    made = _find_reachable_classes(api.classes, (p.type for function in functions for p in function.parameters))
    read = _find_reachable_classes(api.classes, (function.returns for function in functions))
    found = {}
    for name in api.classes:
        use = (ClassUse.SET if name in made else ClassUse(0)) | (ClassUse.READ if name in read else ClassUse(0))
        found[name] = use or SET_AND_READ
    return found


def _find_reachable_classes(classes: Mapping[str, ClientClass], types: Iterable[ClientType | None]) -> set[str]:
    """Every class that ``types`` name, and those that are attributes of these."""
    open_types = [one for one in types if one is not None]
    found: set[str] = set()
    while open_types:
        for name in open_types.pop().class_names:
            if name in classes and name not in found:
                found.add(name)
                open_types.extend(one.type for one in classes[name].attributes.values() if one.type is not None)
    return found
