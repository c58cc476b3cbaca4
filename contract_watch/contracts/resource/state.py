"""The known objects of all accounts, as immutable state."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from contract_watch.contracts.model import Account
from contract_watch.contracts.outcomes import Interpretations
from contract_watch.contracts.resource.item_list import FOLDED, LEAST, NAME, REQUESTED, VALUE, ItemList
from contract_watch.contracts.resource.names import fold_name
from contract_watch.contracts.resource.persistent import discard_entry, insert_entry
from contract_watch.contracts.resource.refused_changes import RefusedChange
from contract_watch.contracts.resource.seen import Seen


class Unknown:
    """A stored value that cannot be predicted; every unknown value equals every other."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown)

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


REMOVED_NAME = "removed-name"
"""The interpretation that says if the name of a removed object is free or stays taken."""


_MIN_REPLIES = 1024
_MOST_NAMES = 4096
"""Sets of names that are shared at most, so that memory stays bounded."""
_NAMES: dict[frozenset[str], frozenset[str]] = {}


@dataclass(frozen=True, slots=True)
class Item:
    """One object of an account.

    ``name`` identifies it in requests: an id that the server assigned, or a name that the caller chose. It is None as
    long as only a list can tell which name the vendor made of ``requested_name``. ``requested_name`` is the name or mark
    that the request gave. ``values`` maps properties of requests to stored values, `UNKNOWN` among them; ``clauses`` maps
    each to the clause that determines its value. ``unlisted_changes`` are the properties that an update changed since the
    last list, ``sent`` those that a request named, which responses must show. One that ``is_new`` was in no list yet.
    ``seen`` are the values that responses showed and later ones are compared with, ``last_effect`` the operation and time of
    the last change that must show, ``unread_operations`` those that changed the object since a response showed it. One that
    ``is_successor`` has the name of a removed object, which a read that lags may show in its place. Times are in seconds
    since the epoch.
    """

    account: str
    name: str | None
    requested_name: str
    values: Mapping[str, Any]
    clauses: Mapping[str, str] = field(default_factory=dict)
    created_at: float = 0.0
    changed_at: float = 0.0
    unlisted_changes: frozenset[str] = frozenset()
    sent: frozenset[str] = frozenset()
    is_new: bool = False
    seen: tuple[Seen, ...] = ()
    last_effect: tuple[str, float] | None = None
    unread_operations: tuple[str, ...] = ()
    is_successor: bool = False

    @property
    def is_read(self) -> bool:
        """True if a response has shown the object since its last change."""
        return not (self.unlisted_changes or self.unread_operations or self.is_new)

    def mark_read(self) -> "Item":
        """Return the object after a response has shown it."""
        return replace(self, unlisted_changes=frozenset(), unread_operations=(), is_new=False)


@dataclass(frozen=True)
class ResourceState:
    """The known state of all accounts (``accounts`` by key).

    ``own_prefix`` is described in `Model.start`; it is empty in the mock's state, which is complete. ``items`` are the
    objects in order of creation: a tuple, or in a large state of the mock an `ItemList`. ``removed_names``
    maps a name that must not exist to the clause that removed it. ``unlisted_operations`` are the operations that changed
    or removed objects since the last list, in order, each with the object's name: they are suspected if an object is
    listed differently.
    ``unknown_names`` are the accounts and names whose existence is unknown after a broken contract. ``replies`` maps the
    accounts and idempotency keys to the object that the first request created, and to that request's other arguments.
    ``pages`` maps what identifies a page to the names on the pages before it, as long as nothing changes. ``refusals`` are
    the refused requests about objects that no response has shown since.
    """

    accounts: Mapping[str, Account]
    interpretations: Interpretations
    own_prefix: str
    items: Sequence[Item] = ()
    removed_names: Mapping[str, str] = field(default_factory=dict)
    unlisted_operations: tuple[tuple[str, str | None], ...] = ()
    unknown_names: frozenset[tuple[str, str]] = frozenset()
    replies: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    pages: Mapping[str, frozenset[str]] = field(default_factory=dict)
    refusals: tuple[RefusedChange, ...] = ()

    @property
    def is_complete(self) -> bool:
        """True for the mock's state, in which nothing is unknown."""
        return not self.own_prefix

    @property
    def is_untouched(self) -> bool:
        """True for the mock's state without any object, name or removal: no name is taken in it."""
        return self.is_complete and not (self.items or self.removed_names or self.unknown_names)

    def evolve(self, **changes: Any) -> Self:
        """Return a copy with other values of fields, as `dataclasses.replace` does in four times as long."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__, **changes)
        return copy

    def get_choice(self, interpretation: str, scope: str = "") -> str:
        """Return the value of ``interpretation`` that the mock follows."""
        return self.interpretations.get_choices(interpretation, scope)[0]

    def list_items(self, account: str) -> list[Item]:
        """Return the objects of ``account``."""
        return [item for item in self.items if item.account == account]

    def find_item(self, account: str, name: str) -> Item | None:
        """Return the object of ``account`` called ``name``, if one is known."""
        candidates = self.items.find(NAME, name) if type(self.items) is ItemList else self.items
        for item in candidates:  # in half the time of a generator
            if item.name == name and item.account == account:
                return item
        return None

    def find_namesakes(self, name: str | None) -> list[Item]:
        """Return the objects of all accounts called ``name``; those whose name is unknown for None."""
        if type(self.items) is ItemList:
            return self.items.find(NAME, name)
        return [item for item in self.items if item.name == name]

    def find_folded(self, account: str, name: str) -> Item | None:
        """Return the first object of ``account`` whose name equals ``name`` without case and outer white space."""
        folded = fold_name(name)
        if type(self.items) is not ItemList:
            return next((one for one in self.list_items(account) if fold_name(one.name or "") == folded), None)
        return next((item for item in self.items.find(FOLDED, folded) if item.account == account), None)

    def is_used(self, account: str, prop: str, value: str, besides: Item | None) -> bool:
        """Return True if another object of ``account`` than ``besides`` has ``value``; ``prop`` is empty for its mark."""
        candidates: Iterable[Item] = self.items
        if type(self.items) is ItemList:
            candidates = self.items.find(f"{VALUE}{prop}" if prop else REQUESTED, value)
        return any(
            item.account == account
            and item is not besides
            and (item.values.get(prop, UNKNOWN) if prop else item.requested_name) == value
            for item in candidates
        )

    @property
    def used_names(self) -> Collection[str]:
        """The names that no new object can have."""
        return UsedNames(self)

    def get_unknown_names(self, account: str = "") -> set[str]:
        """Return the names whose existence in ``account`` (empty: in any account) is unknown."""
        return {name for owner, name in self.unknown_names if account in ("", owner)}

    def is_known_absent(self, name: str, account: str = "") -> bool:
        """Return True if no unknown object called ``name`` can exist in ``account`` (empty: in any account)."""
        folded = fold_name(name)
        if any(folded == fold_name(one) for owner, one in self.unknown_names if account in ("", owner)):
            return False
        return name in self.removed_names or folded.startswith(self.own_prefix)

    def put_item(self, item: Item, old: Item | None = None, operation: str = "") -> Self:
        """Return the state with ``item`` added, or in place of ``old`` after ``operation``."""
        removed = discard_entry(self.removed_names, item.name)
        if self.is_complete:
            item = _share_parts(item)
            items = self._swap(old, item) if old else self._add(item)
            return self.evolve(items=items, removed_names=removed, pages={})
        items = self._swap(old, item) if old else self._add(item)
        unlisted = self.unlisted_operations
        if old is not None and operation:
            unlisted = (*unlisted, (operation, item.name))
        unknown = self.unknown_names - {(item.account, item.name or ""), (item.account, item.requested_name)}
        return replace(
            self, items=items, removed_names=removed, unlisted_operations=unlisted, unknown_names=unknown, pages={},
            refusals=self._rename_refusals(old, item) if old is not None else self.refusals,
        )  # fmt: skip

    def _rename_refusals(self, old: Item, new: Item) -> tuple[RefusedChange, ...]:
        """Return the refusals, with those about ``old`` under the name that it has now."""
        if old.name == new.name:
            return self.refusals
        about = (old.account, old.name)
        return tuple(
            replace(one, name=new.name or "") if (one.account, one.name) == about else one for one in self.refusals
        )

    def _add(self, item: Item) -> Sequence[Item]:
        items = self.items
        if self.is_complete and len(items) >= LEAST and type(items) is not ItemList:
            items = ItemList.build(items)
        return items.append(item) if type(items) is ItemList else (*items, item)

    def _swap(self, old: Item, new: Item) -> Sequence[Item]:
        if type(self.items) is ItemList:
            return self.items.replace(old, new)
        return tuple(new if one is old else one for one in self.items)

    def swap_item(self, old: Item, new: Item) -> Self:
        """Return the state with ``new`` in place of ``old``: the same object, better known."""
        return self.evolve(items=self._swap(old, new))

    def swap_items(self, pairs: Sequence[tuple[Item, Item]]) -> Self:
        """Return the state with each second object in place of the first: the same one, better known."""
        if not pairs:
            return self
        items = self.items
        if type(items) is ItemList:
            for old, new in pairs:
                items = items.replace(old, new)
            return self.evolve(items=items)
        known = {id(old): new for old, new in pairs}
        return self.evolve(items=tuple(known.get(id(one), one) for one in items))

    def remove_item(self, item: Item) -> Self:
        """Return the state that never had ``item``."""
        if type(self.items) is ItemList:
            return self.evolve(items=self.items.remove(item))
        return self.evolve(items=tuple(one for one in self.items if one is not item))

    def drop_item(self, item: Item, operation: str, clause: str) -> Self:
        """Return the state without ``item``, which ``operation`` removed, as ``clause`` promises."""
        state = self.remove_item(item)
        if self.is_complete and not self._remembers_removed_names:
            return state
        removed = insert_entry(self.removed_names, item.name or "", clause)
        unlisted = () if self.is_complete else (*self.unlisted_operations, (operation, item.name))
        return state.evolve(removed_names=removed, unlisted_operations=unlisted, pages={})

    @property
    def _remembers_removed_names(self) -> bool:
        return REMOVED_NAME in self.interpretations.declared and self.get_choice(REMOVED_NAME) == "taken"

    def record_reply(self, item: Item, key: str, arguments: str) -> Self:
        """Return the state that remembers that a request with an idempotency ``key`` and ``arguments`` created ``item``.

        Replies whose object is gone are forgotten from time to time, so they do not grow without end.
        """
        replies = self.replies
        if len(replies) > 2 * len(self.items) + _MIN_REPLIES:
            replies = {at: one for at, one in replies.items() if self.find_item(at[0], one[0]) is not None}
        return self.evolve(replies=insert_entry(replies, (item.account, key), (item.name or "", arguments)))

    def free_name(self, name: str, clause: str) -> Self:
        """Return the state in which no object is called ``name`` any more, as ``clause`` promises."""
        return self if self.is_complete else self.evolve(removed_names={**self.removed_names, name: clause})

    def mark_removed(self, name: str, account: str, clause: str) -> Self:
        """Return the state after ``account`` removed an unknown object called ``name``, as ``clause`` promises."""
        unknown = self.unknown_names - {(account, name)}
        return replace(self.free_name(name, clause), unknown_names=unknown)

    def mark_listed(self, account: str, only: Item | None = None) -> Self:
        """Return the state after a complete list of ``account``: its operations are suspected no longer.

        A list of one object ``only`` says nothing about the others.
        """
        if self.is_complete:
            return self
        if only is not None:
            rest = tuple(one for one in self.refusals if (one.account, one.name) != (only.account, only.name))
            state = self if len(rest) == len(self.refusals) else self.evolve(refusals=rest)
            return state if only.is_read else state.swap_item(only, only.mark_read())
        if not (self.unlisted_operations or self.refusals or any(not item.is_read for item in self.items)):
            return self
        items = tuple(item.mark_read() if item.account == account and not item.is_read else item for item in self.items)
        refusals = tuple(one for one in self.refusals if one.account != account)
        return self.evolve(items=items, unlisted_operations=(), refusals=refusals)

    def find_suspected_clause(self, item: Item, prop: str, removals: Iterable[str]) -> str | None:
        """Return the clause to suspect if ``prop`` has another value, or (empty) the object is not listed.

        An update is not suspected of the properties that it set; one of ``removals`` can lose an object, but change none.
        Before an object was listed for the first time, nothing says that its creation worked: only its own changes are
        suspected.
        """
        operations = [
            name
            for name, changed in self.unlisted_operations
            if (not prop or name not in removals) and (not item.is_new or changed == item.name)
        ]
        return f"{operations[-1]}/effect/untouched" if operations and prop not in item.unlisted_changes else None

    def forget_names(self, names: Iterable[str]) -> Self:
        """Return the state in which the objects with these names or requested names are unknown."""
        forgotten = {variant for name in names for variant in (name, fold_name(name))}
        kept: list[Item] = []
        dropped: set[str] = set()
        for one in self.items:
            if forgotten.isdisjoint((one.name, one.requested_name, fold_name(one.name or one.requested_name))):
                kept.append(one)
            else:
                dropped |= {name for name in (one.name, one.requested_name) if name}
        items = tuple(kept)
        removed = {
            name: clause
            for name, clause in self.removed_names.items()
            if name not in forgotten and fold_name(name) not in forgotten
        }
        unknown = {(account.name, name) for account in self.accounts.values() for name in forgotten | dropped}
        return self.evolve(items=items, removed_names=removed, unknown_names=self.unknown_names | unknown, pages={})


class UsedNames(Collection[str]):
    """The names that the objects of a state have, and those that its removed objects had."""

    def __init__(self, state: ResourceState) -> None:
        self._state = state

    def __contains__(self, name: object) -> bool:
        state = self._state
        return name in state.removed_names or (isinstance(name, str) and bool(state.find_namesakes(name)))

    def __iter__(self) -> Iterator[str]:
        yield from (item.name or "" for item in self._state.items)
        yield from self._state.removed_names

    def __len__(self) -> int:
        return sum(1 for _ in self)


def share_names(names: frozenset[str]) -> frozenset[str]:
    """Return the one set in memory that equals ``names``: operations give most objects the same ones."""
    if len(_NAMES) >= _MOST_NAMES and names not in _NAMES:
        return names
    return _NAMES.setdefault(names, names)


def _share_parts(item: Item) -> Item:
    """Return ``item`` with the sets of names that equal its own in other items."""
    sent, changes = share_names(item.sent), share_names(item.unlisted_changes)
    if sent is item.sent and changes is item.unlisted_changes:
        return item
    return replace(item, sent=sent, unlisted_changes=changes)
