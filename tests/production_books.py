"""What a stand-in for production knows of a run: all that it asked, what it made, and what of somebody else's it touched."""

import asyncio
import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from contract_watch.contracts.model import ModelState
from contract_watch.contracts.openapi import Operation, join_arguments
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody
from contract_watch.mock.vendor import MockVendor
from tests.production_foreign import (
    ELSEWHERE,
    MOST,
    Key,
    Owns,
    age,
    essence,
    first_names,
    neighbours,
    residents,
)
from tests.production_rate import Allowance, Clock

LENGTH = 20_000
"""How many requests the log holds."""
_LARGE = 50_000
"""Characters from which on a body is not kept."""
_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")

Entry = dict[str, Any]
ASKED: ContextVar[Entry | None] = ContextVar("ASKED", default=None)
"""The log's entry of the request that is being answered."""


class Books:
    """The log of one stand-in, and whose the objects are. ``owns`` tells by its form whether a name is a run's."""

    def __init__(self, contract: Contract, keys: Mapping[str, str], clock: Clock, owns: Owns, *, beside: bool) -> None:
        """``beside``: foreign objects with much the same names appear beside each that a run makes."""
        self.contract, self.beside = contract, beside
        self.allowance = Allowance(contract.rate, clock)
        self.log: deque[Entry] = deque(maxlen=LENGTH)
        self.touched: list[Entry] = []
        self.made: dict[Key, None] = {}
        self.foreign: dict[Key, Any] = {}
        self._ever: set[str] = set()
        self._guests: list[Key] = []
        self._keys, self._clock, self._owns = {key: account for account, key in keys.items()}, clock, owns
        self._residents = residents(contract)
        self._numbers = itertools.count(1)
        self._active_first: str | None = None
        self._awaited: list[tuple[int, asyncio.Future[None]]] = []
        self.count = 0
        """How many requests have come; the log may have forgotten some."""

    # -- objects

    def populate(self, state: ModelState, also: Iterable[str]) -> ModelState:
        """The state with somebody else's objects in it, those called ``also`` among them."""
        by_server = bool(self.contract.lifecycle.id)
        names = ["", *first_names(self.contract), ""] if by_server else first_names(self.contract)
        first, *others = [credential.account for credential in self.contract.credentials]
        for name in dict.fromkeys([*also, *names]) if not by_server else [*also, *names]:
            state = self._settle(state, first, name)
        for account, name in itertools.product(() if by_server else others, ELSEWHERE):
            state = self._settle(state, account, name)
        self._active_first = self._residents.active(state)
        return state

    def plant(self, state: ModelState, name: str, hours: float, *, foreign: bool) -> ModelState:
        """The state with one object more: somebody else's, or what an earlier run left ``hours`` ago."""
        account = self.contract.credentials[0].account
        created = self._clock.wall() - 3600 * hours
        state, key = self._residents.settle(state, account, name, next(self._numbers), created)
        if foreign:
            self._claim(state, key)
        else:
            self.made[key] = None
        return state

    def _settle(self, state: ModelState, account: str, name: str) -> ModelState:
        number = next(self._numbers)
        state, key = self._residents.settle(state, account, name, number, age(number))
        self._claim(state, key)
        return state

    def _claim(self, state: ModelState, key: Key) -> None:
        self.foreign[key] = essence(self._residents.objects(state)[key])
        self._ever.add(key[1])

    def follow(self, before: ModelState, after: ModelState) -> ModelState:
        """Look what a request did; gives the state that others make of it."""
        if after is before:
            return after
        entry, now = ASKED.get() or {}, self._residents.objects(after)
        for key, was in list(self.foreign.items()):
            what = essence(now[key]) if key in now else None
            if what != was:
                self._touch(entry, "changed", "", key[1], {"was": was, "is": what})
                if what is None:
                    del self.foreign[key]
                else:
                    self.foreign[key] = what
        made = now.keys() - self._residents.objects(before).keys() - self.foreign.keys()
        for key in sorted(made):
            self.made[key] = None
            after = self._beside(after, key) if self.beside else after
        return after

    def _beside(self, state: ModelState, key: Key) -> ModelState:
        """The state with foreign neighbours of the run's object ``key``; older ones go, so that there are never too many."""
        name = self._residents.label(self._residents.objects(state)[key])
        for other in neighbours(name, self._owns):
            taken = self._residents.objects(state)
            if not self.contract.lifecycle.id and ((key[0], other) in taken or (key[0], other) in self.made):
                continue
            while len(self.foreign) >= MOST and self._guests:
                oldest = self._guests.pop(0)
                if self.foreign.pop(oldest, None) is not None:
                    state = self._residents.without(state, oldest)
            if len(self.foreign) >= MOST:
                break
            number = next(self._numbers)
            state, guest = self._residents.settle(state, key[0], other, number, age(number))
            self._claim(state, guest)
            self._guests.append(guest)
        return state

    def left(self, state: ModelState) -> list[dict[str, str]]:
        """What is there of the run's."""
        objects = self._residents.objects(state)
        return [self._shown(key, objects[key]) for key in sorted(objects.keys() - self.foreign.keys())]

    def others(self, state: ModelState) -> list[dict[str, Any]]:
        """What is there of somebody else's, with its full state."""
        objects = self._residents.objects(state)
        return [
            {**self._shown(key, objects[key]), "state": self.foreign[key]}
            for key in sorted(objects.keys() & self.foreign.keys())
        ]

    def active(self, state: ModelState) -> dict[str, str | None]:
        """Which object was the active one at the start, and which is now."""
        return {"start": self._active_first, "now": self._residents.active(state)}

    def _shown(self, key: Key, what: Any) -> dict[str, str]:
        return {"account": key[0], "identity": key[1], "name": self._residents.label(what)}

    # -- requests

    def asked(
        self, surface: str, method: str, path: str, headers: Mapping[str, str], body: Any,
        operation: Operation | None, parameters: Mapping[str, str],
    ) -> Entry:  # fmt: skip
        """Note a request; ``headers`` have lower-case names. What it is answered is filled in later."""
        account = self._account(headers, body)
        shown = {"malformed": True} if body is MissingBody.MALFORMED else None if body is MissingBody.ABSENT else body
        if len(str(shown)) > _LARGE:
            shown = {"characters": len(str(shown))}
        entry = {
            "number": self.count + 1, "time": self._clock.wall(), "surface": surface, "method": method, "path": path,
            "operation": operation.id if operation is not None else None, "parameters": dict(parameters),
            "account": account, "headers": {name: self._without_keys(text) for name, text in headers.items()},
            "body": shown, "status": None, "executed": False, "cut": "",
        }  # fmt: skip
        self.log.append(entry)
        self._come()
        for argument, role, value in self._named(path, method, operation, join_arguments(parameters, body)):
            why = self._wrong(account, role, value)
            if why:
                self._touch(entry, why, argument, value)
        return entry

    def _come(self) -> None:
        self.count += 1
        for count, awaited in self._awaited:
            if count <= self.count and not awaited.done():
                awaited.set_result(None)
        self._awaited = [(count, awaited) for count, awaited in self._awaited if not awaited.done()]

    async def come(self, count: int) -> None:
        """Wait until ``count`` requests have come in all."""
        if self.count < count:
            self._awaited.append((count, asyncio.get_running_loop().create_future()))
            await self._awaited[-1][1]

    def _account(self, headers: Mapping[str, str], body: Any) -> str:
        """Whose key the request carries; empty where it carries no good one."""
        for place in self.contract.credential_locations:
            held = headers.get(place.header.lower()) if place.header else None
            if place.field and isinstance(body, dict):
                held = body.get(place.field)
            head = place.form.partition("{}")[0]
            if isinstance(held, str) and held[: len(head)].lower() == head.lower() and held[len(head) :] in self._keys:
                return self._keys[held[len(head) :]]
        return ""

    def _without_keys(self, text: str) -> str:
        for key, account in self._keys.items():
            text = text.replace(key, f"<{account}>")
        return text

    def _named(
        self, path: str, method: str, operation: Operation | None, arguments: Mapping[str, Any]
    ) -> Iterator[tuple[str, str, str]]:
        """What a request that may change something names: the argument, its role, and the name."""
        contract = self.contract
        if method in _SAFE or (operation is not None and contract.is_read_only(operation.id)):
            return
        roles = dict(contract.get_roles(operation.id)) if operation is not None else {}
        if operation is None:  # a method that nobody declared might do anything to what it names
            for one in contract.operations.values():
                if (found := one.match_path(path)) is not None:
                    roles |= dict.fromkeys(contract.get_roles(one.id), "existing")
                    arguments = {**join_arguments(found, {}), **arguments}
        for argument, role in roles.items():
            value = arguments.get(argument)
            if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
                yield argument, role, str(value)

    def _wrong(self, account: str, role: str, value: str) -> str:
        """Why a request may not name ``value`` in that role; empty where it may."""
        if role == "foreign":
            return "elsewhere"
        if role == "new" and self.contract.lifecycle.id:
            return "" if self._owns(value) else "form"
        made = (account, value) in self.made or (
            any(name == value for _, name in self.made) and value not in self._ever
        )
        if (account, value) in self.foreign or (value in self._ever and not made):
            return "foreign"
        if made or self._owns(value):
            return ""
        if any(value.strip().casefold() == known.strip().casefold() for known in self._ever):
            return "foreign"
        return "form" if role == "new" else "not-made"

    def _touch(self, entry: Entry, why: str, argument: str, name: str, what: Mapping[str, Any] = {}) -> None:
        known = {field: entry.get(field) for field in ("number", "operation", "method", "path", "account", "surface")}
        self.touched.append({**known, "why": why, "argument": argument, "name": name, **what})


class Inhabited(MockVendor):
    """A vendor in whose accounts somebody else has objects, and who keeps books on what becomes of them."""

    def __init__(
        self, books: Books, environment: Mapping[str, str], interpretations: Mapping[str, str], also: Iterable[str] = ()
    ) -> None:
        self.books, self._also = books, tuple(also)
        super().__init__(books.contract, environment, interpretations)

    def reset(self) -> None:
        """See Vendor."""
        super().reset()
        self.state = self.books.populate(self.state, self._also)

    def handle_request(
        self,
        operation: Operation,
        path: str,
        headers: Mapping[str, str],
        body: Any,
        parameters: Mapping[str, str] = {},
    ) -> tuple[int, Any]:
        """See Vendor."""
        before = self.state
        said = super().handle_request(operation, path, headers, body, parameters)
        self.state = self.books.follow(before, self.state)
        return said
