"""One request and its answer as the reports tell them: without secrets, and as a curl line."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from contract_tests.harness.wire import Reply
from contracts.redaction import Redactor
from drift.curl import curl, shape

_LONGEST = 20_000


@dataclass(frozen=True)
class Exchange:
    """A request and what came of it; ``reply`` is None where no answer came, ``trouble`` then says why.

    ``operation`` is the operation's id, ``names`` are the objects that the request names.
    """

    operation: str | None
    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes
    body: Any
    reply: Reply | None
    trouble: str = ""
    names: frozenset[str] = frozenset()

    @property
    def succeeded(self) -> bool:
        """Whether the answer says that it was done."""
        return self.reply is not None and 200 <= self.reply.status < 300

    def recorded(self, redactor: Redactor) -> dict[str, Any]:
        """The exchange as JSON for `findings.json`, every secret replaced."""
        request = {
            "method": self.method,
            "url": redactor.text(self.url),
            "headers": redactor.headers(_told(self.headers)),
            "body": _body(self.content, redactor),
        }
        if self.reply is None:
            return {"request": request, "response": None, "trouble": redactor.text(self.trouble)}
        response = {
            "status": self.reply.status,
            "headers": redactor.headers(self.reply.headers),
            "body": _body(self.reply.body, redactor),
        }
        return {"request": request, "response": response}

    def synthetic(self, redactor: Redactor) -> Any:
        """The request's JSON body with synthetic passwords of the same shape; None where it has none."""
        try:
            return _synthetic(json.loads(self.content), redactor)
        except (ValueError, RecursionError):
            return None

    def curl(self, redactor: Redactor, keys: Mapping[str, str]) -> str:
        """The request as a curl line, passwords replaced by synthetic ones of the same shape."""
        content = None
        if self.content:
            try:
                content = json.dumps(_synthetic(json.loads(self.content), redactor), ensure_ascii=False)
            except (ValueError, RecursionError):
                content = redactor.text(self.content.decode("utf-8", "replace"))
        return curl(self.method, redactor.text(self.url), _told(self.headers), content, keys)


def of_request(request: httpx.Request, content: bytes) -> dict[str, Any]:
    """The parts of an `Exchange` that the request gives."""
    return {
        "method": request.method,
        "url": str(request.url),
        "headers": {name: value for name, value in request.headers.items() if name != "host"},
        "content": content,
    }


def _told(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that matter to an answer; what every HTTP library adds is left out."""
    noise = {"accept-encoding", "connection", "content-length", "user-agent", "accept"}
    return {name: value for name, value in headers.items() if name.lower() not in noise}


def _body(content: bytes, redactor: Redactor) -> Any:
    if not content:
        return None
    if len(content) <= _LONGEST:
        try:
            return redactor.json(json.loads(content))
        except (ValueError, RecursionError):
            pass
    text = redactor.text(content[:_LONGEST].decode("utf-8", "replace"))
    return text if len(content) <= _LONGEST else f"{text}… ({len(content)} bytes)"


def _synthetic(value: Any, redactor: Redactor, *, secret: bool = False) -> Any:
    if isinstance(value, dict):
        return {n: _synthetic(v, redactor, secret=secret or redactor.secret_name(n)) for n, v in value.items()}
    if isinstance(value, list):
        return [_synthetic(inner, redactor, secret=secret) for inner in value]
    if isinstance(value, str):
        return shape(value) if secret else redactor.text(value)
    return value
