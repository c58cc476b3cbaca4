"""Whose a vendor's objects are: what is there before a run comes, beside it, and how each contract's state holds it."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any, Protocol

from contract_watch.contracts.model import ModelState
from contract_watch.contracts.registry import Contract
from contracts.jetemail import users as jetemail
from contracts.smtp2go import users as smtp2go
from contracts.zitadel import configs as zitadel
from contracts.zitadel.responses import NewConfigId
from contracts.zitadel.rules import STRING_FIELDS

Key = tuple[str, str]
"""An account, and what identifies an object there: its name, or the id that the server gave it."""
Owns = Callable[[str], bool]

MOST = 40
"""How many foreign objects there are at any time, in all."""
_DAY = 86_400.0
_FORM = re.compile(r"ct-[0-9]{6}-[a-z0-9]{6}-[a-z0-9][a-z0-9-]*")
_NOT_STATE = {"since", "seen", "fresh"}
"""What a model keeps with an object to judge answers by; it is no part of the object."""
_SIGNS = "23456789abcdefghijklmnopqrstuvwxyz01"

ORDINARY = (
    "smtp-user1",
    "existing-user",
    "new-username",
    "office",
    "newsletter",
    "Shop.Mailer",
    "accounting@example.com",
)
LIKE_OURS = (
    "ct-", "ct-261121", "ct-261121-", "ct-261121-abcdef", "ct-261121-abcdef-", "ct-261121-abcdef-1", "ct-261121-abcdef-10",
    "CT-261121-ABCDEF-1", " ct-261121-abcdef-1", "ct-261121-abcdef-1 ", "ct_261121_abcdef_1", "ct-is-ours",
    "ci-261121-abcdef-1", "contract-watch-1",
)  # fmt: skip
ODD = ("SMTP-USER1", " smtp-user1", "smtp-user1 ", "smtp-user", "smtp-user11", "existing-user-")
ELSEWHERE = ("smtp-user1", "office", "ct-261121-abcdef-2")
"""What is there in every account but the first."""


def of_our_form(name: str) -> bool:
    """Whether ``name`` has the form of a run's names, letter by letter; whose run's cannot be told by it."""
    return _FORM.fullmatch(name) is not None


def first_names(contract: Contract) -> list[str]:
    """What somebody else's objects are called: as in the documents' examples, ordinarily, and much like ours."""
    examples = [
        schema["example"]
        for operation in contract.operations.values()
        for name, schema in operation.get_arguments().items()
        if contract.get_roles(operation.id).get(name) in ("new", "existing") and isinstance(schema.get("example"), str)
    ]
    return list(dict.fromkeys([*examples, *ORDINARY, *LIKE_OURS, *ODD]))


def neighbours(name: str, owns: Owns) -> Iterator[str]:
    """Names that differ from ``name`` by case, by a character or by white space, and that ``owns`` does not take for a run's."""
    if not name:
        return
    others = (name[:-1] + sign for sign in (*_SIGNS, "-") if sign != name[-1])
    changed = next((other for other in others if not owns(other)), "")
    near = (name.upper(), changed, f"{name} ", name[:-1], name.replace("-", "", 1))
    yield from (other for other in dict.fromkeys(near) if other not in ("", name) and not owns(other))


class Residents(Protocol):
    """How a contract's state holds objects."""

    def objects(self, state: ModelState) -> Mapping[Key, Any]:
        """Every object by its key."""

    def settle(self, state: ModelState, account: str, name: str, number: int, created: float) -> tuple[ModelState, Key]:
        """The state with one object more, past all validation, and its key; by ``number`` objects differ."""

    def without(self, state: ModelState, key: Key) -> ModelState:
        """The state without an object."""

    def label(self, shown: Any) -> str:
        """What people call the object."""

    def active(self, state: ModelState) -> str | None:
        """The identity of the object of which there is one at most, where the vendor has such."""


def essence(shown: Any) -> dict[str, Any]:
    """An object's full state."""
    kept = {one.name: getattr(shown, one.name) for one in fields(shown) if one.name not in _NOT_STATE}
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in kept.items()}


class _Users:
    """Users that callers name, held by account and name."""

    def objects(self, state: ModelState) -> Mapping[Key, Any]:
        return {(user.account, user.name or ""): user for user in state.users}

    def settle(self, state: ModelState, account: str, name: str, number: int, created: float) -> tuple[ModelState, Key]:
        user = self.user(account, name, number, created)
        return replace(state, users=(*state.users, user)), (account, name)

    def user(self, account: str, name: str, number: int, created: float) -> Any:
        raise NotImplementedError

    def without(self, state: ModelState, key: Key) -> ModelState:
        return replace(state, users=tuple(user for user in state.users if (user.account, user.name) != key))

    def label(self, shown: Any) -> str:
        return str(shown.name)

    def active(self, state: ModelState) -> str | None:
        del state
        return None


class _JetEmail(_Users):
    def user(self, account: str, name: str, number: int, created: float) -> Any:
        settings = {**jetemail.DEFAULTS, "quota": 17 * number, "approvedDomains": ["shop.example.org"] * (number % 2)}
        if number % 3:
            settings["status"] = jetemail.STATUSES[number % len(jetemail.STATUSES)]
        return jetemail.JetEmailUser(account, name, name, settings, {}, created, created + 1)


class _Smtp2go(_Users):
    def user(self, account: str, name: str, number: int, created: float) -> Any:
        del created
        settings = {
            **smtp2go.DEFAULTS,
            "description": f"of somebody else, {number}",
            "archive_enabled": number % 2 == 0,
        }
        owed = {"username": "addSmtpUser/effect/username"}
        return smtp2go.Smtp2goUser(account, name, f"Of-Somebody-Else-{number:04}", settings, frozenset(), owed)


class _Zitadel:
    """Configurations that the server names; the first that settles is active, and a name is but its description."""

    def objects(self, state: ModelState) -> Mapping[Key, Any]:
        return {("admin", config.id): config for config in state.configs}

    def settle(self, state: ModelState, account: str, name: str, number: int, created: float) -> tuple[ModelState, Key]:
        del account
        taken = {config.id for config in state.configs}
        identity = next(made for made in (str(NewConfigId(taken).render()) for _ in range(100)) if made not in taken)
        settings = {**dict.fromkeys(STRING_FIELDS, ""), "senderAddress": f"mail{number}@example.org", "host": "mail.example.org:587",
                    "user": f"somebody{number}", "description": name, "tls": number % 2 == 0}  # fmt: skip
        sequence = state.next
        config = zitadel.SmtpConfig(identity, settings, not state.configs, sequence, True, created, created + 1)
        return replace(state, configs=(*state.configs, config), sequence=sequence), ("admin", identity)

    def without(self, state: ModelState, key: Key) -> ModelState:
        return replace(state, configs=tuple(config for config in state.configs if config.id != key[1]))

    def label(self, shown: Any) -> str:
        return str(shown.settings["description"])

    def active(self, state: ModelState) -> str | None:
        return next((config.id for config in state.configs if config.active), None)


_RESIDENTS: Mapping[str, Callable[[], Residents]] = {"jetemail": _JetEmail, "smtp2go": _Smtp2go, "zitadel": _Zitadel}


def residents(contract: Contract) -> Residents:
    """How this contract's state holds objects."""
    return _RESIDENTS[contract.slug]()


def age(number: int) -> float:
    """When the foreign object of that number was made: days ago, each at another time."""
    return time.time() - _DAY * (number + 1)
