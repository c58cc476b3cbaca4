"""The model's state: the SMTP users of all accounts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contract_watch.contracts.model import Account
from contract_watch.contracts.outcomes import Interpretations
from contracts.smtp2go.names import fold_name
from contracts.smtp2go.rules import ADD, EDIT, PATCH, REMOVE

UNKNOWN = object()
"""A setting with an unknown value."""
GENERATED = object()
"""A password that the vendor generates; the response tells it."""

RATELIMIT = ("custom_ratelimit_value", "custom_ratelimit_period")
FEEDBACK = ("feedback_domain", "feedback_html", "feedback_text")

_NEVER_VIEWED = frozenset({"click_tracking_enabled"})
"""Settings that only responses of patch contain, by their page."""

DEFAULTS: Mapping[str, Any] = {
    "description": None,
    "custom_ratelimit": False,
    "custom_ratelimit_value": None,
    "custom_ratelimit_period": None,
    "ip_pool": None,
    "feedback_enabled": False,
    "feedback_domain": None,
    "feedback_html": None,
    "feedback_text": None,
    "open_tracking_enabled": False,
    "click_tracking_enabled": False,
    "archive_enabled": False,
    "audit_email": None,
    "bounce_notifications": "from",
    "status": "allowed",
}
"""The settings that add stores if the request has none: the pages' defaults, None for empty."""


@dataclass(frozen=True)
class Smtp2goUser:
    """An SMTP user.

    ``password`` is a string, None (none), `UNKNOWN` or `GENERATED`; it is not part of the repr. ``sent_settings`` are the
    settings that a request named, which responses must contain. ``clause_by_setting`` maps each setting to the clause
    that determines its value. ``unviewed_changes`` are the settings changed since the last view of the user: the
    response to the change contained them, which does not prove that they were stored.
    """

    account: str
    name: str
    password: Any = field(repr=False)
    settings: Mapping[str, Any]
    sent_settings: frozenset[str]
    clause_by_setting: Mapping[str, str]
    unviewed_changes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Smtp2goState:
    """The known state of all accounts (``accounts`` by key).

    ``own_prefix`` is described in `Model.start`; it is empty in the mock's state, which is complete. ``removed_names``
    maps the name of a removed user to the clause that removed it. ``unviewed_operations`` are the operations that changed
    or removed users since the last view of all, in order: they are suspected if a user is listed differently.
    ``unknown_names`` are the accounts and names whose existence is unknown.
    """

    accounts: Mapping[str, Account]
    interpretations: Interpretations
    own_prefix: str
    users: tuple[Smtp2goUser, ...] = ()
    removed_names: Mapping[str, str] = field(default_factory=dict)
    unviewed_operations: tuple[str, ...] = ()
    unknown_names: frozenset[tuple[str, str]] = frozenset()

    @property
    def is_complete(self) -> bool:
        """True for the mock's state, in which nothing is unknown."""
        return not self.own_prefix

    def get_choice(self, interpretation: str, scope: str = "") -> str:
        """Return the value of ``interpretation`` that the mock follows."""
        return self.interpretations.get_choices(interpretation, scope)[0]

    def list_users(self, account: str) -> list[Smtp2goUser]:
        """Return the account's users."""
        return [user for user in self.users if user.account == account]

    def find_user(self, account: str, name: str) -> Smtp2goUser | None:
        """Return the account's user called ``name``, if one is known; the mock can ignore case and outer space."""
        user = next((u for u in self.users if u.account == account and u.name == name), None)
        if user is None and self.is_complete and self.get_choice("names") == "folded":
            return next((u for u in self.users if u.account == account and fold_name(u.name) == fold_name(name)), None)
        return user

    def is_known_absent(self, name: str, account: str) -> bool:
        """Return True if no unknown user called ``name`` can exist in ``account``."""
        if any(owner == account and fold_name(unknown) == fold_name(name) for owner, unknown in self.unknown_names):
            return False
        return name in self.removed_names or fold_name(name).startswith(self.own_prefix)

    def put_user(self, user: Smtp2goUser, old: Smtp2goUser | None = None, operation: str = ADD) -> "Smtp2goState":
        """Return the state with ``user`` added, or in place of ``old``."""
        users = tuple(user if u is old else u for u in self.users) if old else (*self.users, user)
        removed = self.removed_names
        if removed:
            removed = {name: clause for name, clause in removed.items() if name != user.name}
        if self.is_complete:
            return replace(self, users=users, removed_names=removed)
        unviewed = (*self.unviewed_operations, operation) if operation in (EDIT, PATCH) else self.unviewed_operations
        unknown = self.unknown_names - {(user.account, user.name)}
        return replace(self, users=users, removed_names=removed, unviewed_operations=unviewed, unknown_names=unknown)

    def drop_user(self, user: Smtp2goUser) -> "Smtp2goState":
        """Return the state without ``user``; the mock remembers its name only if removed names stay taken."""
        users = tuple(u for u in self.users if u is not user)
        if self.is_complete and self.get_choice("removed-name") == "free":
            return replace(self, users=users)
        removed = {**self.removed_names, user.name: f"{REMOVE}/effect/removed"}
        unviewed = () if self.is_complete else (*self.unviewed_operations, REMOVE)
        return replace(self, users=users, removed_names=removed, unviewed_operations=unviewed)

    def mark_viewed(self, one: Smtp2goUser | None = None) -> "Smtp2goState":
        """Return the state after a view of ``one`` user, or of all."""
        if self.is_complete:
            return self
        users = tuple(
            replace(user, unviewed_changes=user.unviewed_changes & _NEVER_VIEWED) if one in (None, user) else user
            for user in self.users
        )
        return replace(self, users=users, unviewed_operations=() if one is None else self.unviewed_operations)

    def find_suspected_clause(self, user: Smtp2goUser, setting: str) -> str | None:
        """Return the clause to suspect if a setting has another value, or (``username``) the user is not listed.

        A change is not suspected of the settings that it set; a removal can lose a user, but change none.
        """
        operations = [name for name in self.unviewed_operations if setting == "username" or name != REMOVE]
        return f"{operations[-1]}/effect/untouched" if operations and setting not in user.unviewed_changes else None

    def forget_users(self, names: set[str]) -> "Smtp2goState":
        """Return the state in which the existence of ``names`` is unknown."""
        forgotten = names | {fold_name(name) for name in names}
        users = tuple(user for user in self.users if not {user.name, fold_name(user.name)} & forgotten)
        dropped = {user.name for user in self.users if user not in users}
        removed = {
            name: clause for name, clause in self.removed_names.items() if not {name, fold_name(name)} & forgotten
        }
        unknown = {(account.name, name) for account in self.accounts.values() for name in forgotten | dropped}
        return replace(self, users=users, removed_names=removed, unknown_names=self.unknown_names | unknown)
