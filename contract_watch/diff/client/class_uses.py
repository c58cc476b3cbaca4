"""What users do with a client's classes: make them for a request, read them in an answer, or both.

It follows from the functions alone: what one takes, and all that can be put into it, is made; what one gives back, and
all that it holds, is read. Of a class that no function mentions nothing is known, so both is assumed.
"""

from collections.abc import Iterable, Mapping
from enum import Flag, auto

from contract_watch.diff.client.api import Api, Class
from contract_watch.diff.client.types import Type


class Use(Flag):
    """What users do with a class."""

    SET = auto()
    READ = auto()


BOTH = Use.SET | Use.READ


def uses(api: Api) -> dict[str, Use]:
    """How users of ``api`` use each of its classes."""
    functions = [function for name, function in api.functions.items() if name.startswith(f"{api.package}.api.")]
    made = _reached(api.classes, (p.type for function in functions for p in function.parameters))
    read = _reached(api.classes, (function.returns for function in functions))
    found = {}
    for name in api.classes:
        use = (Use.SET if name in made else Use(0)) | (Use.READ if name in read else Use(0))
        found[name] = use or BOTH
    return found


def _reached(classes: Mapping[str, Class], types: Iterable[Type | None]) -> set[str]:
    """Every class that ``types`` name, and those that are attributes of these."""
    open_types = [one for one in types if one is not None]
    found: set[str] = set()
    while open_types:
        for name in open_types.pop().names:
            if name in classes and name not in found:
                found.add(name)
                open_types.extend(one.type for one in classes[name].attributes.values() if one.type is not None)
    return found
