"""References that are followed: what they lead to is compared once, and told wherever one of them stands."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from contract_watch.diff.document.changes import Direction, Effect, SchemaEdit
from contract_watch.diff.document.json_pointer import format_pointer
from contract_watch.diff.document.schema_location import SchemaLink

_MAX_DISTANCE = 24
"""References behind references, from the root of a body, that are told for each root."""


class ReferenceTarget:
    """The edits between what two references lead to, found when they are first asked for.

    Their places begin at the schemas that the references lead to.
    """

    __slots__ = ("_cached_edits", "_compute_edits", "has_edits")

    def __init__(self, compute_edits: "Callable[[], Iterable[SchemaEdit | ResolvedLink]]") -> None:
        self._compute_edits = compute_edits
        self._cached_edits: list[SchemaEdit | ResolvedLink] | None = None
        self.has_edits: bool | None = None
        """Whether any edit is here or behind further links; None: not known yet."""

    @property
    def edits(self) -> "list[SchemaEdit | ResolvedLink]":
        """Edits, and further links."""
        if self._cached_edits is None:
            self._cached_edits = list(self._compute_edits())
        return self._cached_edits

    def reset(self) -> None:
        """Have it found anew."""
        self._cached_edits = self.has_edits = None


class ResolvedLink:
    """A link, with what is behind it. ``site`` tells the link from others; ``at`` are its places, as JSON pointers."""

    __slots__ = ("depth", "is_unclear", "key", "locations", "muted_directions", "target")

    def __init__(self, key: tuple[int | None, ...], link: SchemaLink, target: ReferenceTarget) -> None:
        base, revision = link.location.full_paths
        self.locations = format_pointer(base), format_pointer(revision)
        self.key, self.target = key, target
        self.depth, self.muted_directions, self.is_unclear = link.location.depth, link.muted_directions, link.is_unclear


def follow_links(
    found: Iterable[SchemaEdit | ResolvedLink], distant_keys: set[tuple[object, ...]] | None = None
) -> Iterator[SchemaEdit]:
    """Edits, and those that links lead to: each reference is followed at each of its places once, the shortest way first.

    ``told`` is what other roots led to, far away, and is added to: in documents whose schemas all hang together, what is
    many references away is told of one root only, as the places would be more and longer than anybody could read.
    """
    seen: set[tuple[object, ...]] = set()
    waiting: deque[tuple[Iterable[SchemaEdit | ResolvedLink], _LinkFrame | None]] = deque([(found, None)])
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
            inner = _LinkFrame(frame, one)
            # What is read-only on one way here may not be on another: each is judged by itself.
            key = (one.key, inner.muted_directions, inner.is_unclear, inner.depth == 0)
            if key in seen or (distant_keys is not None and inner.distance > _MAX_DISTANCE and key in distant_keys):
                continue
            seen.add(key)
            if distant_keys is not None and inner.distance > _MAX_DISTANCE:
                distant_keys.add(key)
            waiting.append((one.target.edits, inner))


def _mark_targets_with_edits(root: ReferenceTarget) -> None:
    """Tell of ``root``, and of all that its links lead to, whether there is any edit: what is silent need not be followed."""
    users: dict[ReferenceTarget, list[ReferenceTarget]] = {}
    loud, todo, reached = list[ReferenceTarget](), [root], {root}
    while todo:
        one = todo.pop()
        for found in one.edits:
            if isinstance(found, SchemaEdit) or found.target.has_edits:
                loud.append(one)
            elif found.target.has_edits is None:
                users.setdefault(found.target, []).append(one)
                if found.target not in reached:
                    reached.add(found.target)
                    todo.append(found.target)
    for one in reached:
        one.has_edits = False
    while loud:
        one = loud.pop()
        if not one.has_edits:
            one.has_edits = True
            loud += users.get(one, ())


class _LinkFrame:
    """A link that is being followed, at the end of those that led to it. Places are only put together where they are told."""

    __slots__ = ("cached_locations", "depth", "distance", "is_unclear", "link", "muted_directions", "outer")

    def __init__(self, outer: "_LinkFrame | None", link: ResolvedLink) -> None:
        self.outer, self.link = outer, link
        self.depth: int = link.depth + (outer.depth if outer is not None else 0)
        self.muted_directions: frozenset[Direction] = (
            link.muted_directions | outer.muted_directions if outer is not None else link.muted_directions
        )
        self.is_unclear: bool = link.is_unclear or (outer is not None and outer.is_unclear)
        self.distance: int = 1 + (outer.distance if outer is not None else 0)
        self.cached_locations: tuple[str, str] | None = None

    @property
    def locations(self) -> tuple[str, str]:
        """Its places, in the base and in the revision."""
        frame: _LinkFrame | None = self
        without = list[_LinkFrame]()
        while frame is not None and frame.cached_locations is None:
            without.append(frame)
            frame = frame.outer
        known = (frame.cached_locations if frame is not None else None) or ("", "")
        for one in reversed(without):
            known = one.cached_locations = known[0] + one.link.locations[0], known[1] + one.link.locations[1]
        return known

    def relocate_edit(self, edit: SchemaEdit) -> SchemaEdit:
        """An edit that is behind the link, as it is at the link's place."""
        effect = edit.effect
        if self.is_unclear and effect is not Effect.NOTHING:
            effect = Effect.UNCLEAR
        at = self.locations[0 if edit.is_removed else 1] + edit.location
        muted = edit.muted_directions | self.muted_directions if self.muted_directions else edit.muted_directions
        return SchemaEdit(edit.kind, at, effect, edit.message, self.depth + edit.depth, edit.is_removed, muted)
