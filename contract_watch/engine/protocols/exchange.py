"""A request and its response, for reports: without secrets."""

import json
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.redaction import Redactor, mask_secret
from contract_watch.contracts.request import Request
from contract_watch.contracts.schema import parse_foreign_json
from contract_watch.engine.protocols.encoded_request import EncodedRequest
from contract_watch.engine.protocols.protocol import WireProtocol
from contract_watch.engine.protocols.shell_commands import (
    build_synthetic_json,
    is_form,
    replace_secrets_in_pairs,
    replace_secrets_in_url,
    select_headers,
)
from contract_watch.engine.protocols.wire import Response
from contract_watch.report.curl import ShellVariables

_MAX_BODY_BYTES = 40_000
_MAX_PARSED_BYTES = 256 * 1024
"""Bytes up to which a body is parsed as JSON: its names mark secrets, however little of it is reported."""
_REDACTION_MARGIN = 4096
"""Characters after the reported part that are redacted with it: a secret may cross the cut."""


@dataclass(frozen=True)
class Exchange:
    """A request and its response; ``response`` is None if none came, and ``error`` then says why.

    ``request`` is the request as models see it, ``encoded_request`` as ``protocol`` sent it, ``names`` are the objects
    that it names.
    """

    request: Request
    encoded_request: EncodedRequest
    response: Response | None
    protocol: WireProtocol
    error: str = ""
    names: frozenset[str] = frozenset()

    @property
    def operation(self) -> str | None:
        """Return the operation's id."""
        return self.request.operation

    @property
    def succeeded(self) -> bool:
        """Return True if the response reports success."""
        return self.response is not None and self.response.succeeded

    def to_json(self, redactor: Redactor) -> dict[str, Any]:
        """Format the exchange as JSON for `findings.json`, every secret replaced."""
        request = {
            "method": self.encoded_request.method,
            "url": redactor.redact_string(replace_secrets_in_url(self.encoded_request.url, redactor, mask_secret)),
            "headers": redactor.redact_headers(select_headers(self.encoded_request.headers)),
            "body": self._redact_request_body(redactor),
        }
        if self.response is None:
            return {"request": request, "response": None, "trouble": redactor.redact_string(self.error)}
        response = {
            "status": self.response.status,
            "headers": redactor.redact_headers(self.response.headers),
            "body": _redact_body(self.response.body, redactor),
        }
        return {"request": request, "response": response}

    def _redact_request_body(self, redactor: Redactor) -> Any:
        content = self.encoded_request.reported_content
        if is_form(self.encoded_request.headers) and len(content) <= _MAX_PARSED_BYTES:
            text = content.decode("ascii", "replace")
            content = replace_secrets_in_pairs(text, redactor, mask_secret).encode()
        return _redact_body(content, redactor)

    def build_synthetic_body(self, redactor: Redactor) -> Any:
        """Build the request's body as JSON with synthetic passwords of the same shape; None if it has none."""
        content = self.encoded_request.reported_content
        if is_form(self.encoded_request.headers) and isinstance(self.request.body, dict):
            content = json.dumps(self.request.body).encode()
        try:
            return build_synthetic_json(content, redactor)
        except ValueError:
            return None

    def format_command(self, redactor: Redactor, variables: ShellVariables) -> str:
        """Format the request as a curl command, with synthetic passwords of the same shape."""
        return self.protocol.format_command(self.encoded_request, redactor, variables)


def _redact_body(content: bytes, redactor: Redactor) -> Any:
    if not content:
        return None
    text = ""
    if len(content) <= _MAX_PARSED_BYTES:
        try:
            shown = redactor.redact_json(parse_foreign_json(content))
            if len(content) <= _MAX_BODY_BYTES:
                return shown
            text = json.dumps(shown, ensure_ascii=False)
        except ValueError:
            pass
    text = text or redactor.redact_string(content[: _MAX_BODY_BYTES + _REDACTION_MARGIN].decode("utf-8", "replace"))
    return text if len(content) <= _MAX_BODY_BYTES else f"{text[:_MAX_BODY_BYTES]}… ({len(content)} bytes)"
