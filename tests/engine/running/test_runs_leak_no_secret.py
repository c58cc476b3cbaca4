"""No output of a run contains a secret in any encoding, and without the redactor each output would."""

import datetime as dt
import functools
import json
import logging
import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from contract_watch.contracts.redaction import Redactor
from contract_watch.contracts.registry import ROOT, Contract, choose_contracts, load_contracts
from contract_watch.engine.account.object_names import NameGenerator
from contract_watch.engine.exploring.replay import Replay
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.mock.server import run_in_thread
from contract_watch.report.record import Record
from tests.support.loopback_server import LoopbackResponse, ReceivedRequest, serve_app
from tests.support.reports import read_run
from tests.support.sampling import effort
from tests.support.secret_leaks.leaking_mock import LeakingMock
from tests.support.secret_leaks.secret_search import ENCODINGS, SecretSearch
from tests.support.shared_directories import make_once
from tests.support.suite_process import start_suite

SLUGS = ("zitadel", "jetemail")[: effort(1, 2)]
OUTPUTS = {
    "findings.json": "reports/findings.json",
    "JUnit": "reports/junit.xml",
    "Markdown": "reports/report.md",
    "history": "reports/history.sqlite",
    "terminal": "terminal",
    "pytest and exception texts": "pytest",
    "DEBUG logs": "logs",
    "ledger": "ledger",
    "example database": ".hypothesis",
    "crash files": "cases",
    "exploration": "exploration",
    "journal of the mock": "calls",
    "state of the mock": "state",
}
"""The output of a run, by the file or directory that holds it (see `tests.support.secret_leaks.leaking_run`)."""
_PATIENCE = 400


@dataclass(frozen=True, eq=False)
class RunOutputs:
    """The outputs of one vendor's runs, and a search for the marked secrets in them."""

    directory: Path
    search: SecretSearch
    marks: tuple[str, ...]

    @functools.cache  # noqa: B019 (a few, which live as long as the module's tests)
    def find_secrets(self, output: str) -> set[tuple[str, str]]:
        """Find the marked secrets in an output, with their encodings."""
        return self.search.find_secrets_below(self.directory / OUTPUTS[output])


def _make_key() -> str:
    """Make a key that every encoding changes."""
    return f'mk"a\\b/c&d<e%7e+f=~{secrets.token_hex(10)}'


def _run_vendor(directory: Path, slug: str, redaction: str) -> None:
    variables = {one.variable for contract in load_contracts().values() for one in contract.credentials}
    inherited = {name: value for name, value in os.environ.items() if name not in variables}
    given = {one.variable: _make_key() for one in choose_contracts(slug)[0].credentials}
    command = [sys.executable, "-m", "tests.support.secret_leaks.leaking_run", str(directory), slug, redaction]
    done = subprocess.run(  # noqa: S603 (our own)
        command, cwd=ROOT, env={**inherited, **given}, capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    recorded = json.loads((directory / "marks.json").read_text(encoding="utf-8"))
    assert set(given.values()) <= set(recorded["keys"])
    assert len(recorded["passwords"]) > 10


def _read_outputs(directory: Path) -> RunOutputs:
    recorded = json.loads((directory / "marks.json").read_text(encoding="utf-8"))
    marks = (*recorded["keys"], *recorded["passwords"])
    return RunOutputs(directory / "searched", SecretSearch(marks), marks)


@pytest.fixture(name="runs", scope="module")
def _runs(shared_directory: Path) -> dict[tuple[str, str], RunOutputs]:
    """Each vendor's runs with the redactor and without it, each run once for all test processes."""
    directory = shared_directory / "marked"
    pairs = [(slug, redaction) for redaction in ("on", "off") for slug in reversed(SLUGS)]
    make_once(
        directory, {"-".join(pair): functools.partial(_run_vendor, slug=pair[0], redaction=pair[1]) for pair in pairs}
    )
    return {pair: _read_outputs(directory / "-".join(pair)) for pair in pairs}


@pytest.mark.parametrize("surface", OUTPUTS)
def test_no_output_holds_a_secret(runs: dict[tuple[str, str], RunOutputs], surface: str) -> None:
    """A secret is redacted before anything else reads the exchange.

    The server repeats keys and passwords, sent and generated, in nine encodings, in bodies, names, headers, ids and
    redirects. A library fails with the key in its message, and everything is logged. No byte of the output contains any
    of them.
    """
    for slug in SLUGS:
        assert runs[slug, "on"].find_secrets(surface) == set()


@pytest.mark.parametrize("surface", OUTPUTS)
def test_without_the_redactor_every_output_holds_one(runs: dict[tuple[str, str], RunOutputs], surface: str) -> None:
    """The search itself works: with a redactor that does nothing, every output contains a secret.

    The ledger and the mock's state contain no exchanges, only ids and free-text properties that server and client
    chose.
    """
    assert any(runs[slug, "off"].find_secrets(surface) for slug in SLUGS)


def test_something_was_found_to_tell_of(runs: dict[tuple[str, str], RunOutputs]) -> None:
    """The runs have findings and cases, with and without the redactor, so the outputs are not empty."""
    for (slug, _), left in runs.items():
        report = read_run((left.directory / OUTPUTS["findings.json"]).parent)
        assert len(report["findings"]) > 5
        if slug == "zitadel":
            assert list((left.directory / "cases").iterdir())
            assert list((left.directory / ".hypothesis").rglob("*"))
    words = (runs[SLUGS[0], "on"].directory / OUTPUTS["pytest and exception texts"]).read_text(encoding="utf-8")
    assert "LocalProtocolError" in words
    assert "Illegal header value" not in words


def test_without_the_redactor_every_encoding_is_found(runs: dict[tuple[str, str], RunOutputs]) -> None:
    """Every encoding that the search knows occurs in the output."""
    seen = {
        spelling for slug in SLUGS for surface in OUTPUTS for spelling, _ in runs[slug, "off"].find_secrets(surface)
    }
    assert seen | {"lines"} >= set(ENCODINGS)  # a plain secret hides one that is wrapped over several lines
    key = _make_key()
    assert ("lines", key) in SecretSearch([key]).find_secrets(ENCODINGS["lines"](key).encode())


@pytest.mark.parametrize("spelling", ENCODINGS)
def test_the_redactor_knows_every_encoding(spelling: str) -> None:
    """A secret within a sentence is replaced in each encoding, and the sentence stays."""
    mark = _make_key()
    said = ENCODINGS[spelling](mark)
    assert SecretSearch([mark]).find_secrets(said.encode())
    shown = Redactor(values=[mark]).redact_string(f"before it <{said}> after it")
    assert SecretSearch([mark]).find_secrets(shown.encode()) == set()
    assert shown.startswith("before it <")
    assert shown.endswith("> after it")
    assert "[redacted, " in shown


@pytest.mark.parametrize("space", ["\n", " ", "\t", "\r\n"])
@pytest.mark.parametrize("place", ["before", "within", "after"])
def test_a_key_with_white_space_is_wrong_usage(tmp_path: Path, space: str, place: str) -> None:
    """A badly pasted key exits with 3 and one line that names only its variable. Nothing is sent."""
    key = _make_key()
    given = {"before": space + key, "within": key[:9] + space + key[9:], "after": key + space}[place]
    run = start_suite(tmp_path, "--vendor", "jetemail", "--target", "http://127.0.0.1:9",
                         environment={"JETEMAIL_API_KEY": given}).wait_for_exit()  # fmt: skip
    assert run.status == 3
    assert len(run.err.splitlines()) == 1
    assert "JETEMAIL_API_KEY" in run.err
    assert not any(part in run.out + run.err for part in (key[:9], key[9:]))


@pytest.mark.parametrize(
    "address", ["http://me:{}@127.0.0.1:nonsense", "http://me:{}@127.0.0.1", "http://{}@ 127.0.0.1"]
)
def test_credentials_in_an_address_are_not_shown(tmp_path: Path, address: str) -> None:
    """TARGET contains a password: the usage error is one line without it."""
    run = start_suite(tmp_path, "--vendor", "jetemail", "--target", address.format("pass-of-mine-01")).wait_for_exit()
    assert run.status == 3
    assert len(run.err.splitlines()) == 1
    assert "pass-of-mine-01" not in run.out + run.err


def _make_session(contract: Contract, base: str, key: str) -> Session:
    now = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
    record = Record(contract.slug, contract.name, contract.digest, base, 0, now)
    return Session(contract, base, {contract.credentials[0].account: key}, NameGenerator(now.date()), record)


@pytest.mark.parametrize("stray", ["\n", "\x00", " \r\n"])
def test_a_header_error_is_reported_by_its_kind(jetemail: Contract, stray: str) -> None:
    """Httpx refuses a key with a stray character, and its message quotes the key.

    The exchange's error and its record name only the kind of error.
    """
    key = _make_key()
    with serve_app(lambda _asked: LoopbackResponse(200, {})) as server:
        session = _make_session(jetemail, server.url, key + stray)
        with session.record_attempt() as attempt:
            session.send_operation(jetemail.lifecycle.read)
        session.close()
    exchange = attempt.exchanges[-1]
    assert exchange.response is None
    assert "LocalProtocolError" in exchange.error
    shown = json.dumps(exchange.to_json(session.redactor))
    assert SecretSearch([key]).find_secrets(f"{shown} {exchange.error}".encode()) == set()


def test_a_trimmed_echo_is_known_too(jetemail: Contract) -> None:
    """A server may trim the key that it repeats; this key ends in a space."""
    key = _make_key()
    assert key not in _make_session(jetemail, "http://127.0.0.1:9", f"{key} ").redactor.redact_string(
        f"no such key: {key}"
    )


def test_what_a_ready_case_fails_with_has_no_secret(jetemail: Contract) -> None:
    """The server returns the key as a property's name. The failure's message does not contain it."""
    key = _make_key()

    def app(asked: ReceivedRequest) -> LoopbackResponse:
        return LoopbackResponse(200, [] if asked.method == "GET" else {key: ENCODINGS["hex"](key)})

    with serve_app(app) as server:
        environment = {"TARGET": server.url, jetemail.credentials[0].variable: key}
        replay = Replay("jetemail", environment)
        with pytest.raises(AssertionError) as caught, replay:
            replay.client("paid").get_httpx_client().request("POST", "/outbound/smarthost", json={})
    assert SecretSearch([key]).find_secrets(str(caught.value).encode()) == set()


def test_a_part_of_a_secret_is_not_left_where_a_text_is_cut(jetemail: Contract) -> None:
    """Redaction comes before truncation: the key of a long body lies across the limit.

    Not even its first half is in the record or in a title.
    """
    key = _make_key()
    for spaces in (19_980, 70):
        body = {"username": " " * spaces + key, "more": "x" * 30_000}
        with serve_app(lambda _asked, body=body: LoopbackResponse(200, [body])) as server:  # type: ignore[misc]
            session = _make_session(jetemail, server.url, key)
            with session.record_attempt() as attempt:
                session.send_operation(jetemail.lifecycle.read)
            findings = Runner(session).confirmation.confirm_attempt(attempt, lambda attempt=attempt: attempt)  # type: ignore[misc]
            session.close()
        assert findings
        assert key[:12] not in json.dumps([finding.to_json() for finding in findings], ensure_ascii=False)


def test_a_logger_with_a_handler_of_its_own_logs_no_secret(
    jetemail: Contract, capfd: pytest.CaptureFixture[str]
) -> None:
    """A library's logger does not propagate; its record has arguments and an exception.

    Message and kind are logged, the secrets and the exception's message are not.
    """
    key = _make_key()
    session = _make_session(jetemail, "http://127.0.0.1:9", key)
    logger = logging.getLogger("some.library")
    handler = logging.StreamHandler()
    logger.addHandler(handler)
    logger.propagate = False
    try:
        logger.warning("sent %s to %d", key, 7, exc_info=ValueError(f"bad header {key}"))
    finally:
        logger.removeHandler(handler)
        logger.propagate = True
        session.close()
    said = capfd.readouterr().err
    assert said == f"sent [redacted, {len(key)} characters] to 7 (ValueError)\n"


def test_the_marks_are_leaked_by_the_server(jetemail: Contract) -> None:
    """The secrets of these tests come from the server: it stores the password it received and repeats it."""
    mock = LeakingMock(jetemail)
    with run_in_thread(mock) as base:
        session = _make_session(jetemail, base, mock.vendor.keys[0])
        with session.record_attempt():
            session.send_operation(
                jetemail.lifecycle.create, {"username": session.names.create_name(), "password": "Marked-0123456789"}
            )
        session.close()
    assert list(mock.vendor.seen_passwords) == ["Marked-0123456789"]
