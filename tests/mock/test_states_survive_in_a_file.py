"""``--state FILE`` keeps the state over restarts and killed processes; bad files are one line and status 3."""

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract_watch.contracts.registry import ROOT, Contract, choose_contracts, load_contracts
from contract_watch.errors import UsageError
from contract_watch.mock.app import Mock
from contract_watch.mock.persistence.state_file import StateFile
from contract_watch.mock.server import build_mock
from tests.support.patience import PATIENCE
from tests.support.suite_process import PAID_KEY

PATH = "/outbound/smarthost"
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("JETEMAIL_")}
HEADERS = {"Authorization": f"Bearer {PAID_KEY}"}


@contextmanager
def _start_command(*arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(  # noqa: S603 (our own command)
        [sys.executable, "-m", "contract_watch.mock", *arguments, "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env={**ENVIRONMENT, **variables},
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def _open_client(process: "subprocess.Popen[str]") -> Iterator[httpx.Client]:
    assert process.stdout is not None
    address = next((line.split()[1] for line in process.stdout if line.startswith("rest ")), None)
    assert address is not None, process.stderr.read() if process.stderr else ""
    with httpx.Client(base_url=f"http://{address}", headers=HEADERS, timeout=PATIENCE) as client:
        yield client


def _list_names(client: httpx.Client) -> list[str]:
    return [row["username"] for row in client.get(PATH).json()["smarthosts"]]


@contextmanager
def _keep(path: Path, *slugs: str, interpretations: Any = None, seed: int | None = None) -> Iterator[Mock]:
    """Build a mock in this process that keeps its state in ``path``."""
    contracts = [one for slug in slugs for one in choose_contracts(slug)]
    mock = build_mock(contracts, {}, interpretations, seed=seed)
    states = StateFile(path)
    with closing(states):
        states.attach(list(mock.vendors.values()))
        yield mock


def _call(mock: Mock, operation: str, body: Any, slug: str = "jetemail") -> tuple[int, Any]:
    vendor = mock.vendors[slug]
    declared = vendor.contract.operations[operation]
    location = vendor.contract.credential_locations[0]
    headers = {location.key: location.form.format(vendor.accounts[0].key)}
    return vendor.handle_request(declared, declared.path, headers, body)


def test_state_survives_a_restart(tmp_path: Path) -> None:
    """The next process lists what one process has created, changed and removed, and a reset is kept too."""
    file = tmp_path / "state.sqlite"
    with _start_command("jetemail", "--state", str(file)) as process, _open_client(process) as client:
        for name in ("a", "b", "c"):
            assert client.post(PATH, json={"username": name, "quota": 3}).status_code == 200
        client.patch(PATH, json={"currentUsername": "b", "newUsername": "d", "quota": 4})
        client.request("DELETE", PATH, json={"username": "a"})
        before = client.get(PATH).json()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    with _start_command("jetemail", "--state", str(file)) as process, _open_client(process) as client:
        assert client.get(PATH).json() == before
        assert _list_names(client) == ["d", "c"]
        assert client.post(PATH, json={"username": "d"}).status_code == 409
        client.delete("/__mock/state")
        process.kill()
        process.wait(PATIENCE)
    with _start_command("jetemail", "--state", str(file)) as process, _open_client(process) as client:
        assert _list_names(client) == []


def test_a_killed_process_keeps_every_answered_request(tmp_path: Path) -> None:
    """Kill the mock in the middle of requests: every user whose creation was answered is there, and is complete."""
    file = tmp_path / "state.sqlite"
    answered: list[str] = []
    enough = threading.Event()

    def create_users(client: httpx.Client, first: int) -> None:
        for number in range(first, first + 100_000):
            try:
                response = client.post(PATH, json={"username": f"user-{number}", "quota": number % 100 + 1})
            except httpx.HTTPError:
                return
            assert response.status_code == 200
            answered.append(f"user-{number}")
            if len(answered) >= 150:
                enough.set()

    with _start_command("jetemail", "--state", str(file)) as process, _open_client(process) as client:
        threads = [threading.Thread(target=create_users, args=(client, first)) for first in (0, 1_000_000, 2_000_000)]
        for thread in threads:
            thread.start()
        assert enough.wait(PATIENCE)
        process.kill()
        for thread in threads:
            thread.join(PATIENCE)
        process.wait(PATIENCE)
    with _start_command("jetemail", "--state", str(file)) as process, _open_client(process) as client:
        rows = client.get(PATH).json()["smarthosts"]
    names = [row["username"] for row in rows]
    assert set(answered) <= set(names)
    assert len(names) - len(answered) <= len(threads)  # those whose answers were lost
    assert len(set(names)) == len(names)
    assert all(row["quota"] == int(row["username"].removeprefix("user-")) % 100 + 1 for row in rows)


def test_many_objects_keep_their_order(tmp_path: Path) -> None:
    """Objects beyond the size from which a state is indexed come back in order, after removals and renames too."""
    file = tmp_path / "state.sqlite"
    with _keep(file, "jetemail") as mock:
        for number in range(200):
            assert _call(mock, "createSmtpUser", {"username": f"u{number}"})[0] == 200
        for number in range(0, 200, 3):
            assert _call(mock, "deleteSmtpUser", {"username": f"u{number}"})[0] == 200
        assert _call(mock, "updateSmtpUser", {"currentUsername": "u1", "newUsername": "first"})[0] == 200
        before = mock.vendors["jetemail"].state
    for _ in range(2):
        with _keep(file, "jetemail") as mock:
            state = mock.vendors["jetemail"].state
            assert [item.name for item in state.items] == [item.name for item in before.items]
            assert state == before


def test_interpretations_are_part_of_the_state(tmp_path: Path) -> None:
    """A chosen interpretation stays; another one on the command line is refused instead of resetting the state."""
    file = tmp_path / "state.sqlite"
    with _keep(file, "jetemail") as mock:
        mock.vendors["jetemail"].set_interpretations({"names": "sanitised"})
        _call(mock, "createSmtpUser", {"username": "Big Name"})
    with _keep(file, "jetemail") as mock:
        assert mock.vendors["jetemail"].interpretations["names"] == "sanitised"
        assert [item.name for item in mock.vendors["jetemail"].state.items] == ["big-name"]
        mock.vendors["jetemail"].reset()
        assert mock.vendors["jetemail"].interpretations["names"] == "sanitised"
    with _keep(file, "jetemail", interpretations={"jetemail": {"names": "sanitised"}}):
        pass
    with (
        pytest.raises(UsageError, match=r"jetemail\.names=lowered"),
        _keep(file, "jetemail", interpretations={"jetemail": {"names": "lowered"}}),
    ):
        pass


def test_a_seed_goes_on_after_a_restart(tmp_path: Path) -> None:
    """Passwords, ids and times after a restart are those that follow without one; a reset starts them anew."""

    def create(mock: Mock, name: str) -> Any:
        return [_call(mock, "addSmtpUser", {"username": name}, "smtp2go"), mock.vendors["smtp2go"].state.items[-1]]

    with _keep(tmp_path / "whole", "smtp2go", seed=3) as mock:
        expected = [create(mock, name) for name in ("user-one", "user-two", "user-three")]
    with _keep(tmp_path / "parts", "smtp2go", seed=3) as mock:
        found = [create(mock, "user-one"), create(mock, "user-two")]
    with _keep(tmp_path / "parts", "smtp2go", seed=3) as mock:
        found.append(create(mock, "user-three"))
        mock.vendors["smtp2go"].reset()
    assert found == expected
    with _keep(tmp_path / "parts", "smtp2go", seed=3) as mock:
        assert create(mock, "user-one") == expected[0]


def test_vendors_keep_their_states_apart(tmp_path: Path) -> None:
    """Serving some of the file's vendors leaves the others as they are; one that it does not hold is refused."""
    file = tmp_path / "state.sqlite"
    with _keep(file, "jetemail", "smtp2go") as mock:
        _call(mock, "createSmtpUser", {"username": "a"})
        status, answer = _call(
            mock, "addSmtpUser", {"username": "user-b", "email_password": "a-long-Passw0rd!"}, "smtp2go"
        )
        assert status == 200, answer
    with _keep(file, "jetemail") as mock:
        _call(mock, "deleteSmtpUser", {"username": "a"})
    with _keep(file, "smtp2go", "jetemail") as mock:
        assert [item.name for item in mock.vendors["smtp2go"].state.items] == ["user-b"]
        assert mock.vendors["jetemail"].state.items == ()
    with (
        pytest.raises(UsageError, match="holds the state of 'jetemail', 'smtp2go', not of zitadel"),
        _keep(file, "zitadel", "jetemail"),
    ):
        pass


def test_the_file_is_its_owners_and_holds_no_key(tmp_path: Path) -> None:
    """The file, its log too, has mode 0600, whatever the umask, and no account's key is in it."""
    file = tmp_path / "state.sqlite"
    old = os.umask(0)
    try:
        with _keep(file, *load_contracts()) as mock:
            _call(mock, "createSmtpUser", {"username": "a"})
            files = list(tmp_path.iterdir())
            assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}
            content = b"".join(one.read_bytes() for one in files)
            keys = [account.key for vendor in mock.vendors.values() for account in vendor.accounts]
    finally:
        os.umask(old)
    assert b"paid" in content  # the account of the object
    assert not [key for key in keys if key.encode() in content]


def _write_garbage(file: Path) -> None:
    file.write_bytes(b"this is no database, but a text of some length " * 40)


def _write_other_database(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE invoices (id INTEGER)")
        connection.commit()


def _make_state(file: Path) -> None:
    with _keep(file, "jetemail") as mock:
        for number in range(100):
            _call(mock, "createSmtpUser", {"username": f"u{number}"})


def _run(file: Path, sql: str) -> None:
    _make_state(file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(sql)
        connection.commit()


def _damage(file: Path) -> None:
    _make_state(file)
    content = bytearray(file.read_bytes())
    content[4096:12_288] = b"\xff" * 8192
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("prepare", "problem"),
    [
        (_write_garbage, "is no SQLite database"),
        (_write_other_database, "is a database of another program"),
        (lambda file: _run(file, "PRAGMA user_version = 99"), "has format 99"),
        (
            lambda file: _run(file, "CREATE TRIGGER t AFTER INSERT ON items BEGIN DELETE FROM items; END"),
            "has other tables than this mock's",
        ),
        (lambda file: _run(file, "CREATE TABLE invoices (id INTEGER)"), "has other tables than this mock's"),
        (lambda file: _run(file, "UPDATE vendors SET digest = 'other'"), "another version of the contract jetemail"),
        (lambda file: _run(file, "UPDATE items SET content = '{' WHERE position = 7"), "is corrupt"),
        (lambda file: _run(file, "UPDATE vendors SET rest = '{}'"), "is corrupt"),
        (lambda file: _run(file, "UPDATE vendors SET choices = '[]'"), "is corrupt"),
        (_damage, "is corrupt"),
        (Path.mkdir, "cannot be written"),
    ],
)
def test_bad_files_are_refused_and_stay(tmp_path: Path, prepare: Any, problem: str) -> None:
    """Each bad file is one line that names it, and nothing is written to it."""
    file = tmp_path / "state.sqlite"
    prepare(file)
    before = file.read_bytes() if file.is_file() else None
    with pytest.raises(UsageError, match=problem) as refusal, _keep(file, "jetemail"):
        pass
    assert str(refusal.value).startswith(f"--state {file}: ")
    assert "\n" not in str(refusal.value)
    assert (file.read_bytes() if file.is_file() else None) == before


def test_a_path_is_escaped(tmp_path: Path) -> None:
    """A line break in the file's name does not break the line of the error."""
    file = tmp_path / "a\nb"
    _write_garbage(file)
    with pytest.raises(UsageError, match=r"a\\nb: is no SQLite database") as refusal, _keep(file, "jetemail"):
        pass
    assert str(refusal.value).isprintable()


def test_missing_directory_is_one_line_and_status_3(tmp_path: Path) -> None:
    """The command refuses a file in a directory that does not exist, before it serves anything."""
    with _start_command("jetemail", "--state", str(tmp_path / "none" / "state.sqlite")) as process:
        output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output) == (3, "")
    assert "cannot be written" in errors
    assert errors.count("\n") == 1


def test_file_in_use_is_refused(tmp_path: Path) -> None:
    """A second mock of the same file is refused; once the first has ended, it gets the file."""
    file = tmp_path / "state.sqlite"
    with _keep(file, "jetemail") as mock:
        _call(mock, "createSmtpUser", {"username": "a"})
        with _start_command("jetemail", "--state", str(file)) as process:
            _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 3
        assert "another mock uses it" in errors
    with _keep(file, "jetemail") as mock:
        assert len(mock.vendors["jetemail"].state.items) == 1


def test_models_of_their_own_kind_are_refused(tmp_path: Path) -> None:
    """A contract whose model derives from no ResourceModel has states that the file cannot hold: one line."""
    contract = Contract("jetemail")
    mock = build_mock([contract], {})
    contract.__dict__["model"] = object()
    with (
        closing(StateFile(tmp_path / "state.sqlite")) as states,
        pytest.raises(UsageError, match="derives from no ResourceModel"),
    ):
        states.attach(list(mock.vendors.values()))


def test_a_change_that_cannot_be_written_does_not_happen(tmp_path: Path) -> None:
    """If the disk is full, the request gets 507, and neither the memory nor the file has the object."""
    file = tmp_path / "state.sqlite"
    with _keep(file, "jetemail") as mock:
        _call(mock, "createSmtpUser", {"username": "a"})
        connection: Any = vars(mock.vendors["jetemail"].store)["_connection"]
        [pages] = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        transport = httpx.ASGITransport(app=mock)
        statuses = []

        async def create_users() -> list[str]:
            async with httpx.AsyncClient(transport=transport, base_url="http://mock", headers=HEADERS) as client:
                for number in range(200):
                    response = await client.post(
                        PATH, json={"username": f"big-{number}", "ipRestrictions": ["1.1.1.1"] * 50}
                    )
                    statuses.append(response.status_code)
                    if response.status_code == 507:
                        break
                return [row["username"] for row in (await client.get(PATH)).json()["smarthosts"]]

        names = asyncio.run(create_users())
    assert statuses[-1] == 507
    assert names == ["a", *(f"big-{number}" for number in range(len(statuses) - 1))]
    with _keep(file, "jetemail") as mock:
        assert [item.name for item in mock.vendors["jetemail"].state.items] == names
