"""One request and its answer, as the reports tell them: without secrets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.redaction import Redactor
from contract_watch.contracts.request import Request
from contract_watch.engine.protocols.protocol import Spoken
from contract_watch.engine.protocols.shell_commands import synthetic, told
from contract_watch.engine.protocols.wire import Reply

_LONGEST = 20_000
_PARSED = 256 * 1024
"""Bytes up to which a body is read as JSON, so that its names tell what is a secret, however little of it is shown."""
_BEYOND = 4096
"""Characters behind what is shown that are redacted with it: a secret may begin in the one and end in the other."""


@dataclass(frozen=True)
class Exchange:
    """A request and what came of it; ``reply`` is None where no answer came, ``trouble`` then says why.

    ``asked`` is the request as models see it, ``spoken`` as it went over the wire, ``names`` are the objects that it names.
    """

    asked: Request
    spoken: Spoken
    reply: Reply | None
    trouble: str = ""
    names: frozenset[str] = frozenset()

    @property
    def operation(self) -> str | None:
        """The operation's id."""
        return self.asked.operation

    @property
    def succeeded(self) -> bool:
        """Whether the answer says that it was done."""
        return self.reply is not None and 200 <= self.reply.status < 300

    def recorded(self, redactor: Redactor) -> dict[str, Any]:
        """The exchange as JSON for `findings.json`, every secret replaced."""
        request = {
            "method": self.spoken.method,
            "url": redactor.redact_string(self.spoken.url),
            "headers": redactor.redact_headers(told(self.spoken.headers)),
            "body": _body(self.spoken.content, redactor),
        }
        if self.reply is None:
            return {"request": request, "response": None, "trouble": redactor.redact_string(self.trouble)}
        response = {
            "status": self.reply.status,
            "headers": redactor.redact_headers(self.reply.headers),
            "body": _body(self.reply.body, redactor),
        }
        return {"request": request, "response": response}

    def synthetic(self, redactor: Redactor) -> Any:
        """The request's JSON body with synthetic passwords of the same shape; None where it has none."""
        try:
            return synthetic(self.spoken.content, redactor)
        except ValueError:
            return None

    def line(self, redactor: Redactor, keys: Mapping[str, str]) -> str:
        """The request as a line for a shell, passwords replaced by synthetic ones of the same shape."""
        return self.spoken.line(redactor, keys)


def _body(content: bytes, redactor: Redactor) -> Any:
    if not content:
        return None
    text = ""
    if len(content) <= _PARSED:
        try:
            shown = redactor.redact_json(json.loads(content))
            if len(content) <= _LONGEST:
                return shown
            text = json.dumps(shown, ensure_ascii=False)
        except (ValueError, RecursionError):
            pass
    text = text or redactor.redact_string(content[: _LONGEST + _BEYOND].decode("utf-8", "replace"))
    return text if len(content) <= _LONGEST else f"{text[:_LONGEST]}… ({len(content)} bytes)"
