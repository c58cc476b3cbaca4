"""A mock that leaks keys and passwords in each encoding, in bodies, headers, names, ids and redirects."""

import base64
import os
from collections.abc import Mapping
from itertools import count
from typing import Any

from starlette.types import Receive, Scope, Send

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.redaction import find_password_names
from contract_watch.contracts.registry import Contract
from contract_watch.mock.app import Mock
from contract_watch.mock.vendor import MockVendor, read_keys
from tests.support.secret_leaks.secret_search import ENCODINGS

_LEAKED_ID_EVERY = 3
_DISTINCT = 4


def _is_distinctive(text: str) -> bool:
    """Return True if a string cannot occur by chance."""
    return (
        len(text) >= 8 and text.isascii() and text.isprintable() and len(set(text)) >= _DISTINCT and not text.isdigit()
    )


class LeakingVendor(MockVendor):
    """Vendor that records each secret received or generated; its responses contain one."""

    def __init__(self, contract: Contract, environment: Mapping[str, str]) -> None:
        self._names = find_password_names(contract.effective.raw)
        self._turn, self._made = count(), count()
        self.seen_passwords: dict[str, None] = {}
        self.keys = list(read_keys(contract, environment).values())
        self.is_exploring = False
        super().__init__(contract, environment)

    def _record_secrets(self, value: Any) -> list[str]:
        found: list[str] = []
        if isinstance(value, dict):
            for name, inner in value.items():
                known = name in self._names and isinstance(inner, str) and _is_distinctive(inner)
                found += [inner] if known else self._record_secrets(inner)
        elif isinstance(value, list):
            found = [text for inner in value for text in self._record_secrets(inner)]
        self.seen_passwords |= dict.fromkeys(found)
        return found

    def encode_next(self, secret: str = "") -> str:
        """Encode a secret in the next encoding."""
        turn = next(self._turn)
        spelling = list(ENCODINGS.values())[turn % len(ENCODINGS)]
        return spelling(secret or self.keys[0])

    def handle_request(
        self,
        operation: Operation,
        path: str,
        headers: Mapping[str, str],
        body: Any,
        parameters: Mapping[str, str] = {},
    ) -> tuple[int, Any]:
        """Implement `MockVendor.handle_request`."""
        status, response_body = super().handle_request(operation, path, headers, body, parameters)
        sent = self._record_secrets(body)
        self._record_secrets(response_body)
        if self.is_exploring and not sent:
            return status, response_body
        messages = "x-grpc-web" in headers or "grpc" in headers.get("user-agent", "")
        echo = " ".join([self.encode_next(), *(self.encode_next(secret) for secret in sent)])
        if messages:
            refused = {"code": 6, "message": echo}
            return (409, refused) if status == 404 else (status, response_body)
        life = self.contract.lifecycle
        made = operation.id == life.create and status == 200 and bool(life.id) and not self.is_exploring
        if made and next(self._made) % _LEAKED_ID_EVERY == 0:
            # In characters that an id may have.
            return status, {**response_body, "id": base64.urlsafe_b64encode(self.keys[0].encode()).decode().rstrip("=")}
        if not isinstance(response_body, dict):
            return status, response_body
        if self.is_exploring:
            return status, {**response_body, "echo": True}
        return status, {"echo": echo, **response_body, f"by {sent[0] if sent else self.keys[0]}": echo}


class LeakingMock(Mock):
    """Mock of one leaking vendor that also leaks the key in headers, and sometimes redirects to it."""

    def __init__(self, contract: Contract) -> None:
        self.vendor = LeakingVendor(contract, os.environ)
        super().__init__([self.vendor], os.environ)
        self._count = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Implement `Mock.__call__`."""
        if scope["path"].startswith("/__mock/") or self.vendor.is_exploring:
            await super().__call__(scope, receive, send)
            return
        turn = next(self._count)

        async def tell(message: Any) -> None:
            if message["type"] == "http.response.start":
                echo = self.vendor.encode_next().replace("\n ", "")
                message["headers"] = [*message["headers"], (b"x-echo", echo.encode())]
                if turn % 40 == 0:
                    message["status"] = 302
                    message["headers"].append(
                        (b"location", f"/login?key={ENCODINGS['url'](self.vendor.keys[0])}".encode())
                    )
            await send(message)

        await super().__call__(scope, receive, tell)
