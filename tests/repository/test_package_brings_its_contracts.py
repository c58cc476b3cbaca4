"""An installed package serves, checks and lists this repository's contracts from an empty directory, and changes none."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from contract_watch.contracts.registry import ROOT, load_contracts
from tests.support.installed_package import install_wheel, run_installed
from tests.support.patience import PATIENCE

SLUGS = list(load_contracts())
CONTRACTS = ROOT / "contracts"


@pytest.fixture(name="programs", scope="module")
def _programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_wheel(wheel, tmp_path_factory.mktemp("installed"))


def _read_shipped(programs: Path) -> dict[str, bytes]:
    (shipped,) = programs.parent.glob("lib/python*/site-packages/contract_watch/shipped")
    return {path.relative_to(shipped).as_posix(): path.read_bytes() for path in shipped.rglob("*") if path.is_file()}


@contextmanager
def _serve(programs: Path, cwd: Path, *arguments: str) -> Iterator[str]:
    """Run the mock from ``cwd`` and give its address; the process is killed at the end."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "JETEMAIL"))}
    with subprocess.Popen(  # noqa: S603 (our own command)
        [programs / "contract-watch", "mock", *arguments, "--port", "0"], cwd=cwd, stdout=subprocess.PIPE, text=True,
        env={**kept, "PYTHONDONTWRITEBYTECODE": "1"},
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            yield f"http://{next(line.split()[1] for line in process.stdout if line.startswith('rest '))}"
        finally:
            process.kill()


def test_the_mock_runs_without_a_clone(programs: Path, tmp_path: Path) -> None:
    """``contract-watch mock jetemail`` in an empty directory serves one vendor, with its state."""
    key = {"Authorization": "Bearer api_test_paid_0123456789abcdef"}
    with _serve(programs, tmp_path, "jetemail") as url, httpx.Client(base_url=url, headers=key) as client:
        assert client.get("/__mock/health", timeout=PATIENCE).json()["contracts"] == ["jetemail"]
        created = client.post("/outbound/smarthost", json={"username": "alice"})
        assert (created.status_code, len(client.get("/outbound/smarthost").json()["smarthosts"])) == (200, 1)
    assert list(tmp_path.iterdir()) == []


_TEST = """
import httpx

def test_installed(mock_jetemail):
    answer = httpx.post(mock_jetemail.url + "/outbound/smarthost", headers=mock_jetemail.headers, json={"username": "alice"})
    assert answer.status_code == 200
    mock_jetemail.assert_called_once("createSmtpUser", username="alice")

def test_unused(mock_jetemail):
    pass
"""


def test_pytest_finds_the_fixtures_by_itself(programs: Path, tmp_path: Path) -> None:
    """Installed, the plugin is loaded by its entry point: a test takes the fixture, and nothing imports or configures it."""
    (tmp_path / "test_team.py").write_text(_TEST, encoding="utf-8")
    plain = ("-m", "pytest", "-q", "--strict-markers", "-p", "no:cacheprovider", "-p", "no:schemathesis")
    said = run_installed(programs / "python", tmp_path, *plain, status=1).stdout
    assert "2 passed, 1 error" in said, said
    assert "no request reached the mock" in said
    said = run_installed(programs / "python", tmp_path, *plain, "-p", "no:contract_watch", status=1).stdout
    assert "fixture 'mock_jetemail' not found" in said, said


def test_the_library_works_from_an_empty_directory(programs: Path, tmp_path: Path) -> None:
    """Two lines play a shipped vendor, without a server too."""
    program = (
        "from contract_watch.testing import play\n"
        "with play('jetemail') as vendor, play('zitadel', serve=False) as other:\n"
        "    print(vendor.api_key, other.url)\n"
    )
    said = run_installed(programs / "python", tmp_path, "-c", program).stdout
    assert said == "api_test_paid_0123456789abcdef http://mock\n"
    assert list(tmp_path.iterdir()) == []


def test_every_shipped_contract_is_served(programs: Path, tmp_path: Path) -> None:
    """Without a name the mock serves all of them, gRPC included, whose descriptors are shipped."""
    with _serve(programs, tmp_path) as url:
        health = httpx.get(f"{url}/__mock/health", timeout=PATIENCE).json()
    assert (health["contracts"], "grpc" in health) == (SLUGS, True)


def test_shipped_contracts_are_checked_and_listed(programs: Path, tmp_path: Path) -> None:
    """The suite finds the shipped contract, its client and its mock; ``vendors`` and ``plan`` read them too."""
    command = programs / "contract-watch"
    run_installed(command, tmp_path, "check", "--vendor", SLUGS[0], "--explore", "0", "--out", "out")
    (run,) = json.loads((tmp_path / "out" / "findings.json").read_text(encoding="utf-8"))["runs"]
    assert (run["contract"], run["verdict"]) == (SLUGS[0], "none")
    listed = json.loads(run_installed(command, tmp_path, "vendors").stdout)
    assert [job["vendor"] for job in listed["include"]] == SLUGS
    assert "Nothing was sent." in run_installed(command, tmp_path, "plan", "--vendor", SLUGS[0]).stdout


@pytest.mark.parametrize(
    "arguments", [("generate",), ("api",), ("accept", "--vendor", SLUGS[0]), ("shapes", "--accept", "1")]
)
def test_shipped_contracts_are_never_written(programs: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """A command that writes to contracts ends 3 with one line; the installed files stay as they are."""
    before = _read_shipped(programs)
    refused = run_installed(programs / "contract-watch", tmp_path, *arguments, status=3)
    assert (refused.stdout, refused.stderr.count("\n")) == ("", 1)
    assert "the installed package's contracts are read-only" in refused.stderr
    assert _read_shipped(programs) == before


def test_a_new_contract_comes_into_the_working_directory(programs: Path, tmp_path: Path) -> None:
    """``new`` writes to ``contracts/``, whose contracts are from then on the only ones; CONTRACTS names others."""
    before = _read_shipped(programs)
    command = programs / "contract-watch"
    run_installed(command, tmp_path, "new", "--slug", "acme", "--name", "Acme Mail")
    assert (tmp_path / "contracts" / "acme" / "contract.toml").is_file()
    listed = json.loads(run_installed(command, tmp_path, "vendors").stdout)
    assert [job["vendor"] for job in listed["include"]] == ["acme"]
    both = f"{CONTRACTS}{os.pathsep}contracts"
    listed = json.loads(run_installed(command, tmp_path, "vendors", CONTRACTS=both).stdout)
    assert [job["vendor"] for job in listed["include"]] == sorted([*SLUGS, "acme"])
    assert _read_shipped(programs) == before


def test_a_fetched_document_is_cached_in_the_working_directory(programs: Path, tmp_path: Path) -> None:
    """``drift`` compares a shipped contract, and stores what it fetched where the command was called."""
    before = _read_shipped(programs)
    arguments = ("--vendor", SLUGS[0], "--published", str(load_contracts()[SLUGS[0]].published_file), "--out", "out")
    run_installed(programs / "contract-watch", tmp_path, "drift", *arguments)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".published", "out"]
    assert _read_shipped(programs) == before
