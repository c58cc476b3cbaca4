"""A minimised reproduction shows its finding: pasted into bash, for every vendor and over every protocol."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.encodability import can_encode_grpc
from contract_watch.engine.planning.planner import plan_probes
from contract_watch.engine.planning.probe import Probe
from contract_watch.engine.running.cleanup import clean_up
from contract_watch.engine.running.minimizing import MAX_REQUESTS, minimize_reproductions
from contract_watch.engine.running.preflight import run_preflight
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.mock.grpc.calls import GrpcResponse
from contract_watch.mock.server import build_mock, run_in_thread
from contract_watch.mutants.mutant_runner import start_mutant_runner
from contract_watch.report.finding import Finding
from tests.support.mutant_lists import list_mutants
from tests.support.patience import PATIENCE
from tests.support.protocol_sessions import make_protocol, make_session

ZITADEL = Contract("zitadel")
MAX_CHARACTERS = 500
"""Characters of a line. An edit of SMTP2GO takes most of them: values that the recorded list shows stay."""
BASH = shutil.which("bash") or ""

pytestmark = pytest.mark.skipif(not BASH, reason="the lines are for bash")


def minimize_finding(session: Session, probes: list[Probe], finding_id: str) -> tuple[Finding, Finding]:
    """Send ``probes``, then minimise; return the finding as it was and as it is. The run ends within its bound."""
    runner = Runner(session)
    run_preflight(session, runner)
    for probe in probes:
        runner.run_probe(probe)
    clean_up(session, runner)
    (before,) = [one for one in session.record.findings if one.id == finding_id]
    count, owned = sum(session.record.requests.values()), set(session.target.list_owned())
    assert minimize_reproductions([(session, runner)], None) is None
    removals = len(session.target.list_owned() - owned)
    assert sum(session.record.requests.values()) - count + removals <= MAX_REQUESTS
    (after,) = [one for one in session.record.findings if one.id == finding_id]
    return before, after


def paste_lines(contract: Contract, lines: str) -> str:
    """Run ``lines`` in bash; return the last response, with its head."""
    environment = {**os.environ, **{one.variable: one.test for one in contract.credentials}}
    shown = subprocess.run(  # noqa: S603 (the lines under test)
        [BASH, "-c", lines], env=environment, capture_output=True, timeout=PATIENCE, check=True
    )
    return shown.stdout.decode("latin-1").replace("\r\n", "\n").rpartition("HTTP/")[2]


def describe_shape(value: Any) -> Any:
    """Describe names and types: ids, times and secrets differ in each run."""
    if isinstance(value, dict):
        return {name: describe_shape(one) for name, one in value.items()}
    return [describe_shape(one) for one in value[:1]] if isinstance(value, list) else type(value).__name__


@pytest.mark.parametrize(
    ("slug", "mutant", "finding_id", "requests"),
    [
        ("jetemail", "state/updateSmtpUser/lost/allowAllDomains", "updateSmtpUser/effect/allowAllDomains/value", 3),
        ("smtp2go", "body/addSmtpUser/200/request_id/missing", "addSmtpUser/200/body/request_id/missing", 1),
        (
            "smtp2go",
            "state/editSmtpUser/lost/bounce_notifications",
            "editSmtpUser/effect/bounce_notifications/value",
            3,
        ),
        ("zitadel", "body/addSmtpConfig/200/details/missing", "addSmtpConfig/200/body/details/missing", 1),
        ("zitadel", "requests/addSmtpConfig/user/renamed", "addSmtpConfig/effect/user/missing", 2),
    ],
)
def test_the_lines_bring_the_response_of_the_finding(slug: str, mutant: str, finding_id: str, requests: int) -> None:
    """A mutant that has forgotten everything answers the pasted lines as the finding quotes.

    A missing property of a creation takes one request. An effect takes its history and the read.
    """
    contract = Contract(slug)
    drift = next(one for one in list_mutants(slug) if one.id == mutant)
    with start_mutant_runner(contract) as mutants:
        mutants.load_mutation(drift.create_mutation())
        session = make_session(contract, mutants.address + contract.base_path, None, lag=0.0)
        try:
            probes = [probe for probe in mutants.plan if probe.operation == drift.operation]
            before, after = minimize_finding(session, probes, finding_id)
        finally:
            session.close()
        mutants.load_mutation(drift.create_mutation())
        head, _, body = paste_lines(contract, after.reproduce).partition("\n\n")
    lines = after.reproduce.split("\n")
    assert (len(lines), [line for line in lines if len(line) > MAX_CHARACTERS]) == (requests, []), before.reproduce
    quoted = after.exchange["response"]
    assert int(head.split()[1]) == quoted["status"]
    assert describe_shape(json.loads(body)) == describe_shape(quoted["body"])
    assert (after.clause, after.severity, after.status) == (before.clause, before.severity, before.status)


@pytest.mark.parametrize("surface", ["grpc", "grpc-web"])
def test_grpc_lines_bring_the_response_of_the_finding(surface: str) -> None:
    """A creation with a user answers an empty message over gRPC. One call, shorter than the probe's, shows it."""
    mock = build_mock([ZITADEL], {})
    calls, spoilt = mock.grpc_calls[0], list[bytes]()
    honest = calls.handle_call

    def drop_content(operation: Operation, headers: Mapping[str, str], content: bytes) -> GrpcResponse:
        answer = honest(operation, headers, content)
        if operation.id != "addSmtpConfig" or answer.status.code or b"smtp-user" not in content:
            return answer
        spoilt.append(content)
        return GrpcResponse(answer.status, b"")

    calls.handle_call = drop_content  # type: ignore[method-assign]
    with run_in_thread(mock) as base:
        protocol = make_protocol(surface, ZITADEL, base, mock.controls.grpc_address)
        session = make_session(ZITADEL, base + ZITADEL.base_path, protocol, lag=0.0)
        probes = [
            probe
            for probe in plan_probes(ZITADEL)
            if probe.operation == "addSmtpConfig" and can_encode_grpc(ZITADEL, probe)
        ]
        try:
            before, after = minimize_finding(session, probes, "addSmtpConfig/200/body/id/missing")
        finally:
            session.close()
        spoilt.clear()
        paste_lines(ZITADEL, after.reproduce)
    assert (len(spoilt), after.reproduce.count("\n")) == (1, 0), before.reproduce
    assert len(after.reproduce) < len(before.reproduce)
