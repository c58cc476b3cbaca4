"""The lines of a reproduction read the id of what they create, text or number, from whatever the server answers."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.redaction import Redactor
from contract_watch.engine.judging.reproduction import format_script
from contract_watch.engine.planning.probe import make_operation_request
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.protocols.wire import Response, RestProtocol, Wire
from tests.support.patience import PATIENCE
from tests.support.resource_contracts import MadeApi

BASE = "http://127.0.0.1:9"
_CURL = 'curl() { printf "%s\\n" "$*" >&3; printf "%s" "$ANSWER"; }\n'
"""In place of the program: it writes its arguments to descriptor 3 and a given answer to its output."""


def _format(tmp_path: Path, id_schema: dict[str, Any], known: str | int) -> str:
    contract = MadeApi(id_schema=id_schema, query={"limit": {"type": "integer"}}).write(tmp_path)
    protocol = RestProtocol(BASE, Wire(BASE), contract.operations)

    def exchange(operation: str, arguments: dict[str, object]) -> Exchange:
        request = make_operation_request(contract, contract.operations[operation], arguments, "", {})
        return Exchange(
            request, protocol.encode(request), Response(200, {}, json.dumps({"id": known}).encode()), protocol
        )

    steps = [
        exchange("createThing", {"name": "ct-a"}),
        exchange("listThings", {"query:limit": 7}),
        exchange("getThing", {"{id}": known}),
    ]
    return format_script(steps, Redactor([], []), {}, BASE, contract.lifecycle)


@pytest.mark.parametrize(
    ("id_schema", "known", "answer", "read"),
    [
        ({"type": "string", "example": "th_1"}, "th_1", '{"id": "th_2", "size": 7}', "th_2"),
        ({"type": "integer", "example": 7}, 7, '{"id":4711,"size":7}', "4711"),
        ({"type": "integer", "example": 7}, 7, '{\n  "id": 4711\n}', "4711"),
    ],
)
def test_later_lines_use_the_id_that_was_read(
    tmp_path: Path, id_schema: dict[str, Any], known: str | int, answer: str, read: str
) -> None:
    """The last request goes to the new object; a number elsewhere stays what it is."""
    script = _format(tmp_path, id_schema, known)
    done = subprocess.run(  # noqa: S603 (the lines under test)
        [shutil.which("bash") or "bash", "-c", f"{_CURL}exec 3>&1 >/dev/null\n{script}"],
        env={**os.environ, "ANSWER": answer}, capture_output=True, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    sent = done.stdout.splitlines()
    assert sent[1].endswith("/things?limit=7") or "/things?limit=7 " in sent[1]
    assert f"/things/{read}" in sent[2]
