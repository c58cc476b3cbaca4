"""Requests as models see them: which operation, whose key, which names."""

import json
import time
from collections.abc import Mapping
from typing import Any

import httpx

from contract_watch.contracts.openapi import join_arguments
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody, Request


class RequestParser:
    """Sees one contract's requests below ``base_path``; ``keys`` are the accounts' keys."""

    def __init__(self, contract: Contract, base_path: str, keys: Mapping[str, str]) -> None:
        self._contract, self._base_path = contract, base_path
        self._accounts = {key: account for account, key in keys.items()}

    def parse_request(self, request: httpx.Request) -> Request:
        """A request that a library made."""
        content = request.read()
        path = request.url.raw_path.decode("ascii").partition("?")[0].removeprefix(self._base_path)
        operation, parameters = self._contract.effective.match_request(path, request.method)
        body: Any = MissingBody.ABSENT
        if content:
            try:
                body = json.loads(content)
            except (ValueError, RecursionError):
                body = MissingBody.MALFORMED
        headers = {name.lower(): value for name, value in request.headers.items()}
        name = operation.id if operation else None
        return Request(name, request.method, path, headers, body, parameters, time.time())

    def find_account(self, request: Request) -> str:
        """The account whose key a request carries; the first one where it carries none."""
        places = self._contract.credential_locations
        fields = (request.body.get(place.field) for place in places) if isinstance(request.body, dict) else ()
        sent = " ".join([*request.headers.values(), *(value for value in fields if isinstance(value, str))])
        first = self._contract.credentials[0].account
        return next((name for key, name in self._accounts.items() if key in sent), first)

    def find_names(self, request: Request, role: str | None = None) -> frozenset[str]:
        """What a request names in arguments of ``role`` (any of a run's own objects: None), as text."""
        arguments = join_arguments(request.parameters, request.body)
        roles = self._contract.get_roles(request.operation).items()
        values = (arguments.get(name) for name, its in roles if its != "foreign" and role in (None, its))
        return frozenset(str(value) for value in values if isinstance(value, str | int | float))
