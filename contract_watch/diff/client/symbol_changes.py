"""What can happen to a symbol of a client."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

CALL_VARIANTS = ("sync", "sync_detailed", "asyncio", "asyncio_detailed")
"""The functions of an operation's module."""


class SymbolChangeKind(Enum):
    """What has happened to a symbol, in words."""

    REMOVED = "removed"
    ADDED = "added"
    REPLACED = "is something else"
    PARAMETER_REMOVED = "parameter removed"
    PARAMETER_ADDED_REQUIRED = "required parameter added"
    PARAMETER_ADDED = "parameter with a default added"
    PARAMETER_REQUIRED = "parameter became required"
    PARAMETER_OPTIONAL = "parameter became optional"
    PARAMETER_MOVED = "parameter moved"
    PARAMETER_KIND = "parameter's kind changed"
    PARAMETER_DEFAULT = "parameter's default changed"
    PARAMETER_TYPE = "parameter's type changed"
    RETURN_TYPE = "return type changed"
    ATTRIBUTE_REMOVED = "attribute removed"
    ATTRIBUTE_ADDED_REQUIRED = "required attribute added"
    ATTRIBUTE_ADDED = "attribute added"
    ATTRIBUTE_REQUIRED = "attribute became required"
    ATTRIBUTE_OPTIONAL = "attribute became optional"
    ATTRIBUTE_DEFAULT = "attribute's default changed"
    ATTRIBUTE_TYPE = "attribute's type changed"
    ORDER = "attributes put in another order"
    MEMBER_REMOVED = "member removed"
    MEMBER_ADDED = "member added"
    MEMBER_VALUE = "member's value changed"
    BASE = "base class changed"


@dataclass(frozen=True)
class SymbolChange:
    """One change of one symbol; ``why`` says whom it breaks, or why nobody. ``before`` and ``after`` are source."""

    symbol: str
    kind: SymbolChangeKind
    is_breaking: bool
    consequence: str
    before: str = ""
    after: str = ""

    @property
    def description(self) -> str:
        """The change on one line."""
        values = f" from `{self.before}` to `{self.after}`" if self.before and self.after else ""
        return f"{self.symbol}: {self.kind.value}{values}; {self.consequence}"


def describe_symbol_changes(changes: Iterable[SymbolChange]) -> list[str]:
    """What has happened to which symbol, a text each; the ways to call one operation share one."""
    alike: dict[SymbolChangeKind, list[str]] = {}
    for change in changes:
        alike.setdefault(change.kind, []).append(change.symbol)
    return [f"{name}: {kind.value}" for kind, symbols in alike.items() for name in group_call_variants(symbols)]


def group_call_variants(symbols: Iterable[str]) -> list[str]:
    """``symbols`` with the ways to call one operation in one text, and without them where their module is named."""
    groups: dict[tuple[str, str], list[str]] = {}
    for symbol in symbols:
        name, _, parameter = symbol.partition("(")
        owner, _, own = name.rpartition(".")
        groups.setdefault((owner, f"({parameter}" if own in CALL_VARIANTS else own), []).append(symbol)
    whole = {symbol for group in groups.values() for symbol in group}
    return [_join_variants(group) for (owner, own), group in groups.items() if not (owner in whole and own == "(")]


def _join_variants(symbols: list[str]) -> str:
    first, *others = sorted(symbols, key=lambda symbol: _get_variant(symbol) != CALL_VARIANTS[0])
    return first + (f" (also {', '.join(map(_get_variant, others))})" if others else "")


def _get_variant(symbol: str) -> str:
    return symbol.partition("(")[0].rpartition(".")[2]
