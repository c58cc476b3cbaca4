"""References between schemas: their targets are compared once, and the edits reported at each place of use."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from contract_watch.diff.document.changes import Direction, Effect, SchemaEdit
from contract_watch.diff.document.json_pointer import format_pointer
from contract_watch.diff.document.normalized_schema import Conjunction
from contract_watch.diff.document.schema_location import SchemaLink

_MAX_DISTANCE = 24
"""The number of references in a chain, from the root of a body, that each root reports."""
_MAX_LINKS = 2000
"""The number of references in a chain that are followed: each location behind them names them all."""


class ReferenceTarget:
    """The edits between the targets of two references, computed on first use.

    Their locations are relative to the targets.
    """

    __slots__ = ("_cached_edits", "_compute_edits", "has_edits")

    def __init__(self, compute_edits: "Callable[[], Iterable[SchemaEdit | ResolvedLink]]") -> None:
        self._compute_edits = compute_edits
        self._cached_edits: list[SchemaEdit | ResolvedLink] | None = None
        self.has_edits: bool | None = None
        """True if there is an edit here or behind further links; None: not known yet."""

    @property
    def edits(self) -> "list[SchemaEdit | ResolvedLink]":
        """The edits, and further links."""
        if self._cached_edits is None:
            self._cached_edits = list(self._compute_edits())
        return self._cached_edits

    def reset(self) -> None:
        """Discard the edits, so that they are computed again."""
        self._cached_edits = self.has_edits = None


class ResolvedLink:
    """A link and its target.

    ``key`` identifies the link; ``locations`` are its locations as JSON pointers, and ``references`` those of both sides,
    None if a side has more than one schema.
    """

    __slots__ = ("depth", "is_absolute", "is_unclear", "key", "locations", "muted_directions", "references", "target")

    def __init__(self, key: tuple[int | None, ...], link: SchemaLink, target: ReferenceTarget) -> None:
        # Schemas with several locations have complete paths of their own.
        self.locations = format_pointer(link.location.base), format_pointer(link.location.revision)
        self.key, self.target = key, target
        self.depth, self.muted_directions, self.is_unclear = link.location.depth, link.muted_directions, link.is_unclear
        self.is_absolute = link.is_absolute
        ends = [_get_reference(node) for node in (link.base, link.revision)]
        self.references = (ends[0], ends[1]) if ends[0] is not None and ends[1] is not None else None


def _get_reference(node: Conjunction) -> str | None:
    """Return the reference of a node that has one schema, empty if that is none."""
    if len(node) != 1:
        return None
    raw = node[0].raw
    reference = raw.get("$ref") if isinstance(raw, dict) else None
    return reference if isinstance(reference, str) else ""


def follow_links(
    found: Iterable[SchemaEdit | ResolvedLink], distant_keys: set[tuple[object, ...]] | None = None
) -> Iterator[SchemaEdit]:
    """Yield edits and those behind links; each reference is followed once at each of its locations, breadth first.

    Args:
        found: the edits and links of a root.
        distant_keys: the links that earlier roots followed beyond the maximal distance; this call adds its own. Only the
            first root reports such edits: where all schemas refer to each other, reports would be too long to read.

    Raises:
        RecursionError: a chain of references is too long.
    """
    seen: set[tuple[object, ...]] = set()
    waiting: deque[tuple[Iterable[SchemaEdit | ResolvedLink], LinkFrame | None]] = deque([(found, None)])
    while waiting:
        rest, frame = waiting.popleft()
        for one in rest:
            if isinstance(one, SchemaEdit):
                yield one if frame is None else frame.relocate_edit(one)
                continue
            if one.target.has_edits is None:
                _mark_targets_with_edits(one.target)
            if not one.target.has_edits:
                continue
            inner = LinkFrame(frame, one)
            if inner.distance > _MAX_LINKS:
                raise RecursionError("the chain of references is too long")
            # The same schema may be read-only on one path and not on another, so each is followed.
            key = (one.key, inner.muted_directions, inner.is_unclear, inner.depth == 0)
            if key in seen or (distant_keys is not None and inner.distance > _MAX_DISTANCE and key in distant_keys):
                continue
            seen.add(key)
            if distant_keys is not None and inner.distance > _MAX_DISTANCE:
                distant_keys.add(key)
            waiting.append((one.target.edits, inner))


def iterate_links(found: Iterable[SchemaEdit | ResolvedLink], outer: "LinkFrame | None") -> "Iterator[LinkFrame]":
    """Yield the way to each target with edits that a root or a target (behind ``outer``) refers to itself.

    Raises:
        RecursionError: a chain of references is too long.
    """
    for one in found:
        if isinstance(one, SchemaEdit):
            continue
        if one.target.has_edits is None:
            _mark_targets_with_edits(one.target)
        if one.target.has_edits:
            inner = LinkFrame(outer, one)
            if inner.distance > _MAX_LINKS:
                raise RecursionError("the chain of references is too long")
            yield inner


def _mark_targets_with_edits(root: ReferenceTarget) -> None:
    """Set ``has_edits`` for ``root`` and all targets behind it; targets without edits need not be followed."""
    users: dict[ReferenceTarget, list[ReferenceTarget]] = {}
    with_edits, todo, reached = list[ReferenceTarget](), [root], {root}
    while todo:
        one = todo.pop()
        for found in one.edits:
            if isinstance(found, SchemaEdit) or found.target.has_edits:
                with_edits.append(one)
            elif found.target.has_edits is None:
                users.setdefault(found.target, []).append(one)
                if found.target not in reached:
                    reached.add(found.target)
                    todo.append(found.target)
    for one in reached:
        one.has_edits = False
    while with_edits:
        one = with_edits.pop()
        if not one.has_edits:
            one.has_edits = True
            with_edits += users.get(one, ())


class LinkFrame:
    """A link during the traversal, with the links before it. Locations are joined only when an edit is reported."""

    __slots__ = ("cached_locations", "depth", "distance", "is_unclear", "link", "muted_directions", "outer")

    def __init__(self, outer: "LinkFrame | None", link: ResolvedLink) -> None:
        self.outer, self.link = outer, link
        self.depth: int = link.depth + (outer.depth if outer is not None else 0)
        self.muted_directions: frozenset[Direction] = (
            link.muted_directions | outer.muted_directions if outer is not None else link.muted_directions
        )
        self.is_unclear: bool = link.is_unclear or (outer is not None and outer.is_unclear)
        self.distance: int = 1 + (outer.distance if outer is not None else 0)
        self.cached_locations: tuple[str, str] | None = None

    @property
    def root(self) -> "LinkFrame":
        """The first link of the way here."""
        frame = self
        while frame.outer is not None:
            frame = frame.outer
        return frame

    @property
    def assessment(self) -> tuple[object, ...]:
        """Everything here that decides the level of an edit behind the link."""
        return self.muted_directions, self.is_unclear, self.depth == 0

    @property
    def locations(self) -> tuple[str, str]:
        """The locations in the base and in the revision."""
        frame: LinkFrame | None = self
        without = list[LinkFrame]()
        while frame is not None and frame.cached_locations is None:
            without.append(frame)
            frame = frame.outer
        known = (frame.cached_locations if frame is not None else None) or ("", "")
        for one in reversed(without):
            outer = ("", "") if one.link.is_absolute else known
            known = one.cached_locations = outer[0] + one.link.locations[0], outer[1] + one.link.locations[1]
        return known

    def relocate_edit(self, edit: SchemaEdit) -> SchemaEdit:
        """Return an edit behind the link at the location of the link."""
        effect = edit.effect
        if self.is_unclear and effect is not Effect.NOTHING:
            effect = Effect.UNCLEAR
        at = self.locations[0 if edit.is_removed else 1] + edit.location
        muted = edit.muted_directions | self.muted_directions if self.muted_directions else edit.muted_directions
        previous = None if edit.previous_location is None else self.locations[0] + edit.previous_location
        return SchemaEdit(
            edit.kind, at, effect, edit.message, self.depth + edit.depth, edit.is_removed, muted, previous
        )
