"""``--record`` writes a session that people can read, without secrets; ``--replay`` answers from it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_watch.contracts.redaction import Redactor
from contract_watch.contracts.registry import ROOT, choose_contracts
from contract_watch.errors import UsageError
from contract_watch.mock.app import Mock
from contract_watch.mock.recording import recorder as recorder_module
from contract_watch.mock.recording.masking import SecretMasker, is_match
from contract_watch.mock.recording.recorder import SessionRecorder
from contract_watch.mock.recording.session_file import format_exchange, load_session
from contract_watch.mock.server import build_mock
from tests.support.patience import PATIENCE
from tests.support.recorded_sessions import Use, build_replay, record_session, use_mock
from tests.support.suite_process import FREE_KEY, PAID_KEY

PATH = "/outbound/smarthost"
PASSWORD = "a-Secret-of-the-test-9"  # noqa: S105 (of nobody)
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("JETEMAIL_")}


def _read(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


async def _live(client: httpx.AsyncClient) -> list[Any]:
    """Create a user, change it, list it, delete it and list again."""
    responses = [
        await client.post(PATH, json={"username": "anna", "password": PASSWORD, "quota": 5}),
        await client.get(PATH),
        await client.patch(PATH, json={"currentUsername": "anna", "quota": 6}),
        await client.post(PATH, json={"username": "anna"}),
        await client.get(PATH, params={"page": "1"}),
        await client.request("DELETE", PATH, json={"username": "anna"}),
        await client.get(PATH),
        await client.get("/nowhere"),
    ]
    return [(one.status_code, one.text) for one in responses]


def test_a_replayed_session_answers_as_it_did(tmp_path: Path) -> None:
    """The same requests get the same statuses and bodies in the same order, although the replaying mock has no state."""
    file = tmp_path / "session.yaml"
    recorded = record_session(file, _live)
    assert [status for status, _ in recorded] == [200, 200, 200, 409, 200, 200, 200, 404]
    mock = build_replay(file)
    assert use_mock(mock, _live) == recorded
    assert mock.vendors["jetemail"].state.items == ()
    assert len(mock.journal.list_calls()) == len(recorded)


def test_a_person_can_read_the_session(tmp_path: Path) -> None:
    """Each exchange is a document with method, path, query, account, body, status and headers."""
    file = tmp_path / "session.yaml"
    record_session(file, _live)
    documents = _read(file)
    assert list(documents[0]) == ["at", "request", "response"]
    assert documents[0]["request"]["method"] == "POST"
    assert documents[0]["request"]["account"] == "paid"
    assert documents[0]["request"]["headers"]["content-type"] == "application/json"
    mask = f"[secret 1, {len(PASSWORD)} characters]"
    assert documents[0]["request"]["body"] == {"username": "anna", "password": mask, "quota": 5}
    assert documents[4]["request"]["query"] == {"page": "1"}
    assert documents[1]["response"]["body"]["smarthosts"][0]["quota"] == 5
    assert "  body:\n    username: anna\n" in file.read_text(encoding="utf-8")


def test_no_secret_is_in_the_session(tmp_path: Path) -> None:
    """Neither keys nor passwords are in the file, wherever a request had them."""
    file = tmp_path / "session.yaml"

    async def send_secrets(client: httpx.AsyncClient) -> None:
        await client.post(PATH, json={"username": "a", "password": PASSWORD})
        await client.post(PATH, json={"username": PASSWORD, "note": f"it is {PASSWORD}"})
        await client.get(PATH, params={"password": PASSWORD, "api_key": PAID_KEY, "q": PASSWORD})
        await client.post(PATH, data={"password": PASSWORD, "user": "x"})
        await client.post(PATH, content=f'{{"password": "{PASSWORD}"', headers={"content-type": "application/json"})
        await client.get(f"/{PASSWORD}/x", headers={"user-agent": PASSWORD, "cookie": PASSWORD, "x-key": PAID_KEY})

    record_session(file, send_secrets)
    text = file.read_text(encoding="utf-8")
    assert len(_read(file)) == 6
    assert PASSWORD not in text
    assert PAID_KEY not in text
    assert _read(file)[4]["request"]["unreadable"] > 0


def test_passwords_are_filled_in(tmp_path: Path) -> None:
    """A masked password accepts any string; a response shows the one that was sent, or one made up, always the same."""
    file = tmp_path / "session.yaml"

    base = choose_contracts("smtp2go")[0]
    location, account = base.credential_locations[0], base.credentials[0]

    async def use_key(client: httpx.AsyncClient, password: str) -> list[Any]:
        client.headers[location.key] = location.form.format(account.test)
        sent = {"username": "user-a", "email_password": password}
        paths = [f"{base.base_path}{base.operations[name].path}" for name in ("addSmtpUser", "viewSmtpUsers")]
        return [
            (await client.post(paths[0], json=sent)).json(),
            (await client.post(paths[1], json={"username": "user-a"})).json(),
        ]

    recorded = record_session(file, lambda client: use_key(client, PASSWORD), "smtp2go")
    assert PASSWORD in str(recorded)
    assert PASSWORD not in file.read_text(encoding="utf-8")
    other = "Another-Passw0rd-17"
    replayed = use_mock(build_replay(file, "smtp2go"), lambda client: use_key(client, other))
    assert str(replayed) == str(recorded).replace(PASSWORD, other)


def test_equal_requests_get_their_responses_in_order(tmp_path: Path) -> None:
    """The responses of equal requests come in the recorded order, and the last one stays."""
    file = tmp_path / "session.yaml"

    async def record(client: httpx.AsyncClient) -> None:
        for number in range(3):
            await client.get(PATH)
            await client.post(PATH, json={"username": f"u{number}"})

    async def list_lengths(client: httpx.AsyncClient) -> list[int]:
        return [len((await client.get(PATH)).json()["smarthosts"]) for _ in range(5)]

    record_session(file, record)
    assert use_mock(build_replay(file), list_lengths) == [0, 1, 2, 2, 2]


def test_an_unmatched_request_gets_the_differences(tmp_path: Path) -> None:
    """A request that the session does not have is refused with the nearest one, field by field, and is in the journal."""
    file = tmp_path / "session.yaml"
    record_session(file, _live)
    mock = build_replay(file)

    async def miss(client: httpx.AsyncClient) -> httpx.Response:
        body = {"username": "anna", "password": PASSWORD, "quota": 7, "more": [1]}
        return await client.post(PATH, params={"limit": "2"}, json=body)

    response = use_mock(mock, miss)
    assert response.status_code == 501
    assert response.json() == {
        "error": "no recorded request matches this one",
        "nearest": {"number": 1, "method": "POST", "path": PATH},
        "differences": [
            'query.limit: recorded none, sent "2"',
            "body.quota: recorded 5, sent 7",
            "body.more: recorded none, sent a list of 1 items",
        ],
    }
    [call] = mock.journal.list_calls()
    assert (call["status"], call["answer"]["error"]) == (501, "no recorded request matches this one")


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (lambda client: client.get(f"{PATH}s"), f'path: recorded "{PATH}", sent "{PATH}s"'),
        (lambda client: client.put(PATH, json={"username": "anna"}), 'method: recorded "POST", sent "PUT"'),
        (lambda client: client.get(PATH, params={"page": "2"}), 'query.page: recorded none, sent "2"'),
        (lambda client: client.post(PATH, content=b"{"), "unreadable: recorded 0, sent 1"),
    ],
)
def test_each_part_of_a_request_counts(tmp_path: Path, change: Use, difference: str) -> None:
    """Method, path, query and body have to be the recorded ones; the refusal names the one that is not."""
    file = tmp_path / "session.yaml"
    record_session(file, _live)
    response = use_mock(build_replay(file), change)
    assert response.status_code == 501
    assert difference in response.json()["differences"]


def test_the_account_counts_and_other_headers_do_not(tmp_path: Path) -> None:
    """A request of another account, or without a key, is not the recorded one; other headers are ignored."""
    file = tmp_path / "session.yaml"
    record_session(file, _live)

    async def use(client: httpx.AsyncClient) -> tuple[int, Any]:
        response = await client.get(PATH, headers={"accept": "text/html", "x-other": "1"})
        return response.status_code, response.json()

    assert use_mock(build_replay(file), use)[0] == 200
    status, answer = use_mock(build_replay(file), use, FREE_KEY)
    assert (status, answer["differences"]) == (501, ['account: recorded "paid", sent "free"'])
    status, answer = use_mock(build_replay(file), use, "wrong")
    assert (status, answer["differences"]) == (501, ['account: recorded "paid", sent ""'])


def test_grpc_calls_are_recorded_and_replayed(tmp_path: Path) -> None:
    """A gRPC call is recorded as JSON, replayed without the state, and refused with the differences if it is another."""
    file = tmp_path / "session.yaml"
    recording = build_mock(choose_contracts("zitadel"), {})
    recorder = SessionRecorder(file, recording.redactor, list(recording.vendors.values()))
    recording.use_session(recorder)
    name, calls = _call_list(recording)
    recorded = calls(b"")
    recorder.close()
    assert _read(file)[0]["request"]["path"] == name
    replaying = build_replay(file, "zitadel")
    _, calls = _call_list(replaying)
    assert calls(b"") == recorded
    refused = calls(b"\x0a\x02\x10\x07")  # a query with a limit of 7
    assert refused.status.code == 12
    assert "no recorded request matches this one: body" in refused.status.message


def _call_list(mock: Mock) -> tuple[str, Callable[[bytes], Any]]:
    """Return the path of the list's method, and a function that calls it."""
    [calls] = mock.grpc_calls
    path, operation = next((path, one) for path, one in calls.methods.items() if one.id == "listSmtpConfigs")
    key = mock.vendors["zitadel"].accounts[0].key
    return path, lambda content: calls.handle_call(operation, {"authorization": f"Bearer {key}"}, content)


@contextmanager
def _start_command(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(  # noqa: S603 (our own command)
        [sys.executable, "-m", "contract_watch.mock", "jetemail", *arguments, "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=ENVIRONMENT,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def _open_client(process: "subprocess.Popen[str]") -> Iterator[httpx.Client]:
    assert process.stdout is not None
    address = next(line.split()[1] for line in process.stdout if line.startswith("rest "))
    headers = {"Authorization": f"Bearer {PAID_KEY}"}
    with httpx.Client(base_url=f"http://{address}", headers=headers, timeout=PATIENCE) as client:
        yield client


def test_a_killed_recorder_loses_nothing(tmp_path: Path) -> None:
    """Kill the recording command: each exchange whose response came is in the file, which the next command replays."""
    file = tmp_path / "session.yaml"
    with _start_command("--record", str(file)) as process, _open_client(process) as client:
        for number in range(20):
            assert client.post(PATH, json={"username": f"u{number}"}).status_code == 200
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
    exchanges, is_cut = load_session(file)
    assert ([one.request.body["username"] for one in exchanges], is_cut) == ([f"u{n}" for n in range(20)], False)
    with _start_command("--replay", str(file)) as process, _open_client(process) as client:
        assert client.get("/__mock/health").json()["mock"] is True
        assert client.post(PATH, json={"username": "u7"}).status_code == 200
        assert client.post(PATH, json={"username": "none"}).status_code == 501


def test_a_cut_exchange_is_left_out(tmp_path: Path) -> None:
    """A file that ends inside an exchange is replayed without that one."""
    file = tmp_path / "session.yaml"
    record_session(file, _live)
    content = file.read_bytes()
    complete = len(load_session(file)[0])
    file.write_bytes(content[:-1])
    assert load_session(file) == (load_session(file)[0], False)
    for length in range(len(content) - 60, len(content) - 1):
        file.write_bytes(content[:length])
        exchanges, is_cut = load_session(file)
        assert (len(exchanges), is_cut) == (complete - 1, True)


_VALID = format_exchange("now", {"method": "GET", "path": "/a"}, {"status": 200, "body": {"x": 1}}).decode()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has no exchange"),
        ("hello", "has no exchange"),
        (_VALID + "---\nrequest: [\n...\n", ":13: is not YAML (expected the node content"),
        (_VALID.replace("status: 200", "status: 999"), ":2: response/status is not valid"),
        (_VALID.replace("method: GET", "method: 5"), ":2: request/method is not valid"),
        (_VALID.replace("path: /a", "paths: /a"), ":2: "),
        (_VALID.replace("x: 1", "1: x"), ":9: has a name that is no string"),
        (_VALID.replace("x: 1", "x: &a [*a, *a]"), ":9: has an alias"),
        (_VALID.replace("x: 1", f"x: {'[' * 200_000}"), ":9: is nested deeper"),
        (_VALID.replace("x: 1", "x: " + "[" * 5000), ":9: is nested deeper"),
        (_VALID.replace("x: 1", "x: !!python/object/apply:os.system [ls]"), ":9: has a tag"),
        (_VALID.replace("x: 1", "x: !!bool y"), ":9: has a tag"),
        (_VALID.replace("x: 1", "x: .nan"), ":9: has a number that is not finite"),
        (_VALID.replace("x: 1", "x: 1\n    x: 2"), ":10: an object has the name 'x' twice"),
        (_VALID.replace("...\n", ""), "has no exchange that ends with a line `...`"),
        (b"\xff\xfe".decode("latin-1"), "has no exchange"),
    ],
)
def test_errors_in_a_session_name_the_place(tmp_path: Path, text: str, problem: str) -> None:
    """Each error is one line with the file and the line of the exchange."""
    file = tmp_path / "session.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as refusal:
        load_session(file)
    assert str(refusal.value).startswith(f"--replay {file}")
    assert problem in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("options", [("--record", "{old}"), ("--record", "{none}/x"), ("--replay", "{none}"),
                                     ("--replay", "{old}", "--state", "{none}"), ("--replay", "{old}", "--record", "x")])  # fmt: skip
def test_wrong_files_are_one_line_and_status_3(tmp_path: Path, options: tuple[str, ...]) -> None:
    """A file that exists is not overwritten, one that is missing is not replayed, and options that exclude each other."""
    old = tmp_path / "old.yaml"
    old.write_text(_VALID, encoding="utf-8")
    names = {"old": str(old), "none": str(tmp_path / "none")}
    with _start_command(*(option.format(**names) for option in options)) as process:
        output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output) == (3, "")
    assert errors.count("\n") == 1
    assert old.read_text(encoding="utf-8") == _VALID


def test_a_long_session_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After the most exchanges the mock still answers, the file no longer grows, and one line says so."""
    monkeypatch.setattr(recorder_module, "MAX_EXCHANGES", 3)
    file = tmp_path / "session.yaml"
    assert len(record_session(file, _live)) == 8
    assert len(load_session(file)[0]) == 3
    assert capsys.readouterr().err.count("the session is full") == 1


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=60)
@given(body=_JSON)
def test_any_body_survives_the_file(body: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Any JSON value comes back from the file as it was, and as a masked value it matches itself."""
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    request = {"method": "POST", "path": "/a", "body": body}
    file.write_bytes(format_exchange("now", request, {"status": 200, "body": body}))
    [exchange], is_cut = load_session(file)
    assert not is_cut
    assert is_match(exchange.request.body, body)
    assert repr(exchange.response.body) == repr(body)
    assert is_match(SecretMasker(Redactor()).mask(body), body)
