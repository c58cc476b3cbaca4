"""The model's state: an instance's SMTP configurations, without their passwords."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from contract_watch.contracts.model import Account
from contract_watch.contracts.outcomes import Interpretations
from contracts.zitadel.rules import ACTIVATE, ADD, DEACTIVATE, PASSWORDS, READ_OPERATIONS, REMOVE

LAG = 0.3
"""Seconds during which a lagging mock returns the state before a change."""


@dataclass(frozen=True)
class SmtpConfig:
    """An SMTP configuration.

    ``settings`` are the values that add set, None for a string with an unknown value; ``is_active`` is None if unknown.
    ``sequence`` is the last one returned (0: none); a read must return it if ``is_sequence_exact``, else it or a later
    one. ``state_clause`` and ``sequence_clause`` are the clauses that determine them. ``password_digest`` detects an
    unchanged password. ``was_read`` is True once a response has contained the configuration. ``last_operation`` is the
    last operation after that which changed any configuration, or failed to change this one; empty if none. Times are in
    seconds since the epoch, by the clock of the client.
    """

    id: str
    settings: Mapping[str, Any]
    is_active: bool | None
    sequence: int
    is_sequence_exact: bool
    created_at: float
    changed_at: float
    state_clause: str = f"{ADD}/effect/state"
    sequence_clause: str = f"{ADD}/effect/sequence"
    password_digest: str = ""
    was_read: bool = False
    last_operation: str = ""

    def apply_operation(self, operation: str, at: float, sequence: int | None, password_digest: str) -> "SmtpConfig":
        """Return this configuration after a success of ``operation``; ``sequence`` is the one in the response."""
        new = replace(self, sequence=sequence or self.sequence, is_sequence_exact=sequence is not None, changed_at=at, was_read=True,
                      sequence_clause=f"{operation}/effect/sequence")  # fmt: skip
        if operation in (ACTIVATE, DEACTIVATE):
            return replace(new, is_active=operation == ACTIVATE, state_clause=f"{operation}/effect/state")
        if operation in PASSWORDS:
            new = replace(new, password_digest=password_digest)
        if operation in PASSWORDS and self.is_active is False:
            return new.forget_active()  # by the reference, this can activate it
        return new

    def mark_superseded(self) -> "SmtpConfig":
        """Return this configuration after the activation of another one, which can count as a change of this one."""
        if self.is_active is False:
            return self
        return replace(self, is_active=False, is_sequence_exact=False, state_clause=f"{ACTIVATE}/effect/others")

    def forget_active(self) -> "SmtpConfig":
        """Return this configuration with an unknown activity."""
        return replace(self, is_active=None, is_sequence_exact=False)


@dataclass(frozen=True)
class PastConfigs:
    """The configurations before a change at the time ``until``."""

    until: float
    configs: tuple[SmtpConfig, ...]


@dataclass(frozen=True)
class ZitadelState:
    """The known state of the instance (``accounts`` by key).

    ``own_prefix`` is described in `Model.start`; it is empty in the mock's state, which is complete. ``removed_ids`` are
    the ids of removed configurations. ``unknown_names`` are ids and descriptions whose existence is unknown, after a
    broken contract or a response about an object of somebody else. The mock counts its changes in ``sequence`` and keeps
    ``past`` if its reads lag. ``has_read`` is True once a read has returned anything, ``has_listed`` once the list has
    contained one of ``configs``.
    """

    accounts: Mapping[str, Account]
    interpretations: Interpretations
    own_prefix: str
    configs: tuple[SmtpConfig, ...] = ()
    removed_ids: frozenset[str] = frozenset()
    unknown_names: frozenset[str] = frozenset()
    sequence: int = 0
    past: tuple[PastConfigs, ...] = ()
    has_read: bool = False
    has_listed: bool = False

    @property
    def is_complete(self) -> bool:
        """True for the mock's state, in which nothing is unknown."""
        return not self.own_prefix

    @property
    def next_sequence(self) -> int:
        """The next unused sequence."""
        return max((self.sequence, *(config.sequence for config in self.configs))) + 1

    def find_config(self, name: str) -> SmtpConfig | None:
        """Return the configuration with the id ``name``, if it is known."""
        return next((config for config in self.configs if config.id == name), None)

    def get_visible_configs(self, at: float) -> tuple[SmtpConfig, ...]:
        """Return the configurations that a read returns at a time; the mock's projection can lag."""
        return next((past.configs for past in self.past if at < past.until + LAG), self.configs)

    def find_visible_config(self, name: str, at: float) -> SmtpConfig | None:
        """Return the configuration with the id ``name`` that a read returns at a time."""
        return next((config for config in self.get_visible_configs(at) if config.id == name), None)

    def is_known_absent(self, name: str) -> bool:
        """Return True if no unknown configuration with the id ``name`` can exist."""
        return name not in self.unknown_names and (name in self.removed_ids or name.lower().startswith(self.own_prefix))

    def add_config(self, config: SmtpConfig) -> "ZitadelState":
        """Return the state with one more configuration."""
        others = tuple(replace(one, last_operation=ADD) for one in self.configs if one.id != config.id)
        known = replace(
            self, removed_ids=self.removed_ids - {config.id}, unknown_names=self.unknown_names - {config.id}
        )
        return known.with_configs((*others, config), config.created_at, config.sequence)

    def apply_change(
        self, operation: str, name: str, at: float, sequence: int | None, password_digest: str = ""
    ) -> "ZitadelState":
        """Return the state after a success of ``operation`` on the configuration ``name``, known or not."""
        subject, configs = self.find_config(name), self.configs
        sequence = self.next_sequence if sequence is None and self.is_complete else sequence
        if operation == ACTIVATE:
            configs = tuple(one if one is subject else one.mark_superseded() for one in configs)
        elif operation in PASSWORDS and not self.is_complete and (subject is None or subject.is_active is not True):
            configs = tuple(one.forget_active() if one.is_active else one for one in configs)
        if subject is not None:
            new = subject.apply_operation(operation, at, sequence, password_digest)
            new = replace(new, is_active=subject.is_active) if self.is_complete and new.is_active is None else new
            configs = tuple(new if one.id == name else one for one in configs if one.id != name or operation != REMOVE)
        configs = tuple(replace(one, last_operation=operation) for one in configs)
        state = self.with_configs(configs, at, sequence or 0)
        if self.is_complete:
            return state
        if operation == REMOVE:
            return replace(state, removed_ids=self.removed_ids | {name}, unknown_names=self.unknown_names - {name})
        return state if subject is not None else replace(state, unknown_names=self.unknown_names | {name})

    def record_refusal(self, operation: str, name: str) -> "ZitadelState":
        """Return the state after a refusal of ``operation`` on the configuration ``name``, which must have no effect."""
        if self.is_complete or operation in READ_OPERATIONS or self.find_config(name) is None:
            return self
        configs = tuple(replace(one, last_operation=operation) if one.id == name else one for one in self.configs)
        return replace(self, configs=configs)

    def record_read(self, name: str, sequence: int | None, *, is_active: bool | None) -> "ZitadelState":
        """Return the state after a read of the configuration ``name`` with these values."""
        subject = self.find_config(name)
        if subject is None or self.is_complete:
            return self
        new = replace(subject, was_read=True, last_operation="", is_active=subject.is_active if is_active is None else is_active,
                      sequence=sequence or subject.sequence, is_sequence_exact=sequence is not None)  # fmt: skip
        return replace(self, configs=tuple(new if one is subject else one for one in self.configs), has_read=True)

    def record_list(self, rows: Mapping[str, tuple[int | None, bool | None]]) -> "ZitadelState":
        """Return the state after a list with ``rows``: by id, the sequence and if the configuration is active.

        At most one configuration of the instance is active, so an active row makes all unknown ones inactive.
        """
        has_listed = not self.is_complete and any(self.find_config(name) is not None for name in rows)
        state = replace(self, has_listed=True) if has_listed else self
        for name, (sequence, active) in rows.items():
            state = state.record_read(name, sequence, is_active=active)
        if not any(active for _, active in rows.values()):
            return state
        configs = tuple(replace(one, is_active=False) if one.is_active is None else one for one in state.configs)
        return replace(state, configs=configs)

    def record_unnamed_config(self, mark: str) -> "ZitadelState":
        """Return the state after an addition whose response had no id: the description ``mark`` can exist."""
        return self if self.is_complete else replace(self, unknown_names=self.unknown_names | {mark})

    def is_stray(self, name: str, mark: str) -> bool:
        """Return True if a listed configuration with an unknown id must not exist, because its mark is the run's own."""
        is_own = not self.is_complete and mark.strip().lower().startswith(self.own_prefix)
        return is_own and {name, mark.strip()}.isdisjoint(unknown.strip() for unknown in self.unknown_names)

    def forget_configs(self, names: Iterable[str]) -> "ZitadelState":
        """Return the state in which the configurations with the ids or descriptions ``names`` are unknown.

        An event at one of them can have deactivated another.
        """
        forgotten = set(names)
        dropped = [one for one in self.configs if one.id in forgotten or one.settings.get("description") in forgotten]
        configs = tuple(one.forget_active() if one.is_active else one for one in self.configs if one not in dropped)
        return replace(
            self,
            configs=configs,
            removed_ids=self.removed_ids - forgotten,
            unknown_names=self.unknown_names | forgotten | {one.id for one in dropped},
        )

    def with_configs(self, configs: tuple[SmtpConfig, ...], at: float, sequence: int) -> "ZitadelState":
        """Return the state with ``configs`` since ``at``; the mock's counter is at least ``sequence``."""
        if not self.is_complete:
            return replace(self, configs=configs)
        past = self.past
        if self.interpretations.get_choices("projection")[0] == "lagging":
            past = (*(one for one in past if one.until + LAG > at), PastConfigs(at, self.configs))
        return replace(self, configs=configs, sequence=max(self.sequence, sequence), past=past)
