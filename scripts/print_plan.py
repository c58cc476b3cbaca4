"""``make plan``: every request that a run on a real account would send, in order, without sending any.

The run itself is made, with its guard and its limits; in place of connections the contract's own model answers, and time
does not pass. Names and passwords are made up anew each time, and another vendor's answers may make a run ask more.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from contract_tests.__main__ import run_pytest
from contract_watch.contracts.redaction import Redactor, find_password_names
from contract_watch.contracts.registry import Contract, choose_contracts
from contract_watch.engine.account.clock import FastClock
from contract_watch.engine.account.gate import Gate
from contract_watch.engine.command.options import (
    FLAGS,
    CommandParser,
    RunOptions,
    parse_or_exit_status,
    resolve_options,
)
from contract_watch.engine.command.pytest_plugin import ContractPlugin
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.protocols.encoded_request import EncodedRequest, RequestGate
from contract_watch.engine.protocols.grpc_protocols import GrpcProtocol
from contract_watch.engine.protocols.wire import Response, Wire
from contract_watch.mock.app import Mock
from contract_watch.mock.server import build_mock

_FLAGS = ("--vendor", "--target", "--live", "--explore", "--surface", "--thorough", "--only")
_OWN_SERVER = "https://your-own.example"
"""What stands for the address of a customer's own server, where the environment does not name it."""


class DryRunConnector:
    """A connector that connects to nothing: prints each request, and lets the contract's model answer."""

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
        """What answers for a contract."""
        return self._mocks[contract.slug]

    def record_request(self, gate: Gate, where: str, body: Any, key: str) -> None:
        """Print one request."""
        contract = gate.guard.contract
        self.request_count += 1
        shown = (
            ""
            if body is None
            else " " + json.dumps(_create_redactor(contract).redact_json(body), ensure_ascii=False)[:600]
        )
        who = next((c.variable for c in contract.credentials if c.account == key), "no key, or a wrong one")
        if self.heading:
            self.lines.append(self.heading)
            self.heading = ""
        self.lines.append(f"{self.request_count:5} {where}{shown}  [{who}]")


class _DryRunWire(Wire):
    """A wire that carries everything to the contract's model."""

    def __init__(self, base: str, gate: Gate, planned: DryRunConnector) -> None:
        super().__init__(base, gate)
        self._guarded, self._connector = gate, planned
        self._thread = ThreadPoolExecutor(1)  # the client may call from within an event loop of its own

    def _deliver(self, encoded: EncodedRequest) -> Response:
        request = httpx.Request(encoded.method, encoded.url, headers=dict(encoded.headers), content=encoded.content)
        passage = self._guarded.guard.check_request(encoded)
        body = None
        if encoded.json_content is not None:
            body = json.loads(encoded.json_content)
        elif request.content:
            body = json.loads(request.content)
        self._connector.change_count += passage.is_mutating and bool(passage.holder)
        self._connector.record_request(self._guarded, f"{request.method} {request.url}", body, passage.holder)
        answer = self._thread.submit(
            asyncio.run, _ask_mock(self._connector.get_mock(self._guarded.guard.contract), request)
        )
        return answer.result()

    def close(self) -> None:
        self._thread.shutdown()
        super().close()


async def _ask_mock(mock: Mock, request: httpx.Request) -> Response:
    """What the mock answers, as an application, without a server."""
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
    names = {place.field for place in contract.credential_locations if place.field}
    return Redactor(find_password_names(contract.effective.raw) | names)


def _get_keys(options: RunOptions, contract: Contract) -> dict[str, str]:
    return {
        c.variable: options.keys[contract.slug][c.account]
        for c in contract.credentials
        if c.account in options.keys[contract.slug]
    }


class _DryRunPlugin(ContractPlugin):
    """The run, with a heading over the requests of each check."""

    def __init__(self, suite: Suite, planned: DryRunConnector) -> None:
        super().__init__(suite)
        self._connector = planned

    @pytest.hookimpl
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """See pytest."""
        self._connector.heading = f"# {nodeid.rsplit('::', 1)[-1]}"


def main(arguments: list[str] | None = None) -> int:
    """Print the plan; 0, or 3 where the settings are wrong."""
    parser = CommandParser(
        prog="python -m scripts.print_plan", description="Prints what a live run would send.", allow_abbrev=False
    )
    for flag in _FLAGS:
        parser.add_argument(flag, **FLAGS[flag])
    with tempfile.TemporaryDirectory() as folder:

        def read() -> tuple[DryRunConnector, Suite]:
            blank = {flag.removeprefix("--").replace("-", "_"): "" for flag in FLAGS}
            given = {**blank, **vars(parser.parse_args(arguments)), "out": folder}
            raw = {
                **given,
                "target": _choose_target(given["target"]),
                "live": given["live"] or "mutate",
                "fail_on": "breaking",
            }
            environment = {
                **_build_stand_ins(choose_contracts(given["vendor"] or "all")),
                **os.environ,
                "LEDGER": folder,
                "LIMITER_REDIS_URL": "",
            }
            options = resolve_options(raw, environment)
            planned = DryRunConnector(options)
            return planned, Suite(options, planned, FastClock())

        made = parse_or_exit_status(read)
        if isinstance(made, int):
            return made
        planned, suite = made
        for line in suite.live_run.format_headings():
            print(line)
        plugin = _DryRunPlugin(suite, planned)
        run_pytest(plugin)
    print("\n".join(planned.lines))
    for record in plugin.records:
        print(
            f"{record.name}: {sum(record.requests.values())} requests; {len(record.not_exercised)} of {len(record.documented)} "
            f"clauses would not be exercised{f' ({record.reason})' if record.reason else ''}"
        )
        for why, names in sorted(_group_by_reason(record.not_exercised).items()):
            print(f"  {len(names)}: {why}")
    print(
        f"{planned.request_count} requests in all, {planned.change_count} of which may change something. Nothing was sent."
    )
    return 0


def _group_by_reason(not_exercised: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for clause, why in not_exercised.items():
        found.setdefault(why, []).append(clause)
    return found


def _choose_target(given: str) -> str:
    return "live" if given in ("", "mock") else given


def _build_stand_ins(chosen: list[Contract]) -> dict[str, str]:
    """What a plan needs no real one of: keys, and the address of one's own server."""
    keys = {c.variable: c.test for contract in chosen for c in contract.credentials}
    return {**keys, **{contract.address_variable: _OWN_SERVER for contract in chosen if contract.address_variable}}


if __name__ == "__main__":
    sys.exit(main())
