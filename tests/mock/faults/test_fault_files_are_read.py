"""A file of faults is YAML or JSON; an error in it names the file and the line."""

import json
from pathlib import Path

import pytest

from contract_watch.commands.serve_mock import main
from contract_watch.contracts.registry import Contract
from contract_watch.errors import UsageError
from contract_watch.mock.faults.files import MAX_FILE_BYTES
from tests.support.in_process import InProcessMock

YAML = """\
# two faults
- operation: createSmtpUser
  times: always
  status: 503
  body: {success: false}

- id: slow
  delay:
    uniform: {min: 0.1, max: 0.2}
"""


@pytest.fixture(name="api")
def _api(jetemail: Contract) -> InProcessMock:
    return InProcessMock(jetemail)


def _load(api: InProcessMock, path: Path, text: str | bytes) -> list[str]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [fault.id for fault in api.mock.faults.add_file(path)]


def test_list_of_faults_is_played(api: InProcessMock, tmp_path: Path) -> None:
    """The faults of a YAML file, and those of the same list in JSON, are pending in their order."""
    assert _load(api, tmp_path / "faults.yaml", YAML) == ["fault-1", "slow"]
    assert api.send("POST", "/outbound/smarthost", json={"username": "a"}).json() == {"success": False}
    given = [dict(fault.given) for fault in api.mock.faults.pending]
    api.mock.faults.clear()
    assert _load(api, tmp_path / "faults.json", json.dumps(given, indent=2)) == ["fault-1", "slow"]
    assert [dict(fault.given) for fault in api.mock.faults.pending] == given


@pytest.mark.parametrize("name", ["one.yaml", "one.json"])
def test_single_fault_is_a_file(api: InProcessMock, tmp_path: Path, name: str) -> None:
    """A file can hold one fault without a list."""
    assert _load(api, tmp_path / name, '{"status": 503, "id": "only"}') == ["only"]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.yaml", YAML + "- operation: createSmtpUsr\n  status: 500\n", ":10: unknown operation 'createSmtpUsr'"),
        ("a.json", '[\n {"status": 503},\n\n {"stauts": 1}\n]', ":4: unknown field 'stauts'"),
        ("a.json", '{\n "status": 503,}', ":2: is not JSON"),
        ("a.json", "[" * 100_000, ":1: is nested deeper"),
        ("a.json", '{"status": ' + "9" * 5000 + "}", ":1: has a number of more than 4300 digits"),
        ("a.json", '{"status": NaN}', ":1: has a number that is not finite"),
        ("a.json", "[3]", ":1: must be a JSON object"),
        ("a.yaml", "- status: 503\n  status: 500\n", ":2: an object has the name 'status' twice"),
        ("a.yaml", "- status: [\n", "is not YAML"),
        ("a.yaml", "- &a {status: 503}\n- *a\n", ":2: has an alias"),
        ("a.yaml", "- &a [1]\n- <<: *a\n", ":2: has an alias"),
        ("a.yaml", "a: " + "[" * 1000 + "]" * 1000, "nested deeper"),
        ("a.yaml", "- status: 200\n  body: .nan\n", ":2: has a number that is not finite"),
        ("a.yaml", "- status: 200\n  body: !!timestamp x\n", ":2: has a tag"),
        ("a.yaml", "- status: !!bool x\n", ":1: has a tag"),
        ("a.yaml", "- status: !!int ''\n", ":1: has a tag"),
        ("a.json", '[{"status": 1e999}]', ":1: has a number that is not finite"),
        ("a.json", '[{"status": 503},\n {"status": 503, "status": 1}]', ":2: an object has the name 'status' twice"),
        ("a.yaml", "- status: 200\n  body: {1: 2}\n", ":2: has a name that is no string"),
        ("a.yaml", "- status: 200\n  body: !!python/object:os.system {}\n", ":2: has a tag"),
        ("a.yaml", "- 503\n", ":1: must be a JSON object"),
        ("a.yaml", "", "has no fault"),
        ("a.yaml", "- status: 503\n---\n- status: 500\n", ":3: begins a second document"),
        ("a.yaml", b"- status: \xff\n", "is not UTF-8"),
        ("a.yaml", "- status: \x00\n", "is not YAML"),
        ("a.yaml", "#" * (MAX_FILE_BYTES + 1), "is larger than"),
    ],
)
def test_wrong_file_is_one_line(api: InProcessMock, tmp_path: Path, name: str, text: str | bytes, problem: str) -> None:
    """The line names the file and, where there is one, the line of the fault; nothing of the file is pending."""
    with pytest.raises(UsageError) as caught:
        _load(api, tmp_path / name, text)
    assert problem in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / name))
    assert str(caught.value).isprintable()
    assert api.mock.faults.pending == []


def test_missing_file_is_one_line(api: InProcessMock, tmp_path: Path) -> None:
    """A file that is not there, and a directory, cannot be read."""
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            api.mock.faults.add_file(path)


def test_command_refuses_a_wrong_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--faults` with a fault that cannot play ends 3 with one line, before anything is served."""
    path = tmp_path / "faults.yaml"
    path.write_text("- operation: nothing\n  status: 500\n")
    assert main(["jetemail", "--port", "0", "--faults", str(path)]) == 3
    assert capsys.readouterr().err.count("\n") == 1
