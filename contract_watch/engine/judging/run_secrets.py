"""The secrets of one run: learned from requests and responses, found in later responses, described without their values."""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from contract_watch.contracts.credential_locations import list_key_secrets
from contract_watch.contracts.parameters import is_parameter_key, strip_location
from contract_watch.contracts.redaction import Redactor, find_password_names, mask_value
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody, Request
from contract_watch.contracts.roles import as_table
from contract_watch.contracts.schema import ValuePath, get_value, parse_json, walk_strings
from contract_watch.engine.judging.guessing import GeneratedPasswords
from contract_watch.engine.planning.near_keys import has_secret_part, list_near_keys
from contract_watch.engine.planning.passwords import SecretSubstituter

_MAX_SHOWN = 80
_MIN_LENGTH = 8
"""Characters below which a value is too common to be looked for elsewhere."""
_MIN_DISTINCT = 6


class RunSecrets:
    """Every secret that a run knows. ``redactor`` replaces them; one of an earlier session on the account may be given.

    Documented password properties and the contract's credential locations are secrets by name. ``substitute`` replaces
    secrets that an exploration draws.
    """

    def __init__(
        self, contract: Contract, keys: Mapping[str, str], seed: int | None = None, redactor: Redactor | None = None
    ) -> None:
        self._contract = contract
        self._password_properties = find_password_names(contract.effective.raw)
        self._shown_secrets = frozenset(as_table(contract.settings.get("resource")).get("secrets", ()))
        names = {
            name.lower() for one in contract.credential_locations for name in (one.header, one.field, one.query) if name
        }
        self.redactor = redactor or Redactor(
            self._password_properties | names, public=contract.public_content, public_names=contract.public_names
        )
        self.substitute = SecretSubstituter(seed)
        self._sent: dict[str, None] = {}
        self._received: set[str] = set()
        self._chosen: set[str] = set()
        self.generated = GeneratedPasswords()
        self.granted_keys: set[str] = set()
        """Wrong keys for which the target gave an access token."""
        for key in keys.values():
            for known in (key, *list_near_keys(key, is_pair=has_secret_part(contract))):
                for secret in list_key_secrets(contract, known):
                    self.add_key(secret)

    def add_key(self, key: str) -> None:
        """Add a key or an access token: no response may hold it, and no report shows it."""
        self.redactor.add_secret(key)
        if len(key) >= _MIN_LENGTH:
            self._sent[key] = None

    def learn_request(self, request: Request, *, find_later: bool) -> None:
        """Learn the secrets in a request's body and parameters; with ``find_later``, its passwords are looked for in later responses.

        A password drawn at random may be any word, and stand in a response by chance: explorations pass False.
        """
        self.redactor.add_secrets_from(request.body)
        self.redactor.add_secrets_from(_list_parameters(request))
        sent = self._list_passwords(request)
        self._chosen.update(sent)
        if find_later:
            self._sent.update(dict.fromkeys(filter(_is_distinctive, sent)))

    def _list_passwords(self, request: Request) -> list[str]:
        """List the passwords in a request's body and parameters."""
        named = _list_parameters(request)
        sent = {**named, **request.body} if isinstance(request.body, dict) else named
        return [value for name in self._password_properties if isinstance(value := sent.get(name), str)]

    def may_generate(self, request: Request) -> bool:
        """Return True if the vendor may generate a password for a request: it changes an object and sends no password."""
        return not self._contract.is_read_only(request.operation) and not any(self._list_passwords(request))

    def list_generated(self, body: Any) -> Iterator[tuple[ValuePath, str]]:
        """Yield the passwords in a response, with their paths, that no request of this run sent."""
        for path, value in walk_strings(body):
            if value and value not in self._chosen and path and self.is_password_property(str(path[-1])):
                yield path, value

    def note_generated(self, request: Request, body: Any, names: Collection[str]) -> None:
        """Remember the passwords that a vendor generated for a request, which named the objects ``names``."""
        if request.operation is not None and self.may_generate(request):
            if len(names) > 1:
                self.generated.join_names(names)
            for _, value in self.list_generated(body):
                self.generated.add_password(request.operation, value, names)

    def learn_response(self, body: Any) -> None:
        """Learn the secrets in a response's JSON before anything about it is reported."""
        self.redactor.add_secrets_from(body)

    def note_passwords(self, body: Any) -> None:
        """Remember the passwords that a response handed out: each must be fresh, unless later responses show it again."""
        for name in self._password_properties - self._shown_secrets if isinstance(body, dict) else ():
            if isinstance(value := body.get(name), str):
                self._received.add(value)

    def is_secret_name(self, name: str) -> bool:
        """Return True if a property or header of this name holds a secret."""
        return self.redactor.is_secret_name(name)

    def is_password_property(self, name: str) -> bool:
        """Return True if the document gives the property ``name`` the format ``password``."""
        return name in self._password_properties

    def was_received(self, value: str) -> bool:
        """Return True if an earlier response handed out the password ``value``."""
        return value in self._received

    def contains_secret(self, text: str) -> bool:
        """Return True if ``text`` contains a secret that this run sent."""
        return len(text) >= _MIN_LENGTH and any(known in text for known in self._sent)

    def contains_secret_in_json(self, body: Any) -> bool:
        """Return True if a JSON value contains, at any depth, a secret that was sent or a password handed out before."""
        strings = "\n".join(value for _, value in walk_strings(body))
        return self.contains_secret(strings) or any(known in strings for known in self._received)

    def describe_value(self, body: Any, path: ValuePath) -> str:
        """Describe the value at ``path`` in at most 80 characters.

        Redaction comes before the cut: a search would not find a part of a secret.
        """
        value = get_value(body, path)
        if value is MissingBody.ABSENT:
            return "nothing"
        masked = mask_value(value) if self._is_secret_path(path) else self.redactor.redact_json(value)
        text = json.dumps(masked, ensure_ascii=False)
        return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"

    def describe_expected(self, description: str, path: ValuePath) -> str:
        """Return a matcher's ``description``, or a phrase in its place if it is a secret's own value as JSON."""
        is_value = not isinstance(parse_json(description.encode()), MissingBody)
        return "the secret that was set" if self._is_secret_path(path) and is_value else description

    def _is_secret_path(self, path: ValuePath) -> bool:
        return any(self.is_secret_name(part) for part in path if isinstance(part, str))


def _list_parameters(request: Request) -> dict[str, Any]:
    """List the parameters of a request by name."""
    return {strip_location(key): value for key, value in request.parameters.items() if is_parameter_key(key)}


def _is_distinctive(secret: str) -> bool:
    """Return True unless a secret may stand in a response by chance, as ``00000000`` in a time."""
    return len(secret) >= _MIN_LENGTH and len(set(secret)) >= _MIN_DISTINCT and not secret.isdigit()
