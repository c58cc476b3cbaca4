"""The types of a client's symbols as sets of alternatives, so that wider and narrower can be told apart.

``X | None`` holds two alternatives, ``X`` one. A type is narrower than another where each of its alternatives is one of
the other's or stands below one: ``bool`` below ``int``, that below ``float``, an enumeration of texts below ``str``,
everything below ``Any``. What stands in brackets is compared piece by piece: ``list[int]`` is narrower than
``list[float]``. A type checker may hold lists to be stricter than that; those who read or fill one are not disturbed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

import griffe

ANYTHING = ("typing.Any", "object")
ABOVE = {
    "bool": "int",
    "int": "float",
    "datetime.datetime": "datetime.date",
    "enum.StrEnum": "str",
    "enum.IntEnum": "int",
}
"""What stands right above a name."""
UNSET = "Unset"
_LITERAL = "Literal "


class Relation(Enum):
    """What a type has become, seen from the one it was."""

    SAME = "the same"
    NARROWER = "narrower"
    WIDER = "wider"
    OTHER = "another"


@dataclass(frozen=True)
class Alternative:
    """One alternative: a full name, and what stands in its brackets. A value of ``Literal`` is an alternative of its own."""

    name: str
    inside: tuple["Type", ...] = ()


@dataclass(frozen=True)
class Type:
    """``alternatives`` are what a value may be; ``text`` is how the source spells them."""

    alternatives: frozenset[Alternative]
    text: str = field(default="", compare=False)

    @property
    def names(self) -> Iterator[str]:
        """Every full name in it, those in brackets too."""
        for alternative in self.alternatives:
            yield alternative.name
            for inner in alternative.inside:
                yield from inner.names

    @property
    def may_be_unset(self) -> bool:
        """Whether ``Unset``, the client's word for a value that is not there, is among the alternatives."""
        return any(_is_unset(one) for one in self.alternatives)

    @property
    def when_set(self) -> "Type":
        """The type without ``Unset``."""
        return Type(frozenset(one for one in self.alternatives if not _is_unset(one)), self.text)


def _is_unset(alternative: Alternative) -> bool:
    return alternative.name.rsplit(".", 1)[-1] == UNSET


def read_type(annotation: str | griffe.Expr | None, public: Mapping[str, str]) -> Type | None:
    """The type that ``annotation`` writes, None where there is none; ``public`` gives the names that classes go by."""
    if annotation is None:
        return None
    return Type(frozenset(_alternatives(annotation, public)), str(annotation))


def _alternatives(annotation: str | griffe.Expr, public: Mapping[str, str]) -> Iterator[Alternative]:
    if isinstance(annotation, griffe.ExprBinOp) and annotation.operator == "|":
        yield from _alternatives(annotation.left, public)
        yield from _alternatives(annotation.right, public)
    elif isinstance(annotation, griffe.ExprSubscript):
        inside = annotation.slice
        pieces = list(inside.elements) if isinstance(inside, griffe.ExprTuple) else [inside]
        name = _name(annotation.left, public)
        if name == "typing.Literal":
            yield from (Alternative(_LITERAL + str(piece)) for piece in pieces)
        else:
            yield Alternative(name, tuple(Type(frozenset(_alternatives(p, public)), str(p)) for p in pieces))
    else:
        yield Alternative(_name(annotation, public))


def _name(annotation: str | griffe.Expr, public: Mapping[str, str]) -> str:
    full = annotation.canonical_path if isinstance(annotation, griffe.Expr) else annotation
    return public.get(full, full)


def relation(was: Type, is_now: Type, bases: Mapping[str, str]) -> Relation:
    """What ``is_now`` is, seen from ``was``; ``bases`` names what the package's own classes are made from."""
    above = {**ABOVE, **bases}
    narrower, wider = _under(is_now, was, above), _under(was, is_now, above)
    if narrower and wider:
        return Relation.SAME
    return Relation.NARROWER if narrower else Relation.WIDER if wider else Relation.OTHER


def _under(one: Type, other: Type, above: Mapping[str, str]) -> bool:
    """Whether every value of ``one`` is one of ``other``."""
    return all(any(_below(mine, theirs, above) for theirs in other.alternatives) for mine in one.alternatives)


def _below(one: Alternative, other: Alternative, above: Mapping[str, str]) -> bool:
    if other.name in ANYTHING:
        return True
    if one.name == other.name:
        if not one.inside or not other.inside:
            return not other.inside  # a bare `list` holds anything
        pairs = zip(one.inside, other.inside, strict=False)
        return len(one.inside) == len(other.inside) and all(_under(mine, theirs, above) for mine, theirs in pairs)
    return any(name == other.name for name in _up(one.name, above))


def _up(name: str, above: Mapping[str, str]) -> Iterator[str]:
    """The names above ``name``, the nearest first."""
    if name.startswith(_LITERAL):
        value = name.removeprefix(_LITERAL)
        name = "bool" if value in ("True", "False") else "str" if value[:1] in "'\"" else "int"
        yield name
    for _ in range(len(above)):
        if name not in above:
            return
        name = above[name]
        yield name
