"""Foreign objects of a vendor, before and beside a run, and adapters to each contract's state."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any, Protocol

from contract_watch.contracts.outcomes import ModelState
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.resource.matchers import NewId
from contract_watch.contracts.resource.model import ResourceModel
from contract_watch.contracts.resource.state import Item
from contract_watch.contracts.resource.stored_values import StoredSecret
from contracts.zitadel.state import Config

ObjectKey = tuple[str, str]
"""An account and an object's identity there: its name, or the id that the server assigned."""
NamePredicate = Callable[[str], bool]

MAX_FOREIGN_OBJECTS = 40
"""Most foreign objects at any time."""
_DAY = 86_400.0
_RUN_NAME = re.compile(r"ct-[0-9]{6}-[a-z0-9]{6}-[a-z0-9][a-z0-9-]*")
_BOOKKEEPING_FIELDS = {"last_operation", "was_read", "unlisted_changes", "unviewed_changes", "sent"}
"""Fields that a model stores with an object to judge responses; they are no part of the object."""
_CHARACTERS = "23456789abcdefghijklmnopqrstuvwxyz01"

ORDINARY_NAMES = (
    "smtp-user1",
    "existing-user",
    "new-username",
    "office",
    "newsletter",
    "Shop.Mailer",
    "accounting@example.com",
)
SIMILAR_NAMES = (
    "ct-", "ct-261121", "ct-261121-", "ct-261121-abcdef", "ct-261121-abcdef-", "ct-261121-abcdef-1", "ct-261121-abcdef-10",
    "CT-261121-ABCDEF-1", " ct-261121-abcdef-1", "ct-261121-abcdef-1 ", "ct_261121_abcdef_1", "ct-is-ours",
    "ci-261121-abcdef-1", "contract-watch-1",
)  # fmt: skip
UNUSUAL_NAMES = ("SMTP-USER1", " smtp-user1", "smtp-user1 ", "smtp-user", "smtp-user11", "existing-user-")
OTHER_ACCOUNTS_NAMES = ("smtp-user1", "office", "ct-261121-abcdef-2")
"""Names in every account but the first."""


def has_run_name_form(name: str) -> bool:
    """Return True if ``name`` has the form of a run's names, of any run."""
    return _RUN_NAME.fullmatch(name) is not None


def list_foreign_names(contract: Contract) -> list[str]:
    """List names of foreign objects: from the documents' examples, ordinary ones, and ones similar to ours."""
    examples = [
        schema["example"]
        for operation in contract.operations.values()
        for name, schema in operation.get_arguments().items()
        if contract.get_roles(operation.id).get(name) in ("new", "existing") and isinstance(schema.get("example"), str)
    ]
    return list(dict.fromkeys([*examples, *ORDINARY_NAMES, *SIMILAR_NAMES, *UNUSUAL_NAMES]))


def make_similar_names(name: str, is_run_name: NamePredicate) -> Iterator[str]:
    """Yield names that differ from ``name`` by case, a character or white space, and that are no run's names."""
    if not name:
        return
    others = (name[:-1] + character for character in (*_CHARACTERS, "-") if character != name[-1])
    changed = next((other for other in others if not is_run_name(other)), "")
    near = (name.upper(), changed, f"{name} ", name[:-1], name.replace("-", "", 1))
    yield from (other for other in dict.fromkeys(near) if other not in ("", name) and not is_run_name(other))


class ObjectAdapter(Protocol):
    """Access to the objects in a contract's state."""

    def list_objects(self, state: ModelState) -> Mapping[ObjectKey, Any]:
        """Return every object by its key."""

    def add_object(
        self, state: ModelState, account: str, name: str, number: int, created: float
    ) -> tuple[ModelState, ObjectKey]:
        """Add one object without validation; return state and key. ``number`` makes objects differ."""

    def remove_object(self, state: ModelState, key: ObjectKey) -> ModelState:
        """Remove an object from the state."""

    def find_label(self, shown: Any) -> str:
        """Return the object's name for people."""

    def find_active(self, state: ModelState) -> str | None:
        """Return the identity of the active object, if the vendor has at most one."""


def dump_object(stored: Any) -> dict[str, Any]:
    """Convert an object with its full state to JSON."""
    values = {one.name: getattr(stored, one.name) for one in fields(stored) if one.name not in _BOOKKEEPING_FIELDS}
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}


class _ItemAdapter:
    """Items of the default model, which clients name."""

    def list_objects(self, state: ModelState) -> Mapping[ObjectKey, Any]:
        return {(item.account, item.name or ""): item for item in state.items}

    def add_object(
        self, state: ModelState, account: str, name: str, number: int, created: float
    ) -> tuple[ModelState, ObjectKey]:
        item = Item(account, name, name, self.make_values(number), {}, created, created + 1)
        return replace(state, items=(*state.items, item)), (account, name)

    def make_values(self, number: int) -> dict[str, Any]:
        """Make the values of one object; ``number`` makes objects differ."""
        raise NotImplementedError

    def remove_object(self, state: ModelState, key: ObjectKey) -> ModelState:
        return replace(state, items=tuple(item for item in state.items if (item.account, item.name) != key))

    def find_label(self, shown: Any) -> str:
        return str(shown.name)

    def find_active(self, state: ModelState) -> str | None:
        del state
        return None


class _JetEmailAdapter(_ItemAdapter):
    _STATUSES = ("active", "inactive", "disabled", "suspended", "quota-locked", "quota-unlocked")

    def make_values(self, number: int) -> dict[str, Any]:
        values: dict[str, Any] = {"allowAnyDomain": False, "allowAllDomains": False, "ipRestrictions": []}
        values |= {"quota": 17 * number, "approvedDomains": ["shop.example.org"] * (number % 2)}
        if number % 3:
            values["status"] = self._STATUSES[number % len(self._STATUSES)]
        return values


class _Smtp2goAdapter(_ItemAdapter):
    def make_values(self, number: int) -> dict[str, Any]:
        model = Contract("smtp2go").model
        assert isinstance(model, ResourceModel)
        defaults = {name: model.store.get_default(name) for name in model.spec.layout.get_settable("addSmtpUser")}
        described = {"description": f"of somebody else, {number}", "archive_enabled": number % 2 == 0}
        return {**defaults, **described, "email_password": StoredSecret(f"Of-Somebody-Else-{number:04}")}


class _ZitadelAdapter:
    """Configurations that the server names. The first is active, and a name is only its description."""

    def list_objects(self, state: ModelState) -> Mapping[ObjectKey, Any]:
        return {(item.account, item.name or ""): item for item in state.configs}

    def add_object(
        self, state: ModelState, account: str, name: str, number: int, created: float
    ) -> tuple[ModelState, ObjectKey]:
        del account
        taken = {config.name for config in state.configs}
        identity = str(NewId({one for one in taken if one}, "317512345678901234").render())
        values = {"senderAddress": f"mail{number}@example.org", "senderName": "", "host": "mail.example.org:587",
                  "user": f"somebody{number}", "replyToAddress": "", "description": name, "tls": number % 2 == 0,
                  "state": "SMTP_CONFIG_INACTIVE" if state.configs else "SMTP_CONFIG_ACTIVE"}  # fmt: skip
        sequence = state.next_sequence
        config = Config("admin", identity, name, values, {}, created, created + 1, sequence=sequence, is_exact=True)
        return replace(state, items=(*state.items, config), sequence=sequence), ("admin", identity)

    def remove_object(self, state: ModelState, key: ObjectKey) -> ModelState:
        return replace(state, items=tuple(item for item in state.items if item.name != key[1]))

    def find_label(self, shown: Any) -> str:
        return str(shown.requested_name)

    def find_active(self, state: ModelState) -> str | None:
        return next((config.name for config in state.configs if config.state == "SMTP_CONFIG_ACTIVE"), None)


_ADAPTERS: Mapping[str, Callable[[], ObjectAdapter]] = {
    "jetemail": _JetEmailAdapter,
    "smtp2go": _Smtp2goAdapter,
    "zitadel": _ZitadelAdapter,
}


def make_adapter(contract: Contract) -> ObjectAdapter:
    """Create the adapter to a contract's state."""
    return _ADAPTERS[contract.slug]()


def choose_creation_time(number: int) -> float:
    """Return the creation time of the foreign object of that number: days ago, each at another time."""
    return time.time() - _DAY * (number + 1)
