"""The changes of one symbol of a generated client."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from contract_watch.escaping import escape_text

CALL_VARIANTS = ("sync", "sync_detailed", "asyncio", "asyncio_detailed")
"""The functions of an operation's module."""


class SymbolChangeKind(Enum):
    """The kind of a change; the value is the phrase that reports use."""

    REMOVED = "removed"
    ADDED = "added"
    REPLACED = "replaced by another kind of symbol"
    PARAMETER_REMOVED = "parameter removed"
    PARAMETER_ADDED_REQUIRED = "required parameter added"
    PARAMETER_ADDED = "parameter with a default added"
    PARAMETER_REQUIRED = "parameter became required"
    PARAMETER_OPTIONAL = "parameter became optional"
    PARAMETER_MOVED = "parameter moved"
    PARAMETER_KIND = "parameter kind changed"
    PARAMETER_DEFAULT = "parameter default changed"
    PARAMETER_TYPE = "parameter type changed"
    RETURN_TYPE = "return type changed"
    ATTRIBUTE_REMOVED = "attribute removed"
    ATTRIBUTE_ADDED_REQUIRED = "required attribute added"
    ATTRIBUTE_ADDED = "attribute added"
    ATTRIBUTE_REQUIRED = "attribute became required"
    ATTRIBUTE_OPTIONAL = "attribute became optional"
    ATTRIBUTE_DEFAULT = "attribute default changed"
    ATTRIBUTE_TYPE = "attribute type changed"
    ORDER = "attributes reordered"
    MEMBER_REMOVED = "member removed"
    MEMBER_ADDED = "member added"
    MEMBER_VALUE = "member value changed"
    BASE = "base class changed"


@dataclass(frozen=True)
class SymbolChange:
    """One change of one symbol; ``before`` and ``after`` are Python source.

    ``consequence`` names the code that fails, or the reason that no code fails.
    """

    symbol: str
    kind: SymbolChangeKind
    is_breaking: bool
    consequence: str
    before: str = ""
    after: str = ""

    @property
    def description(self) -> str:
        """The change and its consequence on one line."""
        values = (
            f" from {_show_source(self.before)} to {_show_source(self.after)}" if self.before and self.after else ""
        )
        return f"{self.symbol}: {self.kind.value}{values}; {self.consequence}"


def _show_source(source: str) -> str:
    return f"`{escape_text(source)}`"


def describe_symbol_changes(changes: Iterable[SymbolChange]) -> list[str]:
    """Return a line for each change, ``symbol: kind``; the functions that call one operation share a line."""
    by_kind: dict[SymbolChangeKind, list[str]] = {}
    for change in changes:
        by_kind.setdefault(change.kind, []).append(change.symbol)
    return [f"{name}: {kind.value}" for kind, symbols in by_kind.items() for name in group_call_variants(symbols)]


def group_call_variants(symbols: Iterable[str]) -> list[str]:
    """Return ``symbols`` with the functions that call one operation as one string.

    Functions are left out if ``symbols`` contains their module.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for symbol in symbols:
        name, _, parameter = symbol.partition("(")
        owner, _, own = name.rpartition(".")
        groups.setdefault((owner, f"({parameter}" if own in CALL_VARIANTS else own), []).append(symbol)
    named = {symbol for group in groups.values() for symbol in group}
    return [_join_variants(group) for (owner, own), group in groups.items() if not (owner in named and own == "(")]


def _join_variants(symbols: list[str]) -> str:
    first, *others = sorted(symbols, key=lambda symbol: _get_variant(symbol) != CALL_VARIANTS[0])
    return first + (f" (also {', '.join(map(_get_variant, others))})" if others else "")


def _get_variant(symbol: str) -> str:
    return symbol.partition("(")[0].rpartition(".")[2]
