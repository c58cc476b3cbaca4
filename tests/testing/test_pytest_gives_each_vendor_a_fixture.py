"""The pytest plugin, in runs of pytest of their own: fixtures from contracts, isolation, and tests that prove nothing."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from contract_watch.authoring.skeleton import write_skeleton
from contract_watch.contracts.registry import ROOT, load_contracts
from tests.support.patience import PATIENCE

HEAD = """
import asyncio, httpx, pytest

def send(vendor, method="GET", **body):
    return httpx.request(method, vendor.url + "/outbound/smarthost", headers=vendor.headers, json=body, timeout=60)
"""


@dataclass(frozen=True)
class PytestRun:
    """The end of a run of pytest."""

    status: int
    out: str

    def get_block(self, heading: str) -> str:
        """Return the lines below a heading of the report."""
        return re.split(r"\n_{3,}", self.out.partition(heading)[2])[0]


def _run(directory: Path, source: str, *arguments: str, environment: Mapping[str, str] = {}) -> PytestRun:
    """Run pytest on ``source`` with the plugin, as an installed package's entry point loads it."""
    (directory / "test_own.py").write_text(HEAD + source, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "CONTRACTS", "COV"))}
    command = [sys.executable, "-m", "pytest", "-p", "no:schemathesis", "-p", "no:anyio", "-p", "no:cacheprovider"]
    command += ["-p", "contract_watch.testing.pytest_plugin", "--strict-markers", "-W", "error", "-q", *arguments]
    done = subprocess.run(  # noqa: S603 (our own)
        command, cwd=directory, env={**kept, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    return PytestRun(done.returncode, done.stdout + done.stderr)


def test_each_test_begins_empty_on_one_server(tmp_path: Path) -> None:
    """Objects, calls, faults, interpretations and the clock of earlier tests are gone; the address stays the same."""
    run = _run(tmp_path, """
ADDRESSES = set()

def test_one(mock_jetemail):
    ADDRESSES.add(mock_jetemail.url)
    mock_jetemail.interpret(new_status="quota-locked")
    mock_jetemail.clock.advance(100_000)
    assert send(mock_jetemail, "POST", username="alice").status_code == 200
    fault = mock_jetemail.fault("listSmtpUsers", status=503, times=5)
    assert send(mock_jetemail).status_code == 503

@pytest.mark.parametrize("number", range(3))
def test_two(mock_jetemail, number):
    ADDRESSES.add(mock_jetemail.url)
    assert (mock_jetemail.state, mock_jetemail.calls()) == ([], [])
    assert send(mock_jetemail, "POST", username="alice").status_code == 200
    (row,) = send(mock_jetemail).json()["smarthosts"]
    assert row["status"] == "active"
    assert abs(mock_jetemail.clock.read() - __import__("time").time()) < 50_000
    assert len(ADDRESSES) == 1

def test_async(mock_jetemail):
    async def run():
        async with httpx.AsyncClient(base_url=mock_jetemail.url, headers=mock_jetemail.headers) as client:
            assert (await client.get("/outbound/smarthost")).json()["smarthosts"] == []
        mock_jetemail.assert_called_once("listSmtpUsers")
    asyncio.run(run())

def test_several(mock_jetemail, mock_smtp2go):
    assert send(mock_jetemail).status_code == 200
    assert httpx.post(mock_smtp2go.url + "/users/smtp/view", headers=mock_smtp2go.headers, json={}).status_code == 200
    assert len(mock_jetemail.calls()) == len(mock_smtp2go.calls()) == 1
""")  # fmt: skip
    assert (run.status, "6 passed" in run.out) == (0, True), run.out


def test_a_test_that_proves_nothing_is_an_error(tmp_path: Path) -> None:
    """A fault that never played is named with the calls; an unused fixture with the base URL; markers and settings excuse both."""
    source = """
def test_unused(mock_jetemail):
    pass

def test_unplayed(mock_jetemail):
    mock_jetemail.fault("createSmtpUser", status=503)
    send(mock_jetemail)

def test_reset_is_no_use(mock_jetemail):
    mock_jetemail.reset()

def test_called_before_a_reset(mock_jetemail):
    send(mock_jetemail)
    mock_jetemail.reset()

def test_skipped(mock_jetemail):
    pytest.skip("not now")

@pytest.mark.xfail
def test_expected_to_fail(mock_jetemail):
    assert False

def test_both_are_unused(mock_jetemail, mock_smtp2go):
    pass

@pytest.mark.parametrize("called, other", [("mock_jetemail", "mock_zitadel"), ("mock_zitadel", "mock_jetemail")])
def test_one_of_two_is_unused(request, called, other):
    first, _ = request.getfixturevalue(called), request.getfixturevalue(other)
    httpx.post(first.url + ("/admin/v1/smtp/_search" if first.slug == "zitadel" else "/outbound/smarthost"), headers=first.headers, json={})

def test_subtest(mock_jetemail, subtests):
    with subtests.test("passes"):
        pass
    pytest.skip("not now")

@pytest.mark.mock_vendor(unused="ok")
def test_excused(mock_jetemail):
    pass

@pytest.mark.mock_vendor("jetemail", unplayed="ok")
def test_excused_fault(mock_jetemail):
    mock_jetemail.fault("createSmtpUser", status=503)
    send(mock_jetemail)
"""
    run = _run(tmp_path, source)
    assert run.status == 1, run.out
    assert "9 passed, 2 skipped, 1 xfailed, 6 errors, 1 subtests passed" in run.out, run.out
    unused = run.get_block("ERROR at teardown of test_unused")
    assert re.search(r"no request reached the mock.*let your code call http://127\.0\.0\.1:\d+, or", unused), run.out
    unplayed = run.get_block("ERROR at teardown of test_unplayed")
    assert "a scripted fault never played" in unplayed
    assert "createSmtpUser" in unplayed
    assert "GET /outbound/smarthost 200: listSmtpUsers" in unplayed
    assert "ERROR at teardown of test_reset_is_no_use" in run.out
    both = run.get_block("ERROR at teardown of test_both_are_unused")
    assert all(f"{name}: no request reached the mock" in both for name in ("mock_jetemail", "mock_smtp2go")), both
    (tmp_path / "pytest.ini").write_text("[pytest]\nmock_vendor_unused = ok\nmock_vendor_unplayed = ok\n")
    assert _run(tmp_path, source).status == 0


def test_a_failed_test_shows_the_requests_without_secrets(tmp_path: Path) -> None:
    """The report has a section with the journal; the failure is not followed by an error about a fault."""
    run = _run(tmp_path, """
def test_failed(mock_jetemail):
    mock_jetemail.fault("deleteSmtpUser", status=503)
    send(mock_jetemail, "POST", username="alice", password="hunter2" * 3)
    raise RuntimeError("no luck")
""", "--tb=no", "-rN")  # fmt: skip
    assert (run.status, "1 failed" in run.out, "error" in run.out) == (1, True, False), run.out
    run = _run(tmp_path, (tmp_path / "test_own.py").read_text(encoding="utf-8"), "--tb=short")
    section = run.out.partition("- mock_jetemail -")[2]
    assert "POST /outbound/smarthost 200: createSmtpUser {'username': 'alice', 'password': '[redacted" in section, (
        run.out
    )
    assert "hunter2hunter2" not in section


def test_markers_choose_a_mutant_and_interpretations(tmp_path: Path) -> None:
    """The mutant plays for the marked tests alone, afresh for each; the closest marker wins."""
    run = _run(tmp_path, """
pytestmark = pytest.mark.mock_vendor("jetemail", interpretations={"new-status": "inactive"})

@pytest.mark.mock_vendor(mutant="state/createSmtpUser/late")
@pytest.mark.parametrize("number", range(2))
def test_drifted(mock_jetemail, number):
    assert mock_jetemail.mutant == "state/createSmtpUser/late"
    assert send(mock_jetemail, "POST", username="alice").status_code == 200
    assert [send(mock_jetemail).json()["smarthosts"] == [] for _ in range(2)] == [True, False]

def test_faithful(mock_jetemail):
    send(mock_jetemail, "POST", username="alice")
    assert (mock_jetemail.mutant, send(mock_jetemail).json()["smarthosts"][0]["status"]) == ("", "inactive")

@pytest.mark.mock_vendor(interpretations={"new-status": "quota-locked"})
def test_closest(mock_jetemail):
    send(mock_jetemail, "POST", username="alice")
    assert send(mock_jetemail).json()["smarthosts"][0]["status"] == "quota-locked"
""")  # fmt: skip
    assert (run.status, "4 passed" in run.out) == (0, True), run.out


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ("unusd='ok'", "unknown option 'unusd'; choose from"),
        ("unused='maybe'", "unused must be error or ok, got 'maybe'"),
        ("['jetemail']", "unknown vendor ['jetemail']; choose from"),
        ("'jetmail'", "unknown vendor 'jetmail'; choose from"),
        ("mutant='status/x'", "jetemail has no mutant 'status/x'"),
        ("interpretations={'nams': 'refused'}", "did you mean 'names'"),
        ("preset=[{'username': 5}]", "preset: jetemail[0].username must be"),
        ("preset={'jetmail': []}", "preset: unknown vendor 'jetmail'; did you mean 'jetemail'?"),
        ("preset='none.yaml'", "none.yaml: cannot be read (No such file or directory)"),
        ("preset=7", "preset must be a list of objects, lists by vendor, or a path"),
        ("seed='7'", "seed must be a whole number"),
    ],
)
def test_a_wrong_marker_is_one_line(tmp_path: Path, marker: str, words: str) -> None:
    """The error names the marker's mistake without a traceback."""
    run = _run(tmp_path, f"@pytest.mark.mock_vendor({marker})\ndef test_own(mock_jetemail):\n    send(mock_jetemail)\n")
    assert run.status == 1, run.out
    (line,) = [line for line in run.out.splitlines() if line.startswith("mock_jetemail:")]
    assert words in line
    assert "Traceback" not in run.out


def test_servers_of_mutants_and_seeds_end_with_their_tests(tmp_path: Path) -> None:
    """A session with many seeds has two servers at a time, so that a process with few descriptors runs it."""
    run = _run(tmp_path, """
import threading

@pytest.fixture(params=range(6), autouse=True)
def marked(request):
    request.applymarker(pytest.mark.mock_vendor(seed=request.param, mutant="state/createSmtpUser/lost" if request.param else ""))

def test_own(mock_jetemail, mock_smtp2go):
    send(mock_jetemail)
    httpx.post(mock_smtp2go.url + "/users/smtp/view", headers=mock_smtp2go.headers, json={})
    assert len([thread for thread in threading.enumerate() if thread.name == "mock"]) == 2
""".replace("mock_vendor(", "mock_vendor('jetemail', "))  # fmt: skip
    assert (run.status, "6 passed" in run.out) == (0, True), run.out


def test_a_wrong_setting_is_one_line(tmp_path: Path) -> None:
    """A misspelt setting does not switch a check off."""
    (tmp_path / "pytest.ini").write_text("[pytest]\nmock_vendor_unused = never\n")
    run = _run(tmp_path, "def test_own(mock_jetemail):\n    send(mock_jetemail)\n")
    assert run.status != 0
    assert "mock_vendor_unused must be error or ok, got 'never'" in run.out


def test_workers_have_servers_of_their_own(tmp_path: Path) -> None:
    """Under pytest-xdist tests of several processes never see each other's objects or calls."""
    run = _run(tmp_path, """
import os

@pytest.mark.parametrize("number", range(24))
def test_own(mock_jetemail, number):
    for name in "abc":
        assert send(mock_jetemail, "POST", username=f"{name}-{number}").status_code == 200
    assert [row["username"] for row in mock_jetemail.state] == [f"{name}-{number}" for name in "abc"]
    assert len(mock_jetemail.calls()) == 3
    print("SERVED", os.environ["PYTEST_XDIST_WORKER"], mock_jetemail.url, "END")
""", "-n", "2", "-rP")  # fmt: skip
    assert (run.status, "24 passed" in run.out) == (0, True), run.out
    served = {tuple(line.split()[1:3]) for line in re.findall(r"SERVED .* END", run.out)}
    assert len(served) == len({worker for worker, _ in served}) == len({url for _, url in served}) == 2, run.out


def test_markers_choose_objects_and_seeds(tmp_path: Path) -> None:
    """A preset is of the test alone, from a list, a mapping or a file next to the test; two workers see the same ids."""
    directory = tmp_path / "below"
    directory.mkdir()
    (directory / "preset.yaml").write_text("jetemail: [{username: file}]\nsmtp2go: [{username: second}]\n")
    run = _run(directory, """
def view(vendor):
    assert httpx.post(vendor.url + "/users/smtp/view", headers=vendor.headers, json={}).status_code == 200

def names(vendor):
    return [row["username"] for row in vendor.state]

@pytest.mark.mock_vendor(preset="preset.yaml")
def test_file(mock_jetemail, mock_smtp2go):
    assert (names(mock_jetemail), names(mock_smtp2go)) == (["file"], ["second"])
    assert send(mock_jetemail, "POST", username="file").status_code == 409
    view(mock_smtp2go)
    assert send(mock_jetemail, "DELETE", username="file").status_code == 200
    mock_jetemail.reset()
    assert names(mock_jetemail) == ["file"]

@pytest.mark.mock_vendor("jetemail", preset={"jetemail": [{"username": "map"}]}, interpretations={"new-status": "inactive"})
def test_mapping(mock_jetemail, mock_smtp2go):
    assert (names(mock_jetemail), names(mock_smtp2go)) == (["map"], [])
    assert send(mock_jetemail, "POST", username="alice").status_code == 200
    assert send(mock_jetemail).json()["smarthosts"][1]["status"] == "inactive"
    view(mock_smtp2go)

@pytest.mark.mock_vendor(seed=7, preset=[{"username": "list"}])
@pytest.mark.parametrize("number", range(8))
def test_seed(mock_jetemail, number):
    assert names(mock_jetemail) == ["list"]
    mock_jetemail.clock.advance(number)
    mock_jetemail.reset()
    created = send(mock_jetemail, "POST", username="alice").json()
    print("SEEDED", __import__("os").environ["PYTEST_XDIST_WORKER"], created["password"], mock_jetemail.state, "END")

def test_plain(mock_jetemail):
    assert (names(mock_jetemail), send(mock_jetemail).json()["smarthosts"]) == ([], [])
    assert mock_jetemail.clock.now.year > 2000
""", "-n", "2", "--dist", "each", "-rP", "--rootdir", str(tmp_path))  # fmt: skip
    assert (run.status, "22 passed" in run.out) == (0, True), run.out
    seeded = [line.removeprefix("SEEDED ").partition(" ") for line in re.findall(r"SEEDED .* END", run.out)]
    assert len({worker for worker, _, _ in seeded}) == 2, run.out
    assert len({values for _, _, values in seeded}) == 1, run.out


def test_a_request_that_no_operation_takes_is_explained(tmp_path: Path) -> None:
    """A wrong base URL is an error with the operation that the code may have meant, and so is a fault on another operation."""
    run = _run(tmp_path, """
def test_wrong_base(mock_jetemail):
    httpx.post(mock_jetemail.url + "/v1/outbound/smarthost", headers=mock_jetemail.headers, json={"username": "a" * 500})

def test_wrong_fault(mock_jetemail):
    mock_jetemail.fault("createSmtpUser", status=503)
    httpx.put(mock_jetemail.url + "/outbound/smarthost", headers=mock_jetemail.headers)
""")  # fmt: skip
    assert "2 passed, 2 errors" in run.out, run.out
    wrong = run.get_block("ERROR at teardown of test_wrong_base")
    assert "no request matched an operation" in wrong
    assert "/v1 is no base path; nearest is POST /outbound/smarthost (createSmtpUser)" in wrong
    assert re.search(r"let your code call http://127\.0\.0\.1:\d+, or mark the test", wrong), wrong
    fault = run.get_block("ERROR at teardown of test_wrong_fault")
    assert "a scripted fault never played: fault-1: status 503 for createSmtpUser" in fault
    assert "no operation (method PUT is not declared; declared: GET, POST, DELETE, PATCH)" in fault


def test_async_tests_need_no_plugin_of_ours(tmp_path: Path) -> None:
    """A plugin for async tests runs them with the fixture; without one the test fails as pytest has it, without our error."""
    source = """
@pytest.mark.anyio
async def test_own(mock_jetemail):
    async with httpx.AsyncClient(base_url=mock_jetemail.url, headers=mock_jetemail.headers) as client:
        assert (await client.get("/outbound/smarthost")).json()["smarthosts"] == []
    mock_jetemail.assert_called_once("listSmtpUsers")

@pytest.fixture
def anyio_backend():
    return "asyncio"
"""
    run = _run(tmp_path, source, "-p", "anyio")
    assert (run.status, "1 passed" in run.out) == (0, True), run.out
    run = _run(tmp_path, source.replace("@pytest.mark.anyio", ""))
    assert (run.status, "1 failed" in run.out, "error" in run.out.splitlines()[-1]) == (1, True, False), run.out
    assert "async def functions are not natively supported" in run.out


def test_fixtures_come_from_the_contracts_that_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every vendor has one; a contract below CONTRACTS too, and a directory that does not exist breaks no run."""
    source = "def test_none():\n    pass\n"
    listed = _run(tmp_path, source, "--fixtures").out
    assert [slug for slug in load_contracts() if f"mock_{slug}" not in listed] == []
    with monkeypatch.context() as patch:
        patch.setenv("CONTRACTS", str(tmp_path / "vendors"))
        write_skeleton("acme", "Acme Mail")
    own = """
def test_own(mock_acme):
    assert httpx.get(mock_acme.url + "/acme/things", headers=mock_acme.headers).status_code == 200
"""
    environment = {"CONTRACTS": "vendors"}
    assert _run(tmp_path, own + "    assert mock_acme.name == 'Acme Mail'\n", environment=environment).status == 0
    assert "mock_jetemail" not in _run(tmp_path, source, "--fixtures", environment=environment).out
    missing = tmp_path / "missing"
    run = _run(tmp_path, source, "-v", environment={"CONTRACTS": str(missing)})
    assert run.status == 0
    assert f"contract_watch: no fixture mock_<slug>: CONTRACTS: {missing} does not exist;" in run.out
    missing.write_text("")
    run = _run(tmp_path, source, "-v", environment={"CONTRACTS": str(missing)})
    assert (run.status, f"CONTRACTS: {missing} is a file" in run.out) == (0, True), run.out
