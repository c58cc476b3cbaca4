"""References that are followed: what they lead to is compared once, and told wherever one of them stands."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from contract_watch.diff.document.changes import Direction, Edit, Effect
from contract_watch.diff.document.json_pointer import pointer
from contract_watch.diff.document.schema_location import Link

_FAR = 24
"""References behind references, from the root of a body, that are told for each root."""


class Behind:
    """The edits between what two references lead to, found when they are first asked for.

    Their places begin at the schemas that the references lead to.
    """

    __slots__ = ("_find", "_found", "loud")

    def __init__(self, find: "Callable[[], Iterable[Edit | Linked]]") -> None:
        self._find = find
        self._found: list[Edit | Linked] | None = None
        self.loud: bool | None = None
        """Whether any edit is here or behind further links; None: not known yet."""

    @property
    def found(self) -> "list[Edit | Linked]":
        """Edits, and further links."""
        if self._found is None:
            self._found = list(self._find())
        return self._found

    def forget(self) -> None:
        """Have it found anew."""
        self._found = self.loud = None


class Linked:
    """A link, with what is behind it. ``site`` tells the link from others; ``at`` are its places, as JSON pointers."""

    __slots__ = ("at", "behind", "clouded", "depth", "muted", "site")

    def __init__(self, site: tuple[int | None, ...], link: Link, behind: Behind) -> None:
        base, revision = link.place.whole
        self.at = pointer(base), pointer(revision)
        self.site, self.behind = site, behind
        self.depth, self.muted, self.clouded = link.place.depth, link.muted, link.clouded


def followed(found: Iterable[Edit | Linked], told: set[tuple[object, ...]] | None = None) -> Iterator[Edit]:
    """Edits, and those that links lead to: each reference is followed at each of its places once, the shortest way first.

    ``told`` is what other roots led to, far away, and is added to: in documents whose schemas all hang together, what is
    many references away is told of one root only, as the places would be more and longer than anybody could read.
    """
    seen: set[tuple[object, ...]] = set()
    waiting: deque[tuple[Iterable[Edit | Linked], _Frame | None]] = deque([(found, None)])
    while waiting:
        rest, frame = waiting.popleft()
        for one in rest:
            if isinstance(one, Edit):
                yield one if frame is None else frame.moved(one)
                continue
            if one.behind.loud is None:
                _listen(one.behind)
            if not one.behind.loud:
                continue
            inner = _Frame(frame, one)
            # What is read-only on one way here may not be on another: each is judged by itself.
            key = (one.site, inner.muted, inner.clouded, inner.depth == 0)
            if key in seen or (told is not None and inner.links > _FAR and key in told):
                continue
            seen.add(key)
            if told is not None and inner.links > _FAR:
                told.add(key)
            waiting.append((one.behind.found, inner))


def _listen(root: Behind) -> None:
    """Tell of ``root``, and of all that its links lead to, whether there is any edit: what is silent need not be followed."""
    users: dict[Behind, list[Behind]] = {}
    loud, todo, reached = list[Behind](), [root], {root}
    while todo:
        one = todo.pop()
        for found in one.found:
            if isinstance(found, Edit) or found.behind.loud:
                loud.append(one)
            elif found.behind.loud is None:
                users.setdefault(found.behind, []).append(one)
                if found.behind not in reached:
                    reached.add(found.behind)
                    todo.append(found.behind)
    for one in reached:
        one.loud = False
    while loud:
        one = loud.pop()
        if not one.loud:
            one.loud = True
            loud += users.get(one, ())


class _Frame:
    """A link that is being followed, at the end of those that led to it. Places are only put together where they are told."""

    __slots__ = ("clouded", "depth", "known", "link", "links", "muted", "outer")

    def __init__(self, outer: "_Frame | None", link: Linked) -> None:
        self.outer, self.link = outer, link
        self.depth: int = link.depth + (outer.depth if outer is not None else 0)
        self.muted: frozenset[Direction] = link.muted | outer.muted if outer is not None else link.muted
        self.clouded: bool = link.clouded or (outer is not None and outer.clouded)
        self.links: int = 1 + (outer.links if outer is not None else 0)
        self.known: tuple[str, str] | None = None

    @property
    def whole(self) -> tuple[str, str]:
        """Its places, in the base and in the revision."""
        frame: _Frame | None = self
        without = list[_Frame]()
        while frame is not None and frame.known is None:
            without.append(frame)
            frame = frame.outer
        known = (frame.known if frame is not None else None) or ("", "")
        for one in reversed(without):
            known = one.known = known[0] + one.link.at[0], known[1] + one.link.at[1]
        return known

    def moved(self, found: Edit) -> Edit:
        """An edit that is behind the link, as it is at the link's place."""
        effect = found.effect
        if self.clouded and effect is not Effect.NOTHING:
            effect = Effect.UNCLEAR
        at = self.whole[0 if found.removed else 1] + found.at
        muted = found.muted | self.muted if self.muted else found.muted
        return Edit(found.kind, at, effect, found.message, self.depth + found.depth, found.removed, muted)
