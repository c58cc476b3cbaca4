"""The lines that reproduce a finding can be pasted: they create an object, use the id it gets, and show the finding."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.protobuf import GrpcStatus
from contract_watch.contracts.registry import Contract
from contract_watch.mock.grpc.calls import GrpcResponse
from contract_watch.mock.server import build_mock, run_in_thread
from tests.support.patience import PATIENCE
from tests.support.suite_process import start_suite

ZITADEL = Contract("zitadel")
KEY = ZITADEL.credentials[0]
DRIFTED_OPERATION = "getSmtpConfigById"


@pytest.mark.skipif(shutil.which("bash") is None, reason="the lines are for bash")
@pytest.mark.parametrize("surface", ["grpc", "grpc-web"])
def test_the_lines_of_a_finding_show_it_again(tmp_path: Path, surface: str) -> None:
    """The drifted server refuses to read an existing object over gRPC; the server assigns ids.

    Run by bash, with the key in its variable, the lines create an object and end with the refusal.
    """
    mock = build_mock([ZITADEL], {})
    calls, asked = mock.grpc_calls[0], list[str]()
    honest = calls.handle_call

    def spoilt(operation: Operation, headers: Mapping[str, str], content: bytes) -> GrpcResponse:
        answer = honest(operation, headers, content)
        if operation.id != DRIFTED_OPERATION or answer.status.code:
            return answer
        asked.append(content.decode("latin-1"))
        return calls.build_error(GrpcStatus(7, "spoilt by the test"))

    calls.handle_call = spoilt  # type: ignore[method-assign]
    with run_in_thread(mock) as base:
        result = start_suite(
            tmp_path, "--vendor", ZITADEL.slug, "--target", base, "--surface", surface, "--explore", "0"
        ).wait_for_exit()
        assert result.status == 1, result
        finding = next(found for found in result.report["findings"] if found["status"] == 403)
        assert KEY.test not in finding["reproduce"]
        mock.vendors[ZITADEL.slug].reset()
        asked.clear()
        shown = subprocess.run(  # noqa: S603 (the lines under test)
            [shutil.which("bash") or "bash", "-c", finding["reproduce"]],
            env={**os.environ, KEY.variable: KEY.test},
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        there = mock.vendors[ZITADEL.slug].dump()
    assert b"spoilt%20by%20the%20test" in shown.stdout or b"spoilt by the test" in shown.stdout, shown
    assert any(row["id"] in text for row in there for text in asked), (there, asked)
