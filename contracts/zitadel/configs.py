"""What the model knows of an instance's SMTP configurations. Passwords are never among it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from contract_watch.contracts.interpretations import Interpretations
from contract_watch.contracts.model import Account
from contracts.zitadel.rules import ACTIVATE, ADD, DEACTIVATE, PASSWORDS, READ_OPERATIONS, REMOVE

LAG = 0.3
"""For how many seconds the mock's reading shows what was before, where it lags."""


@dataclass(frozen=True)
class SmtpConfig:
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
        """This configuration after a success of ``operation`` on it; ``sequence`` is what the answer said."""
        new = replace(self, sequence=sequence or self.sequence, is_sequence_exact=sequence is not None, changed_at=at, was_read=True,
                      sequence_clause=f"{operation}/effect/sequence")  # fmt: skip
        if operation in (ACTIVATE, DEACTIVATE):
            return replace(new, is_active=operation == ACTIVATE, state_clause=f"{operation}/effect/state")
        if operation in PASSWORDS:
            new = replace(new, password_digest=password_digest)
        if operation in PASSWORDS and self.is_active is False:
            return new.forget_active()  # the reference's words may mean that this activates it
        return new

    def mark_superseded(self) -> "SmtpConfig":
        """This configuration after another one was activated; that may count as a change of it."""
        if self.is_active is False:
            return self
        return replace(self, is_active=False, is_sequence_exact=False, state_clause=f"{ACTIVATE}/effect/others")

    def forget_active(self) -> "SmtpConfig":
        """This configuration where it is not known any more whether it is active."""
        return replace(self, is_active=None, is_sequence_exact=False)


@dataclass(frozen=True)
class PastConfigs:
    """What the configurations were until a change at ``until``."""

    until: float
    configs: tuple[SmtpConfig, ...]


@dataclass(frozen=True)
class ZitadelState:
    """All that is known of the instance.

    ``gone`` are ids that were removed, ``doubtful`` those of which a broken contract, or an answer about somebody
    else's object, left nothing known. Other ids that begin with ``fresh`` exist never; where it is empty, that holds for
    all: the mock knows everything, and counts its changes in ``sequence``. ``past`` is kept where the mock's reading lags.
    ``reads`` tells whether reading has ever shown anything, ``lists`` whether the list has shown one of these.
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
        """Whether this is the mock's state, where nothing is left open."""
        return not self.own_prefix

    @property
    def next_sequence(self) -> int:
        """A sequence that no configuration has had."""
        return max((self.sequence, *(config.sequence for config in self.configs))) + 1

    def with_interpretations(self, interpretations: Interpretations) -> "ZitadelState":
        """The same state under ``readings``."""
        return self if interpretations is self.interpretations else replace(self, interpretations=interpretations)

    def find_config(self, name: str) -> SmtpConfig | None:
        """The configuration with that id, if it is known."""
        return next((config for config in self.configs if config.id == name), None)

    def get_visible_configs(self, at: float) -> tuple[SmtpConfig, ...]:
        """The configurations as reading shows them at a time: the mock's projection may lag."""
        return next((past.configs for past in self.past if at < past.until + LAG), self.configs)

    def find_visible_config(self, name: str, at: float) -> SmtpConfig | None:
        """The configuration with that id as reading shows it at a time."""
        return next((config for config in self.get_visible_configs(at) if config.id == name), None)

    def is_known_absent(self, name: str) -> bool:
        """Whether no configuration can have that id that is not known to have it."""
        return name not in self.unknown_names and (name in self.removed_ids or name.lower().startswith(self.own_prefix))

    def add_config(self, config: SmtpConfig) -> "ZitadelState":
        """The state with one configuration more."""
        others = tuple(replace(one, last_operation=ADD) for one in self.configs if one.id != config.id)
        known = replace(
            self, removed_ids=self.removed_ids - {config.id}, unknown_names=self.unknown_names - {config.id}
        )
        return known.with_configs((*others, config), config.created_at, config.sequence)

    def apply_change(
        self, operation: str, name: str, at: float, sequence: int | None, password_digest: str = ""
    ) -> "ZitadelState":
        """The state after a success of ``operation`` on the configuration with that id, known or not."""
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
        """The state after ``operation`` was refused to the configuration with that id: nothing is to come of it."""
        if self.is_complete or operation in READ_OPERATIONS or self.find_config(name) is None:
            return self
        configs = tuple(replace(one, last_operation=operation) if one.id == name else one for one in self.configs)
        return replace(self, configs=configs)

    def record_read(self, name: str, sequence: int | None, *, is_active: bool | None) -> "ZitadelState":
        """The state after reading showed the configuration with that id so."""
        subject = self.find_config(name)
        if subject is None or self.is_complete:
            return self
        new = replace(subject, was_read=True, last_operation="", is_active=subject.is_active if is_active is None else is_active,
                      sequence=sequence or subject.sequence, is_sequence_exact=sequence is not None)  # fmt: skip
        return replace(self, configs=tuple(new if one is subject else one for one in self.configs), has_read=True)

    def record_list(self, rows: Mapping[str, tuple[int | None, bool | None]]) -> "ZitadelState":
        """The state after a list showed ``rows``: by id, the sequence, and whether the configuration is active.

        Of all in the instance one is active at most, so none is of which that was not known beside one that is.
        """
        shown = not self.is_complete and any(self.find_config(name) is not None for name in rows)
        state = replace(self, has_listed=True) if shown else self
        for name, (sequence, active) in rows.items():
            state = state.record_read(name, sequence, is_active=active)
        if not any(active for _, active in rows.values()):
            return state
        told = (replace(one, is_active=False) if one.is_active is None else one for one in state.configs)
        return replace(state, configs=tuple(told))

    def record_unnamed_config(self, mark: str) -> "ZitadelState":
        """The state after an addition of which no answer told the id: there may be one with that mark."""
        return self if self.is_complete else replace(self, unknown_names=self.unknown_names | {mark})

    def is_stray(self, name: str, mark: str) -> bool:
        """Whether a listed configuration with that id, which is not known, cannot be there: its mark is the run's own."""
        own = not self.is_complete and mark.strip().lower().startswith(self.own_prefix)
        return own and {name, mark.strip()}.isdisjoint(lost.strip() for lost in self.unknown_names)

    def forget_configs(self, names: Iterable[str]) -> "ZitadelState":
        """The state in which nothing is known of the configurations that ``names`` are ids or marks of.

        Whatever happened to one of them may have deactivated another.
        """
        lost = set(names)
        dropped = [one for one in self.configs if one.id in lost or one.settings.get("description") in lost]
        kept = tuple(one.forget_active() if one.is_active else one for one in self.configs if one not in dropped)
        return replace(
            self,
            configs=kept,
            removed_ids=self.removed_ids - lost,
            unknown_names=self.unknown_names | lost | {d.id for d in dropped},
        )

    def with_configs(self, configs: tuple[SmtpConfig, ...], at: float, sequence: int) -> "ZitadelState":
        """The state with these configurations since ``at``; the mock has counted up to ``sequence`` by then."""
        if not self.is_complete:
            return replace(self, configs=configs)
        past = self.past
        if self.interpretations.get_choices("projection")[0] == "lagging":
            past = (*(one for one in past if one.until + LAG > at), PastConfigs(at, self.configs))
        return replace(self, configs=configs, sequence=max(self.sequence, sequence), past=past)
