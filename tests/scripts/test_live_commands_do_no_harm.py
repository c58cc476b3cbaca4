"""The commands around a live run: the plan, the sweep, and the nightly run over all vendors."""

import datetime as dt
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract_watch.commands import check_accounts
from contract_watch.contracts.registry import ROOT, Contract, choose_contracts, load_contracts
from contract_watch.engine.account.object_names import NameGenerator
from contract_watch.engine.command.live_runs import (
    drop_secrets,
    list_missing_variables,
    list_variables,
    read_environment,
    run_vendor,
)
from tests.support.live_runs import is_run_name
from tests.support.loopback_server import LoopbackResponse, ReceivedRequest, serve_app
from tests.support.patience import PATIENCE
from tests.support.production.fake import FakeProduction

JETEMAIL, ZITADEL = Contract("jetemail"), Contract("zitadel")


def run_command(module: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, with only the given variables of ours."""
    import os  # noqa: PLC0415

    ours = {variable for contract in choose_contracts("all") for variable in list_variables(contract)}
    clean = {name: value for name, value in os.environ.items() if name not in ours}
    return subprocess.run(  # noqa: S603 (our own command)
        [sys.executable, "-m", module, *arguments], cwd=ROOT, env={**clean, **environment}, capture_output=True, text=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("slug", ["jetemail", "smtp2go", "zitadel"])
def test_the_plan_prints_every_request_and_sends_none(slug: str) -> None:
    """The plan shows each request before a live run: method, URL and redacted body, on every protocol.

    It needs no key and no network, and contains neither key nor password. All names are of one run.
    """
    ended = run_command("scripts.print_plan", "--vendor", slug)
    assert ended.returncode == 0, ended.stderr
    lines = [line for line in ended.stdout.splitlines() if line.strip()[:1].isdigit()]
    assert len(lines) > 100
    assert "Nothing was sent." in ended.stdout
    assert "Traceback" not in ended.stderr
    contract = Contract(slug)
    for credential in contract.credentials:
        assert credential.test not in ended.stdout
    assert 'password": "[redacted' in ended.stdout
    prefix = ended.stdout.split("names ")[1].split("…")[0]
    assert all(prefix in line for line in lines if '"username": "ct-' in line or '"description": "ct-' in line)


def test_a_read_only_plan_has_no_change_with_a_good_key() -> None:
    """The plan for LIVE=read has no mutating request, and gives the reason."""
    ended = run_command("scripts.print_plan", "--vendor", "jetemail", "--live", "read")
    assert "0 of which may change something" in ended.stdout
    assert "LIVE=mutate was not given" in ended.stdout


@pytest.fixture(name="production")
def _production() -> Iterator[FakeProduction]:
    with FakeProduction(JETEMAIL, is_run_name=is_run_name, with_neighbours=False, enforce_limit=False) as production:
        yield production


def run_sweep(
    production: FakeProduction, directory: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Sweep the fake vendor's account."""
    return run_command("scripts.sweep_accounts", "--vendor", production.contract.slug, "--target", production.base, *arguments,
                   LEDGER=str(directory / "ledger"), **environment)  # fmt: skip


def test_a_sweep_lists_and_deletes_only_when_asked(production: FakeProduction, tmp_path: Path) -> None:
    """Without DELETE=1 the sweep names leftovers with the reason and the command, and exits with 2.

    With it the sweep deletes them and exits with 0.
    """
    old = NameGenerator(dt.date(2026, 11, 19)).create_name()
    production.add_object(old, 48)
    listed = run_sweep(production, tmp_path)
    assert listed.returncode == 2, listed
    assert old in listed.stdout
    assert "48 hours old" in listed.stdout
    assert "DELETE=1" in listed.stdout
    assert [left["name"] for left in production.list_run_objects()] == [old]
    deleted = run_sweep(production, tmp_path, "--delete", "1")
    assert deleted.returncode == 0, deleted
    assert "1 deleted, 0 still there" in deleted.stdout
    assert production.list_run_objects() == []
    assert production.list_violations() == []
    assert run_sweep(production, tmp_path).returncode == 0


def test_a_sweep_of_too_much_stops_and_says_so(production: FakeProduction, tmp_path: Path) -> None:
    """Of 21 old leftovers none is deleted, since one sweep may delete 20. SWEEP_CAP raises the limit."""
    names = NameGenerator(dt.date(2026, 11, 19))
    for _ in range(21):
        production.add_object(names.create_name(), 48)
    stopped = run_sweep(production, tmp_path, "--delete", "1")
    assert stopped.returncode == 2
    assert "more than the 20" in stopped.stdout
    assert "SWEEP_CAP" in stopped.stdout
    assert len(production.list_run_objects()) == 21
    assert run_sweep(production, tmp_path, "--delete", "1", SWEEP_CAP="21").returncode == 0
    assert production.list_run_objects() == []


def test_a_sweep_goes_on_past_what_cannot_be_deleted(production: FakeProduction, tmp_path: Path) -> None:
    """One of three deletions fails: the sweep deletes the others, names that one and exits with 2."""
    names = NameGenerator(dt.date(2026, 11, 19))
    for _ in range(3):
        production.add_object(names.create_name(), 48)
    production.inject_fault("bad-gateway", operations=["deleteSmtpUser"])
    ended = run_sweep(production, tmp_path, "--delete", "1")
    assert ended.returncode == 2
    assert "could not be deleted" in ended.stdout
    assert "2 deleted, 1 still there" in ended.stdout
    assert len(production.list_run_objects()) == 1


@pytest.mark.parametrize("kind", ["bad-gateway", "portal", "cut"])
def test_a_sweep_that_cannot_list_deletes_nothing(kind: str, production: FakeProduction, tmp_path: Path) -> None:
    """A response must confirm the account before any deletion."""
    production.add_object(NameGenerator(dt.date(2026, 11, 19)).create_name(), 48)
    production.inject_fault(kind, times=None, operations=["listSmtpUsers"])
    ended = run_sweep(production, tmp_path, "--delete", "1")
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert len(production.list_run_objects()) == 1


def test_a_sweep_with_another_key_deletes_nothing(production: FakeProduction, tmp_path: Path) -> None:
    """The account does not know the key: status 2 and a line that names the variable."""
    production.add_object(NameGenerator(dt.date(2026, 11, 19)).create_name(), 48)
    ended = run_sweep(production, tmp_path, "--delete", "1", JETEMAIL_API_KEY="api_of_somebody_else")
    assert ended.returncode == 2
    assert "JETEMAIL_API_KEY" in ended.stdout
    assert len(production.list_run_objects()) == 1


def test_a_list_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    """The list has hostile rows: no name, a number for a name, a name of 30,000 characters, a row that is no object.

    With one unreadable row the whole list is unreadable, and nothing is deleted.
    """
    rows = [
        {"username": 7, "created_date": "0"},
        {"username": "ct-" * 10_000},
        {},
        "x",
        {"username": "smtp-user1", "created_date": "1"},
    ]

    def answer(asked: ReceivedRequest) -> LoopbackResponse:
        return LoopbackResponse(200, {"success": True, "smarthosts": rows if asked.method == "GET" else []})

    with serve_app(answer) as server:
        ended = run_command("scripts.sweep_accounts", "--vendor", "jetemail", "--target", server.url, "--delete", "1",
                        LEDGER=str(tmp_path))  # fmt: skip
        assert ended.returncode == 2
        assert {asked.method for asked in server.requests} == {"GET"}
    assert "cannot be listed" in ended.stdout


@pytest.mark.parametrize(("arguments", "words"), [
    (["--vendor", "jetemail"], "JETEMAIL_API_KEY is not set"),
    (["--vendor", "nobody"], "nobody"),
    (["--vendor", "jetemail", "--delete", "yes", "--target", "http://127.0.0.1:9"], "--delete must be 0 or 1"),
])  # fmt: skip
def test_wrong_usage_of_the_sweep_is_one_line(arguments: list[str], words: str) -> None:
    """The status is 3."""
    ended = run_command("scripts.sweep_accounts", *arguments)
    assert ended.returncode == 3
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_vendors_without_keys_are_skipped_with_a_line(tmp_path: Path) -> None:
    """Without secrets the command prints a line for each vendor, and ends 2: nothing was checked."""
    ended = run_command("scripts.check_accounts", "--out", str(tmp_path), SECRETS_JSON="{}")
    assert ended.returncode == 2, ended
    for contract in choose_contracts("all"):
        assert f"{contract.name}: skipped: {contract.credentials[0].variable}" in ended.stdout


def test_secrets_come_by_the_contracts_names_alone() -> None:
    """Of all secrets in the environment only those that a contract names are used."""
    secrets = json.dumps(
        {"JETEMAIL_API_KEY": "a-key", "DEPLOY_KEY": "another", "SMTP2GO_API_KEY": "", "ZITADEL_TOKEN": None}
    )
    assert read_environment({"PATH": "/bin", "SECRETS_JSON": secrets}) == {"PATH": "/bin", "JETEMAIL_API_KEY": "a-key"}
    numbered = {"SECRET_NAMES": "DEPLOY_KEY,JETEMAIL_API_KEY,ZITADEL_TOKEN,SMTP2GO_API_KEY",
                "SECRET_0": "another", "SECRET_1": "a-key", "SECRET_2": "", "SECRET_9": "stray"}  # fmt: skip
    assert read_environment({"PATH": "/bin", **numbered}) == {"PATH": "/bin", "JETEMAIL_API_KEY": "a-key"}
    assert list_missing_variables(JETEMAIL, {"JETEMAIL_API_KEY": "a-key"}) == []
    assert list_missing_variables(ZITADEL, {"ZITADEL_TOKEN": "a-token"}) == ["ZITADEL_URL"]


@pytest.mark.parametrize(
    ("secrets", "words"),
    [
        ("[" * 100_000, "SECRETS_JSON must be a JSON object"),
        ("[]", "SECRETS_JSON must be a JSON object"),
        (r'{"JETEMAIL_API_KEY": "a\u0000"}', "JETEMAIL_API_KEY has a character that no variable can carry"),
        (r'{"JETEMAIL_API_KEY": "\ud800"}', "JETEMAIL_API_KEY has a character that no variable can carry"),
    ],
    ids=["nested", "a list", "NUL", "a surrogate"],
)
def test_malformed_secrets_are_one_line(secrets: str, words: str, tmp_path: Path) -> None:
    """No value of the environment is an internal error; the line has the variable's name, not its value."""
    ended = run_command("scripts.check_accounts", "--out", str(tmp_path), SECRETS_JSON=secrets)
    assert (ended.returncode, ended.stderr.count("\n")) == (3, 1)
    assert words in ended.stderr


def test_a_run_gets_no_variable_of_another_vendor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all keys, however they were handed over, the process of a vendor's run has its own vendor's alone."""
    program, seen = tmp_path / "python", tmp_path / "environment"
    program.write_text(f"#!/bin/sh\nenv > '{seen}'\n", encoding="utf-8")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    names = [variable for contract in choose_contracts("all") for variable in list_variables(contract)]
    given = {"PATH": "/usr/bin:/bin", "SECRET_NAMES": ",".join(names), "SECRETS_JSON": json.dumps({"JETEMAIL_API_KEY": "x"}),
             "NOTIFY_URL": "value-a", "NOTIFY_SECRET": "value-b", "PING_URL": "value-d", "GITHUB_TOKEN": "value-c",
             **{f"SECRET_{number}": f"value-{name}" for number, name in enumerate(names)}}  # fmt: skip
    for contract in choose_contracts("all"):
        assert (
            run_vendor(
                contract, read_environment(given), tmp_path, live="read", fail_on="breaking", history=tmp_path / "h"
            )
            == 0
        )
        found = seen.read_text(encoding="utf-8")
        assert set(re.findall(r"value-(\w+)", found)) == set(list_variables(contract))
        assert "SECRET" not in found
    assert not set(drop_secrets({**given, **dict.fromkeys(names, "x")})) - {"PATH"}


@pytest.mark.parametrize("option", ["--live", "--fail-on"])
def test_a_misspelled_option_of_make_live_is_one_line_even_without_keys(
    option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A nightly job with a typo ends 3 before a key is set, not only from then on."""
    for contract in load_contracts().values():
        for credential in contract.credentials:
            monkeypatch.delenv(credential.variable, raising=False)
    assert check_accounts.main([option, "x"]) == 3
    assert capsys.readouterr().err.startswith(f"error: {option} must be ")
