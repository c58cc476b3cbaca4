"""What two schemas say of lists: the items that are named one by one, all others, and what has to be among them."""

from collections.abc import Iterator

from contract_watch.diff.document.changes import Effect
from contract_watch.diff.document.normalized_schema import View
from contract_watch.diff.document.schema_location import Found, Place, Walk, clouding, edit


def compare(walk: Walk, before: View, after: View, place: Place) -> Iterator[Found]:
    """Every edit of what lists may be."""
    listed = max(before.listed, after.listed)
    most = before.most if before.most == after.most else None
    inner: list[Found] = []
    for index in range(listed if most is None else min(listed, most)):
        here = place.at(before.item(index), after.item(index), "prefixItems", str(index))
        inner += walk.compare(before.item(index), after.item(index), here)
    yield from inner
    if inner and before.listed != after.listed:
        word = "added" if after.listed > before.listed else "removed"
        yield edit(f"prefix-items-{word}", Effect.NOTHING, f"{listed} items with schemas of their own", place)
    if most is None or most > listed:
        old, new = before.item(listed), after.item(listed)
        rest = (old or new)[0].at if old or new else ()  # `items`, or what says as much
        yield from walk.compare(old, new, place.at(old, new, *rest))
    yield from _contained(walk, before, after, place)
    key = "unevaluatedItems"
    was, is_ = (tuple(view.unevaluated.get(key, ())) for view in (before, after))
    yield from walk.added_or_removed("unevaluated-items", was, is_, place, key)


def _contained(walk: Walk, before: View, after: View, place: Place) -> Iterator[Found]:
    for number in range(max(len(before.contains), len(after.contains))):
        old = before.contains[number] if number < len(before.contains) else None
        new = after.contains[number] if number < len(after.contains) else None
        if old is None or new is None:
            yield from walk.added_or_removed(
                "contains", (old[0],) if old else (), (new[0],) if new else (), place, "contains"
            )
            continue
        inner = list(walk.compare((old[0],), (new[0],), place.at((old[0],), (new[0],))))
        # With a maximum, fewer that fit may be more that are allowed.
        yield from (inner if old[2] is None and new[2] is None else map(clouding, inner))
        yield from _count("min-contains", old[1], new[1], place, narrows_up=True)
        yield from _count("max-contains", old[2], new[2], place, narrows_up=False)


def _count(kind: str, before: int | None, after: int | None, place: Place, *, narrows_up: bool) -> Iterator[Found]:
    if before == after:
        return
    # No most is the largest most.
    up = before is not None and (after is None or after > before)
    words = f"{kind} changed from {before} to {after}"
    yield edit(
        f"{kind}-{'raised' if up else 'lowered'}", Effect.NARROWS if up is narrows_up else Effect.WIDENS, words, place
    )
