"""A change that breaks a client's users needs a new major version and a line in the changelog."""

import shutil
from pathlib import Path

import pytest

from contract_watch.commands.generate_clients import main as generate
from contract_watch.commands.record_api import main as record
from contract_watch.contracts.registry import Contract, load_contracts
from contract_watch.diff.client.api_record import list_breaks
from contract_watch.diff.client_record import RECORD, find_record_problems
from tests.support.clients.sample_client import write_sample_contract

pytestmark = pytest.mark.usefixtures("remembered_clients")
PACKAGE = Path("generated/sample/client/sample_client")


@pytest.fixture(name="template", scope="module")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_sample_contract(tmp_path_factory.mktemp("recorded"))
    assert (generate([], root), record([], root)) == (0, 0)
    return root


@pytest.fixture(name="root")
def _root(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path / "root")
    return tmp_path / "root"


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def _find_problems(root: Path) -> list[str]:
    return find_record_problems(Contract("sample", root))


@pytest.mark.parametrize("contract", load_contracts().values(), ids=load_contracts())
def test_the_record_is_current(contract: Contract) -> None:
    """Every package has the API that its record promises, or says in version and changelog that it broke."""
    assert find_record_problems(contract) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("_connect.py", "def drop_user(", "def remove_user(", "function Api.drop_user is gone"),
        ("_connect.py", "note: str | Unset = UNSET", "note: str", "argument Api.add_user(note) was"),
        ("_connect.py", "        note: str | Unset = UNSET", "        note: int | Unset = UNSET", "argument Api.add_user(note) was"),
        ("_connect.py", "        timeout: float", "        region: str,\n        timeout: float", "argument Api.add_user(region) is new and required"),
        ("_connect.py", "class Api(SyncSession)", "class Api", "function Api.close is gone"),
        ("errors.py", "class NotFoundError(APIStatusError)", "class NotFoundError(APIError)", "class errors.NotFoundError was"),
        ("errors.py", "class ConflictError", "class Conflict", "class errors.ConflictError is gone"),
        ("models/add_user_body.py", "    note: str | Unset", "    note: int | Unset", "field models.AddUserBody.note was"),
        ("__init__.py", '    "UNSET",\n', "", "value UNSET is gone"),
    ],
)  # fmt: skip
def test_a_break_is_named_with_its_remedy(root: Path, file: str, old: str, new: str, problem: str) -> None:
    """Each problem is one line: file, symbol, remedy. `make api` does not record it either."""
    _edit(root / PACKAGE / file, old, new)
    found = [line for line in _find_problems(root) if problem in line]
    assert len(found) == 1
    assert found[0].startswith(f"contracts/sample/{RECORD}: ")
    assert found[0].endswith("raise the major version (info.version in the overlay)")
    before = (root / "contracts/sample" / RECORD).read_bytes()
    assert record([], root) == 3
    assert record(["--check"], root) == 1
    assert (root / "contracts/sample" / RECORD).read_bytes() == before


def test_version_and_changelog_together_permit_a_break(root: Path) -> None:
    """The next minor version does not suffice, and the next major one needs its line in the changelog."""
    _edit(root / PACKAGE / "_connect.py", "def drop_user(", "def remove_user(")
    project = root / PACKAGE.parent / "pyproject.toml"
    _edit(project, 'version = "2.1.0"', 'version = "2.2.0"')
    assert "raise the major version" in _find_problems(root)[0]
    _edit(project, 'version = "2.2.0"', 'version = "3.0.0"')
    (root / "CHANGELOG.md").write_text("- `sample-client` 3.0.0.1: another version\n")
    assert "name `sample-client` 3.0.0 in CHANGELOG.md" in _find_problems(root)[0]
    (root / "CHANGELOG.md").write_text("- `sample-client` 3.0.0: `drop_user` is `remove_user`.\n")
    assert [line.rpartition("; ")[2] for line in _find_problems(root)] == ["run `make api VENDOR=sample`"]
    assert record([], root) == 0
    assert _find_problems(root) == []
    assert "# Version 3.0.0;" in (root / "contracts/sample" / RECORD).read_text()


def test_an_addition_is_recorded_only(root: Path) -> None:
    """A new symbol breaks nobody, but the record must hold it: `make api` writes it."""
    _edit(root / PACKAGE / "_connect.py", "timeout: float | Unset", "region: str | None = None, timeout: float | Unset")
    assert [line.rpartition("; ")[2] for line in _find_problems(root)] == ["run `make api VENDOR=sample`"]
    assert record([], root) == 0
    assert _find_problems(root) == []


def test_a_missing_record_is_named(root: Path) -> None:
    """A new vendor's package needs a record too."""
    (root / "contracts/sample" / RECORD).unlink()
    assert _find_problems(root) == [f"contracts/sample/{RECORD}: is missing; run `make api VENDOR=sample`"]
    (root / "contracts/sample" / RECORD).write_text("class Api ()\n")
    assert record([], root) == 3


@pytest.mark.parametrize(
    ("old", "new", "breaks"),
    [
        ("argument f(a) A | Literal['x'] | Unset = UNSET", "argument f(a) A | Literal['x', 'y'] | Unset = UNSET", False),
        ("argument f(a) A | Literal['x', 'y'] | Unset = UNSET", "argument f(a) A | Literal['x'] | Unset = UNSET", True),
        ("argument f(a) int, required", "argument f(a) int | Unset = UNSET", False),
        ("argument f(a) int = 1", "argument f(a) int = 2", True),
        ("argument f(a@0) int, required", "argument f(a@1) int, required", True),
        ("member E.A = 'a'", "member E.A = 'b'", True),
        ("function f -> A", "function f -> A | None", True),
        ("function f -> A", "function f async -> A", True),
    ],
)  # fmt: skip
def test_arguments_may_accept_more(old: str, new: str, breaks: bool) -> None:
    """Only an argument's type may change, and only so that all old calls still fit."""
    assert bool(list_breaks([old], [new])) is breaks


def test_a_required_field_breaks_where_callers_build_the_object() -> None:
    """A vendor may add a property to a response; in a request it asks for more than old code gives."""
    lines = ["class models.User ()", "class models.Body ()", "argument f(body) Body, required"]
    assert list_breaks(lines, [*lines, "field models.User.name str, required"]) == []
    assert list_breaks(lines, [*lines, "field models.Body.name str, required"]) != []
