"""A run loads the slow libraries that it needs, and no other."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.loopback_server import LoopbackResponse, serve_app
from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[3]
EXPLORING = {"schemathesis", "hypothesis"}
SHARING = {"redis"}
GRPC = {"grpc", "google.protobuf"}
SERVING = {"uvicorn", "starlette"}
SLOW = {*EXPLORING, *SHARING, *GRPC, *SERVING, "requests", "contract_watch.diff"}
RUN = """
import json, sys
from contract_watch.commands.check_target import main
try:
    status = main(json.loads(sys.argv[1]))
except SystemExit as end:
    status = end.code
print(json.dumps([status, sorted(sys.modules)]), file=sys.stderr)
"""


def _list_slow_modules(directory: Path, *arguments: str) -> tuple[int, set[str]]:
    """Run the suite in a process of its own; return its exit status and the slow libraries that it loaded."""
    given = json.dumps([*arguments, "--vendor", "jetemail", "--out", str(directory)])
    names = ("PATH", "HOME", "LANG", "PYTHONPATH")
    environment = {name: os.environ[name] for name in names if name in os.environ}
    command = [sys.executable, "-c", RUN, given]
    ended = subprocess.run(  # noqa: S603 (our own command)
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    status, modules = json.loads(ended.stderr.splitlines()[-1])
    return status, SLOW.intersection(modules)


def test_a_run_on_an_address_loads_no_slow_library(tmp_path: Path) -> None:
    """Without exploring, a run on a URL needs no fuzzer, no Redis, no gRPC and no server of its own."""
    with serve_app(lambda _request: LoopbackResponse(503, {})) as server:
        status, loaded = _list_slow_modules(tmp_path, "--explore", "0", "--target", server.url)
    assert (status, loaded) == (2, set())


def test_a_run_on_the_mock_loads_its_server_alone(tmp_path: Path) -> None:
    """The mock is the one more thing that a run on it needs."""
    assert _list_slow_modules(tmp_path, "--explore", "0", "--only", "rules/rename") == (0, SERVING)


def test_exploring_draws_in_another_process(tmp_path: Path) -> None:
    """A run that finds nothing never loads Schemathesis itself."""
    status, loaded = _list_slow_modules(tmp_path, "--explore", "1", "--seed", "7", "--shard", "1/4")
    assert (status, loaded) == (0, {"hypothesis", *SERVING})


def test_exploring_loads_its_own_libraries(tmp_path: Path) -> None:
    """Schemathesis and its requests are loaded for exploring, but neither Redis nor gRPC."""
    only = "explore/listSmtpUsers/positive"
    status, loaded = _list_slow_modules(tmp_path, "--explore", "1", "--only", only)
    assert (status, loaded) == (0, {*EXPLORING, *SERVING, "requests"})
