"""The types of a client's symbols as sets of alternatives, compared as wider and narrower.

``X | None`` has two alternatives, ``X`` one. A type is narrower than another if each of its alternatives is one of the
other's or a subtype of one: ``bool`` of ``int``, ``int`` of ``float``, an enumeration of strings of ``str``, everything of
``Any``. Arguments in brackets are compared one by one: ``list[int]`` is narrower than ``list[float]``. A type checker
treats lists as invariant; code that only reads or only fills a list is not affected by that.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

import griffe

ANYTHING = ("typing.Any", "object")
SUPERTYPES = {
    "bool": "int",
    "int": "float",
    "datetime.datetime": "datetime.date",
    "enum.StrEnum": "str",
    "enum.IntEnum": "int",
}
"""The direct supertype of a name."""
UNSET = "Unset"
_LITERAL_PREFIX = "Literal "


class TypeRelation(Enum):
    """The relation of a new type to the old one."""

    SAME = "the same"
    NARROWER = "narrower"
    WIDER = "wider"
    OTHER = "another"


@dataclass(frozen=True)
class Alternative:
    """One alternative: a full name and its type arguments. Each value of ``Literal`` is an alternative."""

    name: str
    arguments: tuple["ClientType", ...] = ()


@dataclass(frozen=True)
class ClientType:
    """A type: its alternatives, and its source as ``text``."""

    alternatives: frozenset[Alternative]
    text: str = field(default="", compare=False)

    @property
    def class_names(self) -> Iterator[str]:
        """Every full name in the type, including type arguments."""
        for alternative in self.alternatives:
            yield alternative.name
            for inner in alternative.arguments:
                yield from inner.class_names

    @property
    def may_be_unset(self) -> bool:
        """True if ``Unset``, the client's marker of an absent value, is an alternative."""
        return any(_is_unset(one) for one in self.alternatives)

    @property
    def without_unset(self) -> "ClientType":
        """The type without ``Unset``."""
        return ClientType(frozenset(one for one in self.alternatives if not _is_unset(one)), self.text)


def _is_unset(alternative: Alternative) -> bool:
    return alternative.name.rsplit(".", 1)[-1] == UNSET


def read_type(annotation: str | griffe.Expr | None, public: Mapping[str, str]) -> ClientType | None:
    """Parse ``annotation``; None without one. ``public`` maps full names of classes to public names."""
    if annotation is None:
        return None
    return ClientType(frozenset(_iterate_alternatives(annotation, public)), str(annotation))


def _iterate_alternatives(annotation: str | griffe.Expr, public: Mapping[str, str]) -> Iterator[Alternative]:
    if isinstance(annotation, griffe.ExprBinOp) and annotation.operator == "|":
        yield from _iterate_alternatives(annotation.left, public)
        yield from _iterate_alternatives(annotation.right, public)
    elif isinstance(annotation, griffe.ExprSubscript):
        inside = annotation.slice
        pieces = list(inside.elements) if isinstance(inside, griffe.ExprTuple) else [inside]
        name = _get_full_name(annotation.left, public)
        if name == "typing.Literal":
            yield from (Alternative(_LITERAL_PREFIX + str(piece)) for piece in pieces)
        else:
            yield Alternative(
                name, tuple(ClientType(frozenset(_iterate_alternatives(p, public)), str(p)) for p in pieces)
            )
    else:
        yield Alternative(_get_full_name(annotation, public))


def _get_full_name(annotation: str | griffe.Expr, public: Mapping[str, str]) -> str:
    full = annotation.canonical_path if isinstance(annotation, griffe.Expr) else annotation
    return public.get(full, full)


def relate_types(was: ClientType, is_now: ClientType, bases: Mapping[str, str]) -> TypeRelation:
    """Return the relation of ``is_now`` to ``was``; ``bases`` maps the package's own classes to their first base."""
    above = {**SUPERTYPES, **bases}
    narrower, wider = _is_subtype(is_now, was, above), _is_subtype(was, is_now, above)
    if narrower and wider:
        return TypeRelation.SAME
    return TypeRelation.NARROWER if narrower else TypeRelation.WIDER if wider else TypeRelation.OTHER


def _is_subtype(one: ClientType, other: ClientType, above: Mapping[str, str]) -> bool:
    """Return True if every value of ``one`` is a value of ``other``."""
    return all(
        any(_is_subalternative(mine, theirs, above) for theirs in other.alternatives) for mine in one.alternatives
    )


def _is_subalternative(one: Alternative, other: Alternative, above: Mapping[str, str]) -> bool:
    if other.name in ANYTHING:
        return True
    if one.name == other.name:
        if not one.arguments or not other.arguments:
            return not other.arguments  # a bare `list` holds anything
        pairs = zip(one.arguments, other.arguments, strict=False)
        return len(one.arguments) == len(other.arguments) and all(
            _is_subtype(mine, theirs, above) for mine, theirs in pairs
        )
    return any(name == other.name for name in _iterate_supertypes(one.name, above))


def _iterate_supertypes(name: str, above: Mapping[str, str]) -> Iterator[str]:
    """Yield the supertypes of ``name``, the nearest first."""
    if name.startswith(_LITERAL_PREFIX):
        value = name.removeprefix(_LITERAL_PREFIX)
        name = "bool" if value in ("True", "False") else "str" if value[:1] in "'\"" else "int"
        yield name
    for _ in range(len(above)):
        if name not in above:
            return
        name = above[name]
        yield name
