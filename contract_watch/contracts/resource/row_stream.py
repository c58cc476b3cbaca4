"""The rows of a list in a response: rendered one after the other, and collected as the caller of `Matcher.render` wants.

Rows are collected in a list, unless the mock asks for something smaller: a hundred thousand of them fill 60 MiB.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from contract_watch.contracts.matchers import JSON
from contract_watch.contracts.resource.state import Item


class RowStream:
    """The rows of ``items``; each iteration renders them anew."""

    def __init__(self, items: Collection[Item], render: Callable[[Item], JSON]) -> None:
        self._items, self._render = items, render

    def __iter__(self) -> Iterator[JSON]:
        return map(self._render, self._items)

    def __len__(self) -> int:
        return len(self._items)


RowCollector = Callable[[RowStream], Any]
_collector: ContextVar[RowCollector] = ContextVar("collector", default=list)


def collect_rows(rows: RowStream) -> Any:
    """Return the rows as a response's body has them: a list, or the result of `collect_with`'s collector."""
    return _collector.get()(rows)


@contextmanager
def collect_with(collector: RowCollector) -> Iterator[None]:
    """Let ``collector`` collect the rows of every list that is rendered meanwhile."""
    token = _collector.set(collector)
    try:
        yield
    finally:
        _collector.reset(token)
