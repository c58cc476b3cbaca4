"""A run that sends nothing: the requests that a run on a real account would send, in order.

The run is a real one, with its guard and its limits; the contract's model answers in place of connections, and time
does not pass. Names and passwords are new each time, and a vendor that answers otherwise may make a run send more.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract_watch.contracts.redaction import Redactor, find_password_names, mask_secret
from contract_watch.contracts.registry import Contract, choose_contracts
from contract_watch.engine.account.clock import FastClock
from contract_watch.engine.account.gate import Gate
from contract_watch.engine.command.options import RunOptions, complete_settings, resolve_options
from contract_watch.engine.command.pytest_plugin import ContractPlugin
from contract_watch.engine.command.pytest_run import run_pytest
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.protocols.encoded_request import EncodedRequest, RequestGate
from contract_watch.engine.protocols.grpc_protocols import GrpcProtocol
from contract_watch.engine.protocols.shell_commands import is_form, replace_secrets_in_url
from contract_watch.engine.protocols.wire import Response, Wire
from contract_watch.mock.app import Mock
from contract_watch.mock.server import build_mock
from contract_watch.report.record import Record

_OWN_SERVER = "https://your-own.example"
"""The address of a customer's own server if the environment names none."""


class DryRunConnector:
    """A connector without connections: it records each request, and the contract's model answers."""

    def __init__(self, options: RunOptions) -> None:
        self._mocks = {one.slug: build_mock([one], _get_keys(options, one)) for one in options.contracts}
        self._contracts = {one.slug: one for one in options.contracts}
        self.request_count = self.change_count = 0
        self.lines: list[str] = []
        self.heading = "# preflight"

    def connect_http(self, base: str, gate: RequestGate | None) -> Wire:
        """See Connector."""
        assert isinstance(gate, Gate)
        return _DryRunWire(base, gate, self)

    def connect_grpc(self, contract: Contract, address: str, gate: RequestGate | None, *, secure: bool) -> GrpcProtocol:
        """See Connector."""
        assert isinstance(gate, Gate)
        return _DryRunGrpc(contract, address, self, gate, secure=secure)

    def get_mock(self, contract: Contract) -> Mock:
        """Return the mock that answers for a contract."""
        return self._mocks[contract.slug]

    def record_request(self, gate: Gate, where: str, body: Any, key: str) -> None:
        """Add the line of one request."""
        contract = gate.guard.contract
        self.request_count += 1
        shown_body = (
            ""
            if body is None
            else " " + json.dumps(_create_redactor(contract).redact_json(body), ensure_ascii=False)[:600]
        )
        who = next((c.variable for c in contract.credentials if c.account == key), "no key, or a wrong one")
        if self.heading:
            self.lines.append(self.heading)
            self.heading = ""
        self.lines.append(f"{self.request_count:5} {where}{shown_body}  [{who}]")


class _DryRunWire(Wire):
    """A wire that carries everything to the contract's model."""

    def __init__(self, base: str, gate: Gate, planned: DryRunConnector) -> None:
        super().__init__(base, gate)
        self._guarded, self._connector = gate, planned
        self._thread = ThreadPoolExecutor(1)  # the client may call from within an event loop of its own

    def _deliver(self, encoded: EncodedRequest) -> Response:
        sent = self.insert_tokens(encoded)
        request = httpx.Request(sent.method, sent.url, headers=dict(sent.headers), content=sent.content)
        passage = self._guarded.guard.check_request(encoded)
        body = None
        if encoded.json_content is not None:
            body = json.loads(encoded.json_content)
        elif request.content and not is_form(encoded.headers):
            body = json.loads(request.content)
        self._connector.change_count += passage.is_mutating and bool(passage.holder)
        redactor = _create_redactor(self._guarded.guard.contract)
        shown_url = replace_secrets_in_url(encoded.url, redactor, mask_secret)
        self._connector.record_request(self._guarded, f"{encoded.method} {shown_url}", body, passage.holder)
        answer = self._thread.submit(
            asyncio.run, _ask_mock(self._connector.get_mock(self._guarded.guard.contract), request)
        )
        return answer.result()

    def close(self) -> None:
        self._thread.shutdown()
        super().close()


async def _ask_mock(mock: Mock, request: httpx.Request) -> Response:
    """Return the mock's response, from the application without a server."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=mock), trust_env=False) as client:
        answer = await client.send(
            httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
        )
    return Response(answer.status_code, dict(answer.headers), answer.content)


class _DryRunGrpc(GrpcProtocol):
    """The gRPC of a contract, answered by its model."""

    def __init__(
        self, contract: Contract, address: str, planned: DryRunConnector, gate: Gate | None, *, secure: bool
    ) -> None:
        super().__init__(contract, address, secure=secure, gate=gate)
        self._connector, self._guarded = planned, gate
        self._address = f"grpc://{address}"

    def _send(self, encoded: EncodedRequest) -> Response:
        assert self._guarded is not None
        contract = self._guarded.guard.contract
        calls = self._connector.get_mock(contract).grpc_calls[0]
        operation, headers = contract.operations[encoded.operation or ""], dict(encoded.headers)
        key = next((a for a, k in self._guarded.guard.keys.items() if k in " ".join(headers.values()).split()), "")
        self._connector.change_count += not contract.is_read_only(operation.id) and bool(key)
        self._connector.record_request(
            self._guarded, f"{self._address}{encoded.path}", json.loads(encoded.reported_content), key
        )
        answer = calls.handle_call(operation, headers, encoded.content)
        if answer.status.code:
            return self._build_refusal(answer.status, answer.details, {"grpc-status": str(answer.status.code)}, [])
        return self._build_success(operation, answer.content, {}, [])


def _create_redactor(contract: Contract) -> Redactor:
    names = {name for place in contract.credential_locations for name in (place.field, place.query) if name}
    return Redactor(find_password_names(contract.effective.raw) | names, public_names=contract.public_names)


def _get_keys(options: RunOptions, contract: Contract) -> dict[str, str]:
    keys = {
        c.variable: options.keys[contract.slug][c.account]
        for c in contract.credentials
        if c.account in options.keys[contract.slug]
    }
    given = contract.given
    return {**keys, **{one.variable: given.values[name] for name, one in given.tables.items()}}


class _DryRunPlugin(ContractPlugin):
    """The run, with a heading over the requests of each check."""

    def __init__(self, suite: Suite, planned: DryRunConnector) -> None:
        super().__init__(suite)
        self._connector = planned

    @pytest.hookimpl
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """See pytest."""
        self._connector.heading = f"# {nodeid.rsplit('::', 1)[-1]}"


def _group_by_reason(not_exercised: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for clause, why in not_exercised.items():
        found.setdefault(why, []).append(clause)
    return found


def _build_stand_ins(chosen: list[Contract]) -> dict[str, str]:
    """Return values for the variables of which a plan needs no real one: keys, given arguments, and the customer's server."""
    keys = {c.variable: c.test for contract in chosen for c in contract.credentials}
    keys |= {one.variable: one.test for contract in chosen for one in contract.given.tables.values()}
    return {**keys, **{contract.address_variable: _OWN_SERVER for contract in chosen if contract.address_variable}}


class DryRun:
    """One dry run: ``headings`` before it, ``lines``, ``records`` and counts after it."""

    def __init__(self, given: Mapping[str, str], directory: Path) -> None:
        """Check ``given``, options by name, as a run on a real account does; ``directory`` takes its ledger.

        Keys that the environment lacks are replaced by test values: nothing is sent.
        """
        settings = complete_settings(given)
        target = "live" if settings["target"] in ("", "mock") else settings["target"]
        raw = {**settings, "target": target, "live": settings["live"] or "mutate", "out": str(directory)}
        environment = {
            **_build_stand_ins(choose_contracts(settings["vendor"] or "all")),
            **os.environ,
            "LEDGER": str(directory),
            "LIMITER_REDIS_URL": "",
        }
        options = resolve_options(raw, environment)
        self.connector = DryRunConnector(options)
        self._suite = Suite(options, self.connector, FastClock())
        self.headings = self._suite.live_run.format_headings()
        self.records: list[Record] = []

    def run(self, suite_directory: Path) -> None:
        """Run the suite, whose tests are in ``suite_directory``."""
        plugin = _DryRunPlugin(self._suite, self.connector)
        run_pytest(plugin, suite_directory)
        self.records = plugin.records

    def format_lines(self) -> list[str]:
        """Return every request, then for each vendor the clauses that the run would leave out, by reason."""
        lines = list(self.connector.lines)
        for record in self.records:
            reason = f" ({record.reason})" if record.reason else ""
            lines.append(
                f"{record.name}: {sum(record.requests.values())} requests; {len(record.not_exercised)} of "
                f"{len(record.documented)} clauses would not be exercised{reason}"
            )
            for why, names in sorted(_group_by_reason(record.not_exercised).items()):
                lines.append(f"  {len(names)}: {why}")
        sent, changing = self.connector.request_count, self.connector.change_count
        return [*lines, f"{sent} requests in all, {changing} of which may change something. Nothing was sent."]
