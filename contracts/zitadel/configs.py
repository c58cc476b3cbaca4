"""What the model knows of an instance's SMTP configurations. Passwords are never among it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from contract_watch.contracts.interpretations import Readings
from contract_watch.contracts.model import Account
from contracts.zitadel.rules import ACTIVATE, ADD, DEACTIVATE, PASSWORDS, READS, REMOVE

LAG = 0.3
"""For how many seconds the mock's reading shows what was before, where it lags."""


@dataclass(frozen=True)
class Config:
    """One configuration.

    ``settings`` are what add set, None where nothing is known of a text. ``active`` is None where that is not known.
    ``sequence`` is the last one seen (0: none), ``exact`` whether reading has to show that very one, or may show a later
    one. ``state_by`` and ``sequence_by`` are the clauses that say why they are so. ``secret`` is a digest of the password, never
    the password, to know an unchanged one by. ``seen`` tells whether an answer has
    shown it to be there, ``since`` is the last operation, after it was read, that changed any configuration or was
    refused to change this one. Times are in seconds since the epoch, by the clock of whoever asked.
    """

    id: str
    settings: Mapping[str, Any]
    active: bool | None
    sequence: int
    exact: bool
    created: float
    changed: float
    state_by: str = f"{ADD}/effect/state"
    sequence_by: str = f"{ADD}/effect/sequence"
    secret: str = ""
    seen: bool = False
    since: str = ""

    def after(self, operation: str, at: float, sequence: int | None, secret: str) -> "Config":
        """This configuration after a success of ``operation`` on it; ``sequence`` is what the answer said."""
        new = replace(self, sequence=sequence or self.sequence, exact=sequence is not None, changed=at, seen=True,
                      sequence_by=f"{operation}/effect/sequence")  # fmt: skip
        if operation in (ACTIVATE, DEACTIVATE):
            return replace(new, active=operation == ACTIVATE, state_by=f"{operation}/effect/state")
        if operation in PASSWORDS:
            new = replace(new, secret=secret)
        if operation in PASSWORDS and self.active is False:
            return new.doubted()  # the reference's words may mean that this activates it
        return new

    def outdone(self) -> "Config":
        """This configuration after another one was activated; that may count as a change of it."""
        if self.active is False:
            return self
        return replace(self, active=False, exact=False, state_by=f"{ACTIVATE}/effect/others")

    def doubted(self) -> "Config":
        """This configuration where it is not known any more whether it is active."""
        return replace(self, active=None, exact=False)


@dataclass(frozen=True)
class Past:
    """What the configurations were until a change at ``until``."""

    until: float
    configs: tuple[Config, ...]


@dataclass(frozen=True)
class State:
    """All that is known of the instance.

    ``gone`` are ids that were removed, ``doubtful`` those of which a broken contract, or an answer about somebody
    else's object, left nothing known. Other ids that begin with ``fresh`` exist never; where it is empty, that holds for
    all: the mock knows everything, and counts its changes in ``sequence``. ``past`` is kept where the mock's reading lags.
    ``reads`` tells whether reading has ever shown anything, ``lists`` whether the list has shown one of these.
    """

    accounts: Mapping[str, Account]
    readings: Readings
    fresh: str
    configs: tuple[Config, ...] = ()
    gone: frozenset[str] = frozenset()
    doubtful: frozenset[str] = frozenset()
    sequence: int = 0
    past: tuple[Past, ...] = ()
    reads: bool = False
    lists: bool = False

    @property
    def knows_all(self) -> bool:
        """Whether this is the mock's state, where nothing is left open."""
        return not self.fresh

    @property
    def next(self) -> int:
        """A sequence that no configuration has had."""
        return max((self.sequence, *(config.sequence for config in self.configs))) + 1

    def read(self, readings: Readings) -> "State":
        """The same state under ``readings``."""
        return self if readings is self.readings else replace(self, readings=readings)

    def find(self, name: str) -> Config | None:
        """The configuration with that id, if it is known."""
        return next((config for config in self.configs if config.id == name), None)

    def visible(self, at: float) -> tuple[Config, ...]:
        """The configurations as reading shows them at a time: the mock's projection may lag."""
        return next((past.configs for past in self.past if at < past.until + LAG), self.configs)

    def shown(self, name: str, at: float) -> Config | None:
        """The configuration with that id as reading shows it at a time."""
        return next((config for config in self.visible(at) if config.id == name), None)

    def known_absent(self, name: str) -> bool:
        """Whether no configuration can have that id that is not known to have it."""
        return name not in self.doubtful and (name in self.gone or name.lower().startswith(self.fresh))

    def added(self, config: Config) -> "State":
        """The state with one configuration more."""
        others = tuple(replace(one, since=ADD) for one in self.configs if one.id != config.id)
        known = replace(self, gone=self.gone - {config.id}, doubtful=self.doubtful - {config.id})
        return known.holding((*others, config), config.created, config.sequence)

    def changed(self, operation: str, name: str, at: float, sequence: int | None, secret: str = "") -> "State":
        """The state after a success of ``operation`` on the configuration with that id, known or not."""
        subject, configs = self.find(name), self.configs
        sequence = self.next if sequence is None and self.knows_all else sequence
        if operation == ACTIVATE:
            configs = tuple(one if one is subject else one.outdone() for one in configs)
        elif operation in PASSWORDS and not self.knows_all and (subject is None or subject.active is not True):
            configs = tuple(one.doubted() if one.active else one for one in configs)
        if subject is not None:
            new = subject.after(operation, at, sequence, secret)
            new = replace(new, active=subject.active) if self.knows_all and new.active is None else new
            configs = tuple(new if one.id == name else one for one in configs if one.id != name or operation != REMOVE)
        configs = tuple(replace(one, since=operation) for one in configs)
        state = self.holding(configs, at, sequence or 0)
        if self.knows_all:
            return state
        if operation == REMOVE:
            return replace(state, gone=self.gone | {name}, doubtful=self.doubtful - {name})
        return state if subject is not None else replace(state, doubtful=self.doubtful | {name})

    def refused(self, operation: str, name: str) -> "State":
        """The state after ``operation`` was refused to the configuration with that id: nothing is to come of it."""
        if self.knows_all or operation in READS or self.find(name) is None:
            return self
        configs = tuple(replace(one, since=operation) if one.id == name else one for one in self.configs)
        return replace(self, configs=configs)

    def learned(self, name: str, sequence: int | None, *, active: bool | None) -> "State":
        """The state after reading showed the configuration with that id so."""
        subject = self.find(name)
        if subject is None or self.knows_all:
            return self
        new = replace(subject, seen=True, since="", active=subject.active if active is None else active,
                      sequence=sequence or subject.sequence, exact=sequence is not None)  # fmt: skip
        return replace(self, configs=tuple(new if one is subject else one for one in self.configs), reads=True)

    def listed(self, rows: Mapping[str, tuple[int | None, bool | None]]) -> "State":
        """The state after a list showed ``rows``: by id, the sequence, and whether the configuration is active.

        Of all in the instance one is active at most, so none is of which that was not known beside one that is.
        """
        shown = not self.knows_all and any(self.find(name) is not None for name in rows)
        state = replace(self, lists=True) if shown else self
        for name, (sequence, active) in rows.items():
            state = state.learned(name, sequence, active=active)
        if not any(active for _, active in rows.values()):
            return state
        told = (replace(one, active=False) if one.active is None else one for one in state.configs)
        return replace(state, configs=tuple(told))

    def unnamed(self, mark: str) -> "State":
        """The state after an addition of which no answer told the id: there may be one with that mark."""
        return self if self.knows_all else replace(self, doubtful=self.doubtful | {mark})

    def stray(self, name: str, mark: str) -> bool:
        """Whether a listed configuration with that id, which is not known, cannot be there: its mark is the run's own."""
        own = not self.knows_all and mark.strip().lower().startswith(self.fresh)
        return own and {name, mark.strip()}.isdisjoint(lost.strip() for lost in self.doubtful)

    def forgotten(self, names: Iterable[str]) -> "State":
        """The state in which nothing is known of the configurations that ``names`` are ids or marks of.

        Whatever happened to one of them may have deactivated another.
        """
        lost = set(names)
        dropped = [one for one in self.configs if one.id in lost or one.settings.get("description") in lost]
        kept = tuple(one.doubted() if one.active else one for one in self.configs if one not in dropped)
        return replace(
            self, configs=kept, gone=self.gone - lost, doubtful=self.doubtful | lost | {d.id for d in dropped}
        )

    def holding(self, configs: tuple[Config, ...], at: float, sequence: int) -> "State":
        """The state with these configurations since ``at``; the mock has counted up to ``sequence`` by then."""
        if not self.knows_all:
            return replace(self, configs=configs)
        past = self.past
        if self.readings.choices("projection")[0] == "lagging":
            past = (*(one for one in past if one.until + LAG > at), Past(at, self.configs))
        return replace(self, configs=configs, sequence=max(self.sequence, sequence), past=past)
