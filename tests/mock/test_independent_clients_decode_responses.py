"""Clients that others wrote decode the mock's responses as they decode the vendors'; none of our code runs in them.

Each client's program, in ``tests/data/interop``, calls a mock in a process of its own and prints the values that it
decoded.
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from contract_watch.contracts.registry import Contract
from tests.support.interop import environments
from tests.support.interop.expected import (
    CHANGES,
    CLIENTS,
    JETEMAIL,
    LISTED,
    READS,
    REFUSALS,
    SCRIPTED,
    SETTINGS,
    UNUSUAL_TEXT,
    DecodedChecks,
)
from tests.support.interop.running import MockAddresses, run_checks, start_mock

IS_REQUIRED = os.environ.get("INTEROP") == "1" or bool(os.environ.get("CI"))


@pytest.fixture(name="mock_process", scope="module")
def _mock_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockAddresses]:
    with start_mock(tmp_path_factory.mktemp("mock") / "errors") as addresses:
        yield addresses


def _list_keys(contract: Contract) -> list[str]:
    """Return the test value of each account's key, the one with every permission first."""
    return [credential.test for credential in contract.credentials]


def _report_missing_packages(error: environments.NotFetchedError) -> NoReturn:
    if IS_REQUIRED:
        pytest.fail(str(error), pytrace=False)
    pytest.skip(str(error))


@pytest.fixture(name="node", scope="module")
def _node() -> Path:
    try:
        return environments.prepare_node()
    except environments.NoNodeError as error:
        pytest.skip(str(error))
    except environments.NotFetchedError as error:
        _report_missing_packages(error)


@pytest.fixture(name="decoded", scope="module", params=list(CLIENTS))
def _decoded(request: pytest.FixtureRequest, node: Path, mock_process: MockAddresses) -> DecodedChecks:
    script, *more = CLIENTS[request.param]
    given = [mock_process.rest, mock_process.grpc, *_list_keys(Contract("zitadel")), *more]
    began = time.time()
    return DecodedChecks(run_checks([node, environments.DIRECTORY / script, *given]), began, time.time())


@pytest.mark.parametrize("check", list(CHANGES))
def test_the_answer_to_a_change_is_decoded(decoded: DecodedChecks, check: str) -> None:
    """Each change of a configuration returns a 64-bit sequence and an owner.

    Of the two dates it returns the one that the mock sets, which is now.
    """
    details = decoded.read_details(check)
    other = next(name for name in ("creationDate", "changeDate") if name != CHANGES[check])
    assert decoded.read_sequence(check) > 0
    assert details["resourceOwner"].isdigit()
    assert decoded.is_run_time(details[CHANGES[check]])
    assert details.get(other) is None


def test_sequences_count_up(decoded: DecodedChecks) -> None:
    """Every change has a higher sequence than the last one, by either of the two methods that set the password."""
    sequences = [decoded.read_sequence(check) for check in CHANGES]
    assert sequences == sorted(set(sequences))


@pytest.mark.parametrize("check", list(READS))
def test_read_is_decoded(decoded: DecodedChecks, check: str) -> None:
    """A client reads each setting, the id, the state as number and name, and the last change's sequence.

    It reads after the creation, and after activation and passwords.
    """
    config = decoded.checks[check]["answer"]["smtpConfig"]
    details = config["details"]
    change, state = READS[check]
    assert {name: config[name] for name in SETTINGS} == SETTINGS
    assert (config["id"], config["state"]) == (decoded.checks["add"]["answer"]["id"], state)
    assert decoded.read_sequence(check) == decoded.read_sequence(change)
    assert details["resourceOwner"] == decoded.read_details("add")["resourceOwner"]
    assert decoded.is_run_time(details["creationDate"])
    assert details["changeDate"] == decoded.read_details(change)["changeDate"]


def test_the_list_is_decoded(decoded: DecodedChecks) -> None:
    """The list has one row, equal to a read except for the reply-to address, with the total and a timestamp.

    After the removal it has none.
    """
    response = decoded.checks["list"]["answer"]
    config = decoded.checks["get-active"]["answer"]["smtpConfig"]
    assert response["result"] == [{**config, "replyToAddress": ""}]
    assert response["details"]["totalResult"] == {"integer": "1"}
    assert decoded.is_run_time(response["details"]["viewTimestamp"])
    assert decoded.checks["list-removed"]["answer"]["result"] == []


@pytest.mark.parametrize("check", list(REFUSALS))
def test_a_refusal_is_decoded(decoded: DecodedChecks, check: str) -> None:
    """A client gets the code, the message with the error's id, and an ErrorDetail with each of the two.

    It provokes each refusal, before and after the configuration is removed.
    """
    code, text, error = REFUSALS[check]
    details = [{"id": error, "message": text}] if error else []
    message = f"{text} ({error})" if error else text
    assert decoded.checks[check] == {"refusal": {"code": code, "message": message, "details": details}}


def test_the_widest_values_survive(decoded: DecodedChecks) -> None:
    """The largest 64-bit sequence and nanoseconds are not rounded, in an object without other fields."""
    config = decoded.checks["widest"]["answer"]["smtpConfig"]
    changed = config["details"]["changeDate"]
    assert config["details"]["sequence"] == {"integer": str(2**64 - 1)}
    # A client that keeps times as JavaScript's dates has milliseconds.
    assert changed in ({"seconds": 981173106, "nanos": 123456789}, {"seconds": 981173106.123})
    assert config["details"].get("creationDate") is None
    assert (config["state"], config["host"], config["tls"]) == ([0, "SMTP_CONFIG_STATE_UNSPECIFIED"], "", False)


@pytest.mark.parametrize(("check", "ids"), [("odd-message", []), ("odd-details", ["TEST-1", "TEST-2"])])
def test_any_text_comes_through(decoded: DecodedChecks, check: str, ids: list[str]) -> None:
    """A message with percent signs and letters beyond ASCII arrives intact, with and without details."""
    refusal = decoded.checks[check]["refusal"]
    assert (refusal["code"], refusal["message"]) == (6, UNUSUAL_TEXT)
    assert refusal["details"] == [{"id": one, "message": "größer ✉"} for one in ids]


def test_every_check_is_asserted(decoded: DecodedChecks) -> None:
    """The tests above cover every check of a client, and none is parametrized over nothing."""
    assert set(decoded.checks) == {*CHANGES, *READS, *LISTED, *REFUSALS, *SCRIPTED}


@pytest.fixture(name="created", scope="module")
def _created(mock_process: MockAddresses, jetemail: Contract) -> dict[str, dict[str, Any]]:
    try:
        python = environments.prepare_python()
    except environments.NotFetchedError as error:
        _report_missing_packages(error)
    return run_checks(
        [python, environments.DIRECTORY / "jetemail_client.py", f"http://{mock_process.rest}", *_list_keys(jetemail)]
    )


@pytest.mark.parametrize(("check", "generated"), [("generated-password", True), ("own-password", False)])
def test_jetemail_creates_a_user(created: dict[str, dict[str, Any]], check: str, generated: bool) -> None:
    """The vendor's own Python client gets a generated password exactly if it sent none."""
    answer = created[check]["answer"]
    assert (answer["success"], bool(answer["message"])) == (True, True)
    assert ("password" in answer) is generated


@pytest.mark.parametrize("check", list(JETEMAIL))
def test_jetemail_tells_a_refusal(created: dict[str, dict[str, Any]], check: str) -> None:
    """Each documented refusal of a creation raises an error with its status and message."""
    refusal = created[check]["refusal"]
    assert refusal["status"] == JETEMAIL[check]
    assert refusal["body"] == {"success": False, "error": refusal["message"]}


def test_every_creation_is_asserted(created: dict[str, dict[str, Any]]) -> None:
    """The tests above cover every check of this client."""
    assert set(created) == {"generated-password", "own-password", *JETEMAIL}


def test_locks_pin_by_hash_and_name_no_host() -> None:
    """A run installs the reviewed packages from any index.

    Both lock files have a hash for each package, no URL, and exactly the requested versions.
    """
    lock = json.loads((environments.DIRECTORY / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    requested = json.loads((environments.DIRECTORY / "package.json").read_text(encoding="utf-8"))["dependencies"]
    packages = {name: package for name, package in lock.items() if name}
    assert [name for name, package in packages.items() if "integrity" not in package or "resolved" in package] == []
    assert {name: packages[f"node_modules/{name}"]["version"] for name in requested} == requested
    text = (environments.DIRECTORY / "requirements.lock").read_text(encoding="utf-8")
    entries = text.replace("\\\n", " ").splitlines()
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []
    assert "://" not in text
