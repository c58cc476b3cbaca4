"""Whole runs with a key in each form: no drift on the mock, findings whose lines run in a shell, no secret in any file."""

import base64
import functools
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from contract_watch.generator.outputs import generate_outputs
from contract_watch.mock.server import run_in_thread
from contract_watch.mutants.derivation import derive_mutants
from contract_watch.mutants.mutant import Mutation
from contract_watch.mutants.mutant_mock import MutantApp, MutantServer
from tests.support.credential_forms import FORMS
from tests.support.patience import PATIENCE
from tests.support.secret_leaks.secret_search import SecretSearch
from tests.support.suite_process import SuiteResult, start_suite

pytestmark = pytest.mark.usefixtures("remembered_clients")
SECRET = "mk'a/c&d<e%7e+f=~0123456789"  # noqa: S105 (every encoding changes it)
LOST_CHANGE, WRONG_KEY = "status/changeThing/200/202", "credentials/all/any-value"
WRONG_SECRET = "credentials/all/wrong-secret"  # noqa: S105 (a mutant's id)
DRIFTS = [(form, drift) for form in FORMS for drift in (LOST_CHANGE, WRONG_KEY)]
DRIFTS += [(form, WRONG_SECRET) for form in ("madetoken", "madebody")]


class _Made:
    """The contract of one form, generated, and a server of it that may drift."""

    def __init__(self, form: str, directory: Path, server: MutantServer, base: str) -> None:
        api = FORMS[form]
        self.key = f"made-client:{SECRET}" if ":" in api.key else SECRET
        self.contract = replace(api, key=self.key).write(directory / "root", form)
        generate_outputs(self.contract, self.contract.output_directory)
        self.server, self.base, self.directory = server, base, directory

    def run(self, name: str, drift: str = "", *more: str) -> SuiteResult:
        """Run the suite against the server with a drift."""
        mutation = Mutation()
        if drift:
            mutation = next(one for one in derive_mutants(self.contract) if one.id == drift).create_mutation()
        self.server.app = MutantApp(self.contract, mutation)
        root = {"CONTRACTS": str(self.contract.directory.parent)}
        arguments = ("--vendor", self.contract.slug, "--target", self.base, *(more or ("--explore", "0")))
        return start_suite(self.directory / name, *arguments, environment=root).wait_for_exit()

    def list_secrets(self) -> list[str]:
        """List the key, what is in it, how it is sent, and the tokens that were handed out."""
        app = self.server.app
        assert isinstance(app, MutantApp)
        issuer = app.vendors[self.contract.slug].issuer
        tokens = list(issuer._tokens) if issuer is not None else []  # noqa: SLF001 (as above)
        assert bool(tokens) is (self.contract.token is not None)
        return [self.key, SECRET, base64.b64encode(self.key.encode()).decode(), *tokens]

    def paste(self, lines: str) -> str:
        """Run lines in a POSIX shell, with the key in its variable; return what they print."""
        shown = subprocess.run(  # noqa: S603 (the lines under test)
            [shutil.which("sh") or "sh", "-c", lines], env={**os.environ, "MADE_KEY": self.key},
            capture_output=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        return (shown.stdout + shown.stderr).decode("utf-8", "replace")


_Maker = Callable[[str], _Made]


@pytest.fixture(name="make", scope="module")
def _make(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Maker]:
    """Serve a mutant, and yield a function that makes each form once."""
    server = MutantServer()
    with run_in_thread(server) as base:
        yield functools.cache(lambda form: _Made(form, tmp_path_factory.mktemp(form), server, base))


@pytest.mark.parametrize("form", FORMS)
def test_a_faithful_server_is_never_accused(make: _Maker, form: str) -> None:
    """Probes, client stage and exploration find nothing, and no file of the run holds a secret."""
    one = make(form)
    result = one.run("faithful", "", "--explore", "1")
    assert result.status == 0, result
    assert (result.report["verdict"], result.report["findings"]) == ("none", [])
    assert result.report["requests"]["client"] > 0
    assert _find_leaks(one, result) == set()


@pytest.mark.parametrize(("form", "drift"), DRIFTS)
def test_the_lines_of_a_finding_show_it_again(make: _Maker, form: str, drift: str) -> None:
    """Each line names the variable alone; in a shell that has the key they end with the drifted answer."""
    one = make(form)
    result = one.run(drift.replace("/", "-"), drift)
    assert result.status == 1, result
    assert _find_leaks(one, result) == set()
    wanted, status = ("changeThing/response/200/status-202", 202) if drift == LOST_CHANGE else (
        "listThings/credential/accepted", 200)  # fmt: skip
    lines = result.findings[wanted]["reproduce"]
    assert "$MADE_KEY" in lines or "${MADE_KEY" in lines
    secrets = one.list_secrets()
    one.server.app = MutantApp(
        one.contract, next(m for m in derive_mutants(one.contract) if m.id == drift).create_mutation()
    )
    shown = one.paste(lines)
    assert f"HTTP/1.1 {status} " in shown.rpartition("HTTP/1.1 401")[2], (lines, shown)
    assert "401" not in shown, (lines, shown)
    assert not [secret for secret in secrets if secret in lines]


@pytest.mark.parametrize("form", FORMS)
def test_a_wrong_key_is_told_by_its_variable(make: _Maker, form: str) -> None:
    """The run is inconclusive, and its reason names the variable and not the key."""
    one = make(form)
    one.server.app = MutantApp(one.contract, Mutation())
    wrong = one.key.replace("0123456789", "9876543210")
    root = {"CONTRACTS": str(one.contract.directory.parent), "MADE_KEY": wrong}
    result = start_suite(
        one.directory / "wrong", "--vendor", form, "--target", one.base, "--explore", "0", environment=root
    ).wait_for_exit()
    assert result.status == 2, result
    assert result.report["reason"] == "the target does not accept the key in MADE_KEY (401): check the key"
    assert SecretSearch([wrong, wrong.rpartition(":")[2]]).find_secrets(result.all_output.encode()) == set()


@pytest.mark.parametrize("form", ["madebasic", "madetoken"])
def test_a_key_without_a_colon_is_wrong_usage(make: _Maker, form: str) -> None:
    """Status 3 and one line, which names the variable and not the key."""
    one = make(form)
    root = {"CONTRACTS": str(one.contract.directory.parent), "MADE_KEY": "no-colon-0123456789"}
    result = start_suite(
        one.directory / "colon", "--vendor", form, "--target", one.base, environment=root
    ).wait_for_exit()
    assert result.status == 3, result
    assert result.err.count("\n") == 1
    assert "MADE_KEY must hold " in result.err
    assert "no-colon" not in result.err


def _find_leaks(one: _Made, result: SuiteResult) -> set[tuple[str, str]]:
    content = result.all_output.encode("utf-8", "replace")
    assert len(content) > 1000
    return SecretSearch(one.list_secrets()).find_secrets(content)
