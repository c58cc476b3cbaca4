"""The activity log of a fake production vendor: requests, objects of runs, and violations against foreign objects."""

import asyncio
import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from contract_watch.contracts.openapi import Operation, join_arguments
from contract_watch.contracts.outcomes import ModelState
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody
from contract_watch.mock.vendor import MockVendor
from tests.support.production.foreign_objects import (
    MAX_FOREIGN_OBJECTS,
    OTHER_ACCOUNTS_NAMES,
    NamePredicate,
    ObjectKey,
    choose_creation_time,
    dump_object,
    list_foreign_names,
    make_adapter,
    make_similar_names,
)
from tests.support.production.rate_limit import RateClock, StrictRateLimit

LOG_LENGTH = 20_000
"""Most requests that the log holds."""
_LARGE_BODY = 50_000
"""Characters above which a body is not stored."""
_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")

LogEntry = dict[str, Any]
CURRENT_ENTRY: ContextVar[LogEntry | None] = ContextVar("ASKED", default=None)
"""Log entry of the request in progress."""


class ActivityLog:
    """Log of one fake vendor and ownership of its objects. ``is_run_name`` recognises a run's names."""

    def __init__(
        self,
        contract: Contract,
        keys: Mapping[str, str],
        clock: RateClock,
        is_run_name: NamePredicate,
        *,
        with_neighbours: bool,
    ) -> None:
        """Create an empty log; ``with_neighbours`` adds foreign objects with similar names beside each object of a run."""
        self.contract, self.with_neighbours = contract, with_neighbours
        self.rate_limit = StrictRateLimit(contract.rate, clock)
        self.entries: deque[LogEntry] = deque(maxlen=LOG_LENGTH)
        self.violations: list[LogEntry] = []
        self.run_objects: dict[ObjectKey, None] = {}
        self.foreign_objects: dict[ObjectKey, Any] = {}
        self._foreign_names: set[str] = set()
        self._neighbours: list[ObjectKey] = []
        self._keys, self._clock, self._owns = {key: account for account, key in keys.items()}, clock, is_run_name
        self._objects = make_adapter(contract)
        self._numbers = itertools.count(1)
        self._active_first: str | None = None
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        self.count = 0
        """Number of requests so far; the log may have dropped some."""

    # -- objects

    def add_foreign_objects(self, state: ModelState, also: Iterable[str]) -> ModelState:
        """Add foreign objects to the state, those called ``extra_names`` among them."""
        by_server = bool(self.contract.lifecycle.id)
        names = ["", *list_foreign_names(self.contract), ""] if by_server else list_foreign_names(self.contract)
        first, *others = [credential.account for credential in self.contract.credentials]
        for name in dict.fromkeys([*also, *names]) if not by_server else [*also, *names]:
            state = self._add_foreign_object(state, first, name)
        for account, name in itertools.product(() if by_server else others, OTHER_ACCOUNTS_NAMES):
            state = self._add_foreign_object(state, account, name)
        self._active_first = self._objects.find_active(state)
        return state

    def add_object(self, state: ModelState, name: str, hours: float, *, foreign: bool) -> ModelState:
        """Add one object: a foreign one, or a leftover that an earlier run created ``hours`` ago."""
        account = self.contract.credentials[0].account
        created = self._clock.wall() - 3600 * hours
        state, key = self._objects.add_object(state, account, name, next(self._numbers), created)
        if foreign:
            self._record_foreign_object(state, key)
        else:
            self.run_objects[key] = None
        return state

    def _add_foreign_object(self, state: ModelState, account: str, name: str) -> ModelState:
        number = next(self._numbers)
        state, key = self._objects.add_object(state, account, name, number, choose_creation_time(number))
        self._record_foreign_object(state, key)
        return state

    def _record_foreign_object(self, state: ModelState, key: ObjectKey) -> None:
        self.foreign_objects[key] = dump_object(self._objects.list_objects(state)[key])
        self._foreign_names.add(key[1])

    def record_state_change(self, before: ModelState, after: ModelState) -> ModelState:
        """Record the effect of a request; return the state with foreign neighbours added."""
        if after is before:
            return after
        entry, now = CURRENT_ENTRY.get() or {}, self._objects.list_objects(after)
        for key, was in list(self.foreign_objects.items()):
            what = dump_object(now[key]) if key in now else None
            if what != was:
                self._record_violation(entry, "changed", "", key[1], {"was": was, "is": what})
                if what is None:
                    del self.foreign_objects[key]
                else:
                    self.foreign_objects[key] = what
        made = now.keys() - self._objects.list_objects(before).keys() - self.foreign_objects.keys()
        for key in sorted(made):
            self.run_objects[key] = None
            after = self._add_neighbours(after, key) if self.with_neighbours else after
        return after

    def _add_neighbours(self, state: ModelState, key: ObjectKey) -> ModelState:
        """Add foreign neighbours of the run's object ``key``; old ones are removed, so that there are never too many."""
        name = self._objects.find_label(self._objects.list_objects(state)[key])
        for other in make_similar_names(name, self._owns):
            taken = self._objects.list_objects(state)
            if not self.contract.lifecycle.id and ((key[0], other) in taken or (key[0], other) in self.run_objects):
                continue
            while len(self.foreign_objects) >= MAX_FOREIGN_OBJECTS and self._neighbours:
                oldest = self._neighbours.pop(0)
                if self.foreign_objects.pop(oldest, None) is not None:
                    state = self._objects.remove_object(state, oldest)
            if len(self.foreign_objects) >= MAX_FOREIGN_OBJECTS:
                break
            number = next(self._numbers)
            state, guest = self._objects.add_object(state, key[0], other, number, choose_creation_time(number))
            self._record_foreign_object(state, guest)
            self._neighbours.append(guest)
        return state

    def list_run_objects(self, state: ModelState) -> list[dict[str, str]]:
        """List the run's objects."""
        objects = self._objects.list_objects(state)
        return [self._format_object(key, objects[key]) for key in sorted(objects.keys() - self.foreign_objects.keys())]

    def list_foreign_objects(self, state: ModelState) -> list[dict[str, Any]]:
        """List the foreign objects with their full state."""
        objects = self._objects.list_objects(state)
        return [
            {**self._format_object(key, objects[key]), "state": self.foreign_objects[key]}
            for key in sorted(objects.keys() & self.foreign_objects.keys())
        ]

    def read_active_object(self, state: ModelState) -> dict[str, str | None]:
        """Return the active object at the start, and the active one now."""
        return {"start": self._active_first, "now": self._objects.find_active(state)}

    def _format_object(self, key: ObjectKey, what: Any) -> dict[str, str]:
        return {"account": key[0], "identity": key[1], "name": self._objects.find_label(what)}

    # -- requests

    def record_request(
        self, surface: str, method: str, path: str, headers: Mapping[str, str], body: Any,
        operation: Operation | None, parameters: Mapping[str, str],
    ) -> LogEntry:  # fmt: skip
        """Record a request with lower-case header names; its response is added later."""
        account = self._find_account(headers, body)
        logged_body = (
            {"malformed": True} if body is MissingBody.MALFORMED else None if body is MissingBody.ABSENT else body
        )
        if len(str(logged_body)) > _LARGE_BODY:
            logged_body = {"characters": len(str(logged_body))}
        entry = {
            "number": self.count + 1, "time": self._clock.wall(), "surface": surface, "method": method, "path": path,
            "operation": operation.id if operation is not None else None, "parameters": dict(parameters),
            "account": account, "headers": {name: self._replace_keys(text) for name, text in headers.items()},
            "body": logged_body, "status": None, "executed": False, "cut": "",
        }  # fmt: skip
        self.entries.append(entry)
        self._count_request()
        for argument, role, value in self._find_named_objects(
            path, method, operation, join_arguments(parameters, body)
        ):
            why = self._find_violation(account, role, value)
            if why:
                self._record_violation(entry, why, argument, value)
        return entry

    def _count_request(self) -> None:
        self.count += 1
        for count, awaited in self._waiters:
            if count <= self.count and not awaited.done():
                awaited.set_result(None)
        self._waiters = [(count, awaited) for count, awaited in self._waiters if not awaited.done()]

    async def wait_for_requests(self, count: int) -> None:
        """Wait until ``count`` requests have arrived in all."""
        if self.count < count:
            self._waiters.append((count, asyncio.get_running_loop().create_future()))
            await self._waiters[-1][1]

    def _find_account(self, headers: Mapping[str, str], body: Any) -> str:
        """Return the account whose key the request carries; empty if it carries no valid one."""
        for place in self.contract.credential_locations:
            held = headers.get(place.header.lower()) if place.header else None
            if place.field and isinstance(body, dict):
                held = body.get(place.field)
            head = place.form.partition("{}")[0]
            if isinstance(held, str) and held[: len(head)].lower() == head.lower() and held[len(head) :] in self._keys:
                return self._keys[held[len(head) :]]
        return ""

    def _replace_keys(self, text: str) -> str:
        for key, account in self._keys.items():
            text = text.replace(key, f"<{account}>")
        return text

    def _find_named_objects(
        self, path: str, method: str, operation: Operation | None, arguments: Mapping[str, Any]
    ) -> Iterator[tuple[str, str, str]]:
        """List the names in a request that may mutate: argument, role, name."""
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

    def _find_violation(self, account: str, role: str, value: str) -> str:
        """Return why a request may not name ``value`` in that role; empty if it may."""
        if role == "foreign":
            return "elsewhere"
        if role == "new" and self.contract.lifecycle.id:
            return "" if self._owns(value) else "form"
        made = (account, value) in self.run_objects or (
            any(name == value for _, name in self.run_objects) and value not in self._foreign_names
        )
        if (account, value) in self.foreign_objects or (value in self._foreign_names and not made):
            return "foreign"
        if made or self._owns(value):
            return ""
        if any(value.strip().casefold() == known.strip().casefold() for known in self._foreign_names):
            return "foreign"
        return "form" if role == "new" else "not-made"

    def _record_violation(
        self, entry: LogEntry, why: str, argument: str, name: str, what: Mapping[str, Any] = {}
    ) -> None:
        known = {field: entry.get(field) for field in ("number", "operation", "method", "path", "account", "surface")}
        self.violations.append({**known, "why": why, "argument": argument, "name": name, **what})


class PopulatedVendor(MockVendor):
    """A vendor with foreign objects in its accounts, which records every effect on them."""

    def __init__(
        self,
        activity: ActivityLog,
        environment: Mapping[str, str],
        interpretations: Mapping[str, str],
        also: Iterable[str] = (),
    ) -> None:
        self.activity, self._foreign_names = activity, tuple(also)
        super().__init__(activity.contract, environment, interpretations)

    def reset(self) -> None:
        """Implement `MockVendor.reset`."""
        super().reset()
        self.state = self.activity.add_foreign_objects(self.state, self._foreign_names)

    def handle_request(
        self,
        operation: Operation,
        path: str,
        headers: Mapping[str, str],
        body: Any,
        parameters: Mapping[str, str] = {},
    ) -> tuple[int, Any]:
        """Implement `MockVendor.handle_request`."""
        before = self.state
        response = super().handle_request(operation, path, headers, body, parameters)
        self.state = self.activity.record_state_change(before, self.state)
        return response
