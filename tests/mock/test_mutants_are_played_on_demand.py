"""``--mutant`` plays one drift with the whole mock: its state, faults, journal and controls stay as they are."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from starlette.types import Message

from contract_watch.contracts.registry import choose_contracts
from contract_watch.mock.recording.session_file import load_session
from contract_watch.mock.server import MockThread, build_mock
from contract_watch.mock.vendor import MAX_BODY
from contract_watch.mutants.choice import choose_vendors, format_mutants, parse_mutants
from contract_watch.testing import play
from tests.support.command_process import assert_one_line_error, run_command, start_command
from tests.support.mutant_lists import list_mutants
from tests.support.patience import PATIENCE

PATH = "/outbound/smarthost"
KEY = {"Authorization": "Bearer api_test_paid_0123456789abcdef"}


@contextmanager
def _serve(*mutants: str, vendor: str = "jetemail") -> Iterator[httpx.Client]:
    contracts = choose_contracts(vendor)
    served = MockThread(build_mock(contracts, {}, create=choose_vendors(parse_mutants(mutants, contracts))))
    served.start()
    with httpx.Client(base_url=served.origin, headers=KEY, timeout=PATIENCE) as client:
        yield client
    served.stop()


def _list_calls(client: httpx.Client) -> list[dict[str, object]]:
    return list(client.get("/__mock/calls").json())


def test_an_edited_response_is_recorded_as_it_was_sent() -> None:
    """The status that the client got is in the journal with the mutant's id; other responses are as the vendor's."""
    with _serve("status/createSmtpUser/200/500") as client:
        assert client.post(PATH, json={"username": "alice"}).status_code == 500
        assert client.get(PATH).status_code == 200
        drifted, faithful = _list_calls(client)
        assert (drifted["status"], drifted["mutant"], faithful["status"], "mutant" in faithful) == (
            500, "status/createSmtpUser/200/500", 200, False)  # fmt: skip
        assert [row["username"] for row in client.get("/__mock/state").json()["jetemail"]] == ["alice"]
        assert client.get("/__mock/health").json()["mutants"] == {"jetemail": "status/createSmtpUser/200/500"}


def test_an_edited_body_is_recorded_without_secrets() -> None:
    """A mutant that adds a secret to a response adds none to the journal."""
    with _serve("body/createSmtpUser/200/undocumented-secret") as client:
        sent = client.post(PATH, json={"username": "alice"}).json()
        recorded = json.dumps(_list_calls(client))
        assert sent["api_token"] not in recorded
        assert sent["password"] not in recorded
        assert "body/createSmtpUser/200/undocumented-secret" in recorded


def test_an_intercepted_request_is_recorded() -> None:
    """A request that never reaches the vendor is in the journal, with its body."""
    with _serve("methods/createSmtpUser/removed-404") as client:
        assert client.post(PATH, json={"username": "alice"}).status_code == 404
        (call,) = _list_calls(client)
        assert (call["method"], call["status"], call["body"]) == ("POST", 404, {"username": "alice"})
        assert call["answer"] == {"error": "Not Found"}


def test_an_intercepted_request_takes_the_same_course_as_any_other() -> None:
    """Limits, faults and cross-origin headers hold for it, and the journal has its operation, query and reason."""
    with _serve("methods/createSmtpUser/removed-404") as client:
        assert client.post(PATH, content=b"x" * (MAX_BODY + 1)).status_code == 413
        client.post("/__mock/faults", json={"operation": "createSmtpUser", "status": 503}).raise_for_status()
        assert client.post(PATH, json={}).status_code == 503
        response = client.post(f"{PATH}?a=b", json={}, headers={"Origin": "http://page.example"})
        assert (response.status_code, response.headers["access-control-allow-origin"]) == (404, "*")
        call = _list_calls(client)[-1]
        assert (call["vendor"], call["operation"], call["query"], call["status"], call["mutant"], call["reason"]) == (
            "jetemail", "createSmtpUser", "a=b", 404, "methods/createSmtpUser/removed-404",
            "the mutant answers in the vendor's place")  # fmt: skip


def test_a_slow_fault_drips_with_a_mutant() -> None:
    """The edited head arrives before the first pause, and the edited body in parts."""
    with _serve("status/listSmtpUsers/200/500") as client:
        slow = {"operation": "listSmtpUsers", "slow": {"bytes": 1, "pause": 0.01}}
        client.post("/__mock/faults", json=slow).raise_for_status()
        with client.stream("GET", PATH) as response:
            parts = list(response.iter_raw())
        assert (response.status_code, len(parts) > 1) == (500, True)
        assert json.loads(b"".join(parts))["smarthosts"] == []


@pytest.mark.parametrize(("mutant", "record"), [("", None), ("state/createSmtpUser/lost", None), ("", "session.yaml")])
def test_a_server_may_announce_its_lifespan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mutant: str, record: str | None
) -> None:
    """A server or client that sends lifespan events serves the mock like any application."""
    monkeypatch.chdir(tmp_path)
    sent: list[str] = []

    async def receive() -> Message:
        return {"type": "lifespan.shutdown" if sent else "lifespan.startup"}

    async def send(message: Message) -> None:
        sent.append(message["type"])

    with play("jetemail", serve=False, mutant=mutant, record=record) as vendor:
        asyncio.run(vendor.asgi({"type": "lifespan", "asgi": {}}, receive, send))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_broken_connection_marks_no_later_call() -> None:
    """A drift whose answer a fault took away is in that call alone."""
    with _serve("state/createSmtpUser/lost") as client:
        client.post("/__mock/faults", json={"operation": "createSmtpUser", "lost": True}).raise_for_status()
        with pytest.raises(httpx.RemoteProtocolError):
            client.post(PATH, json={"username": "alice"})
        assert client.get(PATH).status_code == 200
        assert [call.get("mutant") for call in _list_calls(client)] == ["state/createSmtpUser/lost", None]


def test_a_drift_over_grpc_is_marked() -> None:
    """The journal names the mutant for a call of native gRPC as for one of REST."""
    mutant = "credentials/listSmtpConfigs/not-needed"
    with play("zitadel", mutant=mutant) as vendor, grpc.insecure_channel(vendor.grpc_address) as channel:
        method: Any = channel.unary_unary("/zitadel.admin.v1.AdminService/ListSMTPConfigs")
        method(b"", timeout=PATIENCE)
        method(b"", metadata=(("authorization", vendor.headers["Authorization"]),), timeout=PATIENCE)
        assert [(call.status, call.mutant) for call in vendor.calls()] == [(200, mutant), (200, "")]


@pytest.mark.parametrize(
    ("mutant", "status"), [("status/createSmtpUser/200/202", 202), ("methods/createSmtpUser/removed-404", 404)]
)
def test_a_session_records_the_response_of_the_mutant(tmp_path: Path, mutant: str, status: int) -> None:
    """The file has the response that the client saw."""
    with play("jetemail", mutant=mutant, record=tmp_path / "session.yaml") as vendor:
        sent = httpx.post(vendor.url + PATH, headers=vendor.headers, json={"username": "alice"}, timeout=PATIENCE)
        vendor.assert_called_once("createSmtpUser", username="alice")
    (exchange,), _ = load_session(tmp_path / "session.yaml")
    assert sent.status_code == exchange.response.status == status


def test_a_drift_of_the_model_is_marked() -> None:
    """A lost effect changes no byte of the response; the journal says that it played."""
    with _serve("state/createSmtpUser/lost") as client:
        assert client.post(PATH, json={"username": "alice"}).status_code == 200
        assert client.get(PATH).json()["smarthosts"] == []
        assert [call.get("mutant") for call in _list_calls(client)] == ["state/createSmtpUser/lost", None]


def test_faults_and_interpretations_play_with_a_mutant() -> None:
    """A scripted fault replaces the response, a closed connection stays closed, an interpretation is followed."""
    with _serve("status/createSmtpUser/200/500") as client:
        for fault in ({"operation": "listSmtpUsers", "status": 503}, {"operation": "updateSmtpUser", "close": True}):
            client.post("/__mock/faults", json=fault).raise_for_status()
        assert client.get(PATH).status_code == 503
        with pytest.raises(httpx.RemoteProtocolError):
            client.patch(PATH, json={"currentUsername": "a"})
        client.put("/__mock/interpretations", json={"jetemail": {"names": "sanitised"}}).raise_for_status()
        assert client.post(PATH, json={"username": "a b"}).status_code == 500


def test_one_of_several_vendors_drifts() -> None:
    """The others are faithful; a vendor without a named mutant has none."""
    with _serve("jetemail:status/listSmtpUsers/200/500", vendor="all") as client:
        assert client.get(PATH).status_code == 500
        key = {"X-Smtp2go-Api-Key": "api-TestFull0123456789abcdef01234567"}
        assert client.post("/v3/users/smtp/view", json={}, headers=key).status_code == 200
        assert client.get("/__mock/health").json()["mutants"] == {"jetemail": "status/listSmtpUsers/200/500"}


def test_the_command_plays_and_names_the_mutant() -> None:
    """The terminal says which drift is played."""
    arguments = ("mock", "jetemail", "--port", "0", "--mutant", "status/listSmtpUsers/200/500")
    with start_command("contract_watch", *arguments) as process:
        assert process.stdout is not None
        address, drift = process.stdout.readline().split()[1], process.stdout.readline()
        assert drift == "jetemail plays the mutant status/listSmtpUsers/200/500\n"
        assert httpx.get(f"http://{address}{PATH}", headers=KEY, timeout=PATIENCE).status_code == 500


def test_the_command_lists_mutants() -> None:
    """Each mutant is a line with its id and a sentence; those that no client can notice say so."""
    listed = run_command("contract_watch", "mock", "jetemail", "--list-mutants")
    mutants = {mutant.id: mutant.description for mutant in list_mutants("jetemail")}
    found = dict(line.split("  ", 1) for line in listed.out.splitlines())
    assert (listed.status, found.keys()) == (0, mutants.keys())
    assert all(found[name].startswith(text) for name, text in mutants.items())
    assert 0 < sum("[no client can notice it" in text for text in found.values()) < len(found)
    several = format_mutants(choose_contracts("all")).splitlines()
    assert all(":" in line.split("  ")[0] for line in several)
    assert any("(over REST)" in line for line in several if line.startswith("zitadel:"))


@pytest.mark.parametrize(
    ("vendor", "mutants", "words"),
    [
        ("jetemail", ["status/createSmtpUser/200/50"], "did you mean status/createSmtpUser/200/500"),
        ("jetemail", ["\x1b[31m"], "ids begin with status, body"),
        ("all", ["status/createSmtpUser/200/500"], "--mutant must be VENDOR:ID"),
        ("jetemail", ["smtp2go:status/x"], "--mutant must be VENDOR:ID with one of jetemail"),
        ("jetemail", ["state/createSmtpUser/lost", "state/createSmtpUser/late"], "jetemail is given two mutants"),
    ],
)
def test_an_unknown_mutant_is_one_line(vendor: str, mutants: list[str], words: str) -> None:
    """The line names the nearest ids, and the command ends 3."""
    options = [part for mutant in mutants for part in ("--mutant", mutant)]
    assert_one_line_error(run_command("contract_watch", "mock", "--vendor", vendor, "--port", "0", *options), words)
