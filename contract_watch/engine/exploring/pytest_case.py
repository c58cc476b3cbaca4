"""A finding as a ready pytest case that uses the generated client."""

import keyword
import re
import subprocess
import sys
from collections.abc import Sequence
from enum import Enum
from typing import Any

from contract_watch.contracts.credential_locations import split_query_keys
from contract_watch.contracts.openapi import join_arguments
from contract_watch.contracts.parameters import is_parameter_key
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.protocols.request_parser import find_account
from contract_watch.engine.protocols.shell_commands import replace_secrets_in_url
from contract_watch.engine.running.generated_client import ClientModules
from contract_watch.engine.running.session import Session
from contract_watch.escaping import escape_text
from contract_watch.report.curl import synthesize_secret
from contract_watch.report.finding import Finding

_MAX_NAME_LENGTH = 100
_LINE_WIDTH = 110


class PytestCase:
    """Writes one finding's case: the ``wanted`` requests in order, names minted anew, judged by the contract."""

    def __init__(self, session: Session, finding: Finding, exchanges: Sequence[Exchange]) -> None:
        self._session, self._finding, self._exchanges = session, finding, exchanges
        self._client = ClientModules(session.contract)
        self._package = f"{session.contract.slug}_client"
        self._imports: dict[str, None] = {}
        self._name_variables: dict[str, str] = {}
        self._name_lines: list[str] = []
        self._id_variables: dict[str, str] = {}

    @property
    def file_name(self) -> str:
        """The case's file name."""
        return f"test_{self._session.contract.slug}_{self._format_identifier()}.py"

    def _format_identifier(self) -> str:
        word = re.sub(r"[^A-Za-z0-9]+", "_", self._finding.id).strip("_")
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word).lower()[:_MAX_NAME_LENGTH]
        return f"{snake}_" if keyword.iskeyword(snake) else snake

    def render(self) -> str:
        """Return the case as a Python module."""
        finding, slug = self._finding, self._session.contract.slug
        steps = [line for exchange in self._exchanges for line in self._render_request(exchange)]
        used = dict.fromkeys(self._find_account(exchange) for exchange in self._exchanges)
        accounts = [f"        {account} = replay.client({account!r})" for account in used]
        head = [
            '"""A case that exploration found; TARGET says which server it is tried on, the mock by default."""',
            "",
            "# Run it from the repository's root, with the environment that `make` keeps:",
            "#     TARGET=http://127.0.0.1:8025 .venv/bin/python -m pytest <this file>",
            *(f"# {line}" for line in _wrap_lines(f"Found: {finding.title}")),
            *(f"# {line}" for line in _wrap_lines(f"Promised: {finding.promise}")),
            f"# Finding: {escape_text(finding.id)}",
            "",
            "from contract_watch.engine.exploring.replay import Replay  # first: it puts the generated clients on the path",
            *sorted(self._imports),
            "",
            "",
            f"def test_{self._format_identifier()}() -> None:",
            '    """Every response of the target is one that the contract allows."""',
            f"    with Replay({slug!r}) as replay:",
            *accounts,
            *self._name_lines,
            *steps,
        ]
        return _format_source("\n".join(head) + "\n")

    def _find_account(self, exchange: Exchange) -> str:
        session, request = self._session, exchange.request
        return find_account(session.contract, session.keys, request.headers, None)

    def _render_request(self, exchange: Exchange) -> list[str]:
        account, body = self._find_account(exchange), exchange.build_synthetic_body(self._session.redactor)
        arguments = join_arguments(exchange.request.parameters, body)
        module = self._client.modules.get(exchange.operation or "")
        if module is None or not self._fits_client_types(exchange.operation or "", arguments, body):
            path = self._render_path(exchange)
            call = f"{exchange.request.method!r}, {path}{self._render_content(exchange, body)}"
            return [f"        {account}.get_httpx_client().request({call})"]
        place, _, name = module.__name__.rpartition(".")
        self._imports[f"from {place} import {name}"] = None
        given = [f"client={account}"]
        for word, value in self._client.build_arguments(exchange.operation or "", arguments).items():
            if word != "body":
                given.append(f"{word}={self._render_literal(value)}")
                continue
            model = type(value).__name__
            self._imports[f"from {self._package}.models import {model}"] = None
            given.append(f"body={model}.from_dict({self._render_literal(body)})")
        return [f"        {name}.sync_detailed({', '.join(given)})", *self._render_id_capture(exchange)]

    def _render_content(self, exchange: Exchange, body: Any) -> str:
        """Return the arguments that carry the body and the header parameters, with a comma before each."""
        operation = self._session.contract.operations.get(exchange.operation or "")
        rest = ""
        if exchange.encoded_request.reported_content:
            word = "data" if operation is not None and operation.codec.is_form else "json"
            rest = f", {word}={self._render_literal(body)}"
        names = [] if operation is None else [spec.name.lower() if spec.location == "header" else "cookie"
                                              for spec in operation.specs.values() if spec.location != "query"]  # fmt: skip
        headers = {name: exchange.encoded_request.headers[name] for name in dict.fromkeys(names)
                   if name in exchange.encoded_request.headers}  # fmt: skip
        safe = self._session.redactor.redact_headers(headers)
        return f"{rest}, headers={self._render_literal(safe)}" if safe else rest

    def _render_query(self, exchange: Exchange) -> str:
        url = replace_secrets_in_url(exchange.encoded_request.url, self._session.redactor, synthesize_secret)
        query = url.partition("?")[2] if exchange.protocol.name == "rest" else ""
        query, _ = split_query_keys(self._session.contract.credential_locations, query)
        return self._session.redactor.redact_string(f"?{query}") if query else ""

    def _render_path(self, exchange: Exchange) -> str:
        """Return the request's address below the target's as a Python expression."""
        operation = self._session.contract.operations.get(exchange.operation or "")
        query = self._render_query(exchange)
        in_path = {name: value for name, value in exchange.request.parameters.items() if not is_parameter_key(name)}
        if operation is None or not in_path:
            return ascii(self._session.redactor.redact_string(exchange.request.path) + query)
        # No template: a document chooses the names of its parameters, and a name is code in a call of format.
        values = {f"{{{name}}}": self._render_literal(value) for name, value in in_path.items()}
        parts = re.split(f"({'|'.join(map(re.escape, values))})", operation.path)
        return " + ".join(f"str({values[part]})" if part in values else ascii(part) for part in [*parts, query] if part)

    def _render_id_capture(self, exchange: Exchange) -> list[str]:
        """Create a variable for the id that the server assigned to the object of a request."""
        life = self._session.contract.lifecycle
        if exchange.operation != life.create or not life.id:
            return []
        marks = [mark for mark in self._session.target.ids_by_name if mark in exchange.names]
        lines = []
        for mark in marks:
            self._id_variables[self._session.target.ids_by_name[mark]] = f"id{len(self._id_variables) + 1}"
            lines.append(
                f"        {self._id_variables[self._session.target.ids_by_name[mark]]} = replay.identity({self._render_literal(mark)})"
            )
        return lines

    def _fits_client_types(self, operation: str, arguments: Any, body: Any) -> bool:
        """Return True if the client's own types can express exactly these arguments."""
        try:
            given = self._client.build_arguments(operation, arguments)
            if not all(isinstance(value, str | int | float | list) and not isinstance(value, Enum)
                       for word, value in given.items() if word != "body"):  # fmt: skip
                return False
            return bool(given["body"].to_dict() == body) if "body" in given else body is None
        except Exception:  # noqa: BLE001 (whatever a model makes of a body that is none of its own)
            return False

    # -- names

    def _render_literal(self, value: Any) -> str:
        """``value`` as Python, names of the run as variables."""
        if isinstance(value, dict):
            return (
                "{"
                + ", ".join(
                    f"{self._session.redactor.redact_string(name)!a}: {self._render_literal(inner)}"
                    for name, inner in value.items()
                )
                + "}"
            )
        if isinstance(value, list):
            return "[" + ", ".join(map(self._render_literal, value)) + "]"
        if isinstance(value, str) and value in self._id_variables:
            return self._id_variables[value]
        if isinstance(value, str) and value.startswith(self._session.names.name_prefix):
            return self._render_name(value)
        return ascii(self._session.redactor.redact_string(value) if isinstance(value, str) else value)

    def _render_name(self, value: str) -> str:
        names = self._session.names
        prefix = names.name_prefix
        head = re.match(r"[0-9a-z]+-n", value[len(prefix) :])
        base = prefix + (head[0] if head else "")
        if value.startswith(base + names.suffix):
            base += names.suffix
        tail = value[len(base) :]
        if value != base and names.pad_name(prefix + (head[0] if head else "") + names.suffix, len(value)) == value:
            base, tail, made = value, "", f"replay.name({len(value)})"
        else:
            made = "replay.name()"
        if base not in self._name_variables:
            self._name_variables[base] = f"name{len(self._name_variables) + 1}"
            self._name_lines.append(f"        {self._name_variables[base]} = {made}")
        return self._name_variables[base] + (f" + {tail!a}" if tail else "")


def _wrap_lines(text: str) -> list[str]:
    words, lines = escape_text(text).split(" "), [""]
    for word in words:
        if len(lines[-1]) + len(word) > _LINE_WIDTH:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _format_source(text: str) -> str:
    """``text`` as ruff formats it, in lines that one can read; as it is where ruff is not there."""
    ruff = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "120", "-"]
    try:
        done = subprocess.run(ruff, input=text, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603 (our own)
    except (OSError, subprocess.SubprocessError):
        return text
    return done.stdout if done.returncode == 0 else text
