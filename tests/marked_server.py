"""A mock that gives away what it was told: keys and passwords, in each spelling, in bodies, headers, names, ids and redirects."""

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
from tests.marks import SPELLINGS

_EVERY = 3
_DISTINCT = 4


def _tells(text: str) -> bool:
    """Whether a text that turns up somewhere cannot be there by chance."""
    return (
        len(text) >= 8 and text.isascii() and text.isprintable() and len(set(text)) >= _DISTINCT and not text.isdigit()
    )


class _Vendor(MockVendor):
    """Notes each secret that it is told or makes up; its answers say one."""

    def __init__(self, contract: Contract, environment: Mapping[str, str]) -> None:
        self._names = find_password_names(contract.effective.raw)
        self._turn, self._made = count(), count()
        self.told: dict[str, None] = {}
        self.keys = list(read_keys(contract, environment).values())
        self.searching = False
        super().__init__(contract, environment)

    def _note(self, value: Any) -> list[str]:
        found: list[str] = []
        if isinstance(value, dict):
            for name, inner in value.items():
                known = name in self._names and isinstance(inner, str) and _tells(inner)
                found += [inner] if known else self._note(inner)
        elif isinstance(value, list):
            found = [text for inner in value for text in self._note(inner)]
        self.told |= dict.fromkeys(found)
        return found

    def says(self, secret: str = "") -> str:
        """A secret in the next spelling."""
        turn = next(self._turn)
        spelling = list(SPELLINGS.values())[turn % len(SPELLINGS)]
        return spelling(secret or self.keys[0])

    def handle_request(
        self,
        operation: Operation,
        path: str,
        headers: Mapping[str, str],
        body: Any,
        parameters: Mapping[str, str] = {},
    ) -> tuple[int, Any]:
        """See Vendor."""
        status, shown = super().handle_request(operation, path, headers, body, parameters)
        sent = self._note(body)
        self._note(shown)
        if self.searching and not sent:
            return status, shown
        messages = "x-grpc-web" in headers or "grpc" in headers.get("user-agent", "")
        said = " ".join([self.says(), *(self.says(secret) for secret in sent)])
        if messages:
            refused = {"code": 6, "message": said}
            return (409, refused) if status == 404 else (status, shown)
        life = self.contract.lifecycle
        made = operation.id == life.create and status == 200 and bool(life.id) and not self.searching
        if made and next(self._made) % _EVERY == 0:
            # In signs that an id may have.
            return status, {**shown, "id": base64.urlsafe_b64encode(self.keys[0].encode()).decode().rstrip("=")}
        if not isinstance(shown, dict):
            return status, shown
        if self.searching:
            return status, {**shown, "echo": True}
        return status, {"echo": said, **shown, f"by {sent[0] if sent else self.keys[0]}": said}


class Marked(Mock):
    """The mock with one such vendor, which says the key in headers too, and now and then redirects to it."""

    def __init__(self, contract: Contract) -> None:
        self.vendor = _Vendor(contract, os.environ)
        super().__init__([self.vendor], os.environ)
        self._count = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See Mock."""
        if scope["path"].startswith("/__mock/") or self.vendor.searching:
            await super().__call__(scope, receive, send)
            return
        turn = next(self._count)

        async def tell(message: Any) -> None:
            if message["type"] == "http.response.start":
                said = self.vendor.says().replace("\n ", "")
                message["headers"] = [*message["headers"], (b"x-echo", said.encode())]
                if turn % 40 == 0:
                    message["status"] = 302
                    message["headers"].append(
                        (b"location", f"/login?key={SPELLINGS['url'](self.vendor.keys[0])}".encode())
                    )
            await send(message)

        await super().__call__(scope, receive, tell)
