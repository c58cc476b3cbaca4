"""Runs of one vendor with marked secrets: ``python -m tests.support.secret_leaks.leaking_run DIRECTORY SLUG on|off``.

``off`` disables the redactor, to prove that the search finds the secrets that it removes. The runs write below
``DIRECTORY/searched``, a file or directory for each output; the marks are in ``DIRECTORY/marks.json``.
"""

import datetime as dt
import json
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import schemathesis

from contract_watch.cli import catch_signals
from contract_watch.commands.check_target import main
from contract_watch.contracts.redaction import Redactor
from contract_watch.contracts.registry import ROOT, Contract, choose_contracts
from contract_watch.engine.account.clock import SystemClock
from contract_watch.engine.account.gate import Gate, RunLimits
from contract_watch.engine.account.guard import Guard, LiveMode
from contract_watch.engine.account.ledger import Ledger, LedgerRun
from contract_watch.engine.account.object_names import NameGenerator
from contract_watch.engine.account.rate_limiter import LocalRateLimiter
from contract_watch.engine.exploring.example_database import open_shared_database
from contract_watch.engine.exploring.explorer import Explorer
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.engine.planning.probe import fill_placeholders
from contract_watch.engine.protocols.targets import load_account_keys
from contract_watch.engine.running import session
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.mock.server import run_in_thread
from contract_watch.report.record import Record
from tests.support.patience import PATIENCE
from tests.support.secret_leaks.leaking_mock import LeakingMock

_TURN_SECONDS = 12.0
"""Seconds of one exploring round."""
_MAX_TURNS = 5
"""Most rounds until one has a finding."""


def _disable_redactor() -> None:
    """Disable everything that the redactor does."""
    nothing: Any = {
        "redact_string": lambda _self, text: text,
        "redact_json": lambda _self, value, _depth=0: value,
        "redact_headers": lambda _self, headers: dict(headers),
        "redact_log": lambda _self, _logger, message: message,
        "is_secret_name": lambda _self, _name: False,
        "replace_secrets": lambda _self, value, _other, **_how: value,
        "describe_error": staticmethod(lambda error: f"{type(error).__name__}: {error}"),
    }
    for name, instead in nothing.items():
        setattr(Redactor, name, instead)


def _skip_waits() -> None:
    """Skip the guard's waits: a real account's rate would take minutes."""
    ahead = [0.0]
    setattr(SystemClock, "now", lambda _self: time.monotonic() + ahead[0])  # noqa: B010 (mypy forbids the plain way)
    setattr(SystemClock, "wait", lambda _self, seconds: ahead.append(ahead.pop() + max(seconds, 0.0)))  # noqa: B010
    # Retry a lagging read at once.
    setattr(session, "time", SimpleNamespace(monotonic=time.monotonic, time=time.time, sleep=lambda _seconds: None))  # noqa: B010


@contextmanager
def _capture_output(path: Path) -> Iterator[None]:
    """Write the process's output to a file inside the block."""
    sys.stdout.flush()
    sys.stderr.flush()
    before = os.dup(1), os.dup(2)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, original in zip((1, 2), before, strict=True):
            os.dup2(original, number)
            os.close(original)
        os.close(file)


def _log_everything(directory: Path) -> None:
    """Log everything, by the root's handler and by one that a library could have added."""
    directory.mkdir()
    logging.basicConfig(level=logging.DEBUG, filename=directory / "root.log")
    own = logging.FileHandler(directory / "own.log")
    logging.getLogger("httpcore").addHandler(own)


def _run_command(vendor: str, target: str) -> None:
    """Run the command as on a real account."""
    os.environ["LEDGER"] = str(Path("ledger").absolute())
    live = ["--live", "mutate"] if choose_contracts(vendor)[0].list_config is not None else ["--explore", "0"]
    with _capture_output(Path("terminal")):
        main(["--vendor", vendor, "--target", target, "--out", "reports", "--shard", "1/2", *live])


def _run_with_pytest(vendor: str, target: str, key: str) -> None:
    """Write pytest's own output of a run in which a library fails with a message that quotes the key."""
    run, numbers = Runner.run_probe, iter(range(10_000))

    def failing(self: Runner, probe: Any) -> Any:
        if next(numbers) == 3:
            header = f"Bearer {key}"
            raise httpx.LocalProtocolError(f"Illegal header value {header}")
        return run(self, probe)

    setattr(Runner, "run_probe", failing)  # noqa: B010 (mypy forbids the plain way)
    selection = ["--vendor", vendor, "--target", target, "--surface", "rest", "--explore", "0", "--shard", "1/4"]
    options = ["--showlocals", "--tb=long", "-rA", "--log-level=DEBUG", "-p", "no:cacheprovider",
             "-W", "ignore::pytest.PytestAssertRewriteWarning"]  # fmt: skip
    with _capture_output(Path("pytest")):
        pytest.main([str(ROOT / "contract_tests"), *selection, "--out", "pytest-reports", *options])
    setattr(Runner, "run_probe", run)  # noqa: B010 (as above)


def _create_behind_the_gate(contract: Contract, base: str) -> None:
    """Create objects as on a real account until the server names one by the key: ledgers hold names and ids only."""
    keys, names, clock = (
        load_account_keys(contract, base, os.environ),
        NameGenerator(dt.datetime.now(dt.UTC).date()),
        SystemClock(),
    )
    record = Record(contract.slug, contract.name, contract.digest, base, 0, dt.datetime.now(dt.UTC))
    ledger = Ledger(Path("ledger"))
    run = LedgerRun(names.run_id, names.run_prefix, f"{contract.slug}-gate", base, time.time())
    ledger.begin_run(run)
    gate = Gate(Guard(contract, contract.base_path, keys, names, LiveMode.MUTATE), RunLimits(100, 60.0, 1000, 100, 5.0),
                LocalRateLimiter(Path("ledger"), "gate", 100, 60.0, clock), ledger, run, clock)  # fmt: skip
    live_session = Session(contract, base + contract.base_path, keys, names, record, gate=gate)
    create = contract.operations[contract.lifecycle.create]
    for _ in range(12):
        with live_session.record_attempt():
            live_session.send_operation(
                create.id,
                fill_placeholders(
                    ArgumentBuilder(contract).build_baseline(create), lambda _word, _how: names.create_name()
                ),
            )
    live_session.close()
    ledger.close()


def _require_passwords(document: Any) -> Any:
    """Copy ``document`` so that every body that may have a password has a long one."""
    if isinstance(document, list):
        return [_require_passwords(inner) for inner in document]
    if not isinstance(document, dict):
        return document
    copied = {name: _require_passwords(inner) for name, inner in document.items()}
    fields = copied.get("properties")
    names = [name for name, field in fields.items() if _is_password(field)] if isinstance(fields, dict) else []
    for name in names:
        copied["properties"][name] = {**copied["properties"][name], "minLength": 12}
        copied["required"] = sorted({*copied.get("required", []), name})
    return copied


def _is_password(field: Any) -> bool:
    return isinstance(field, dict) and field.get("format") == "password"


def _explore_contract(contract: Contract, target: str) -> None:
    """Run a round of `make explore`: its cases, and its example database."""
    read = schemathesis.openapi.from_dict
    setattr(schemathesis.openapi, "from_dict", lambda raw: read(_require_passwords(raw)))  # noqa: B010 (mypy forbids the plain way)
    with catch_signals() as interruption:
        keys = load_account_keys(contract, target, os.environ)
        explorer = Explorer(contract, target, keys, open_shared_database({}), interruption, repeats=False)
        explorer._depth = replace(explorer._depth, examples=400, max_shrink_requests=60)  # noqa: SLF001 (deeper, and soon over)
        explorer._searches = [(contract.lifecycle.create, "positive")]  # noqa: SLF001 (where passwords are)
        results = []
        for round_number in range(_MAX_TURNS):
            results.append(explorer.run_round(round_number, time.time() + _TURN_SECONDS, round_number))
            if results[-1]["cases"]:
                break
        explorer.close()
    Path("cases").mkdir()
    for name, text in results[-1]["cases"].items():
        (Path("cases") / name).write_text(text)
    Path("exploration").write_text(json.dumps([{**one, "cases": None} for one in results]))


def _store_key_in_free_text(mock: LeakingMock, base: str) -> None:
    """Create an object whose free text holds the key: models store no password in their state."""
    contract = mock.vendor.contract
    create = contract.operations[contract.lifecycle.create]
    place, key = contract.credential_locations[0], mock.vendor.keys[0]
    free = next((name for name in ("description", "tls") if name in create.get_arguments()), "")
    if free:
        body = {"host": "mail.example.org:25", "senderAddress": "a@example.org", "senderName": "a", free: f"note {key}"}
        headers = {place.header: place.form.format(key)}
        with httpx.Client(trust_env=False) as client:
            client.post(base + contract.base_path + create.path, json=body, headers=headers)


def _save_mock_controls(mock: LeakingMock, base: str) -> None:
    _store_key_in_free_text(mock, base)
    with httpx.Client(trust_env=False, timeout=PATIENCE) as client:
        for control in ("calls", "state"):
            Path(control).write_bytes(client.get(f"{base}/__mock/{control}").content)


def _main(directory: str, slug: str, redaction: str) -> None:
    searched = Path(directory) / "searched"
    searched.mkdir()
    os.chdir(searched)
    if redaction == "off":
        _disable_redactor()
    _skip_waits()
    _log_everything(Path("logs"))
    contract = choose_contracts(slug)[0]
    mock = LeakingMock(contract)
    with run_in_thread(mock) as base:
        _run_command(slug, base)
        _run_with_pytest(slug, base, mock.vendor.keys[0])
        _create_behind_the_gate(contract, base)
        if contract.lifecycle.id:  # one vendor's search is enough, and this one's passwords are not optional
            mock.vendor.is_exploring = True
            _explore_contract(contract, base)
            mock.vendor.is_exploring = False
        _save_mock_controls(mock, base)
    marks = {"keys": mock.vendor.keys, "passwords": list(mock.vendor.seen_passwords)}
    (Path(directory) / "marks.json").write_text(json.dumps(marks))


if __name__ == "__main__":
    _main(*sys.argv[1:])
