"""Every contract is complete; for each gap one line names the file, the problem and the fix."""

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

import contracts as room
from contract_watch.authoring.completeness import find_gaps, find_strays
from contract_watch.commands.check_contracts import main
from contract_watch.contracts.registry import ROOT, Contract, load_contracts
from contract_watch.generator.client_facts import format_banner

EVERY = pytest.mark.parametrize("contract", load_contracts().values(), ids=load_contracts())


@EVERY
def test_contract_is_whole(contract: Contract) -> None:
    """No contract of this repository has a gap."""
    assert find_gaps(contract) == []


def test_every_directory_is_found() -> None:
    """The registry overlooks no contract: it finds every directory below contracts/."""
    assert find_strays() == []


@pytest.fixture(name="parcel")
def _parcel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Contract:
    """Make a complete contract to break: the made-up vendor's, in a root of its own, with generated output."""
    directory = tmp_path / "contracts" / "parcel"
    shutil.copytree(ROOT / "tests" / "data" / "parcel", directory, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(room, "__path__", [*room.__path__, str(directory.parent)])
    for name in [name for name in sys.modules if name.startswith("contracts.parcel")]:
        monkeypatch.delitem(sys.modules, name)
    made = Contract("parcel", tmp_path)
    client = tmp_path / "generated" / "parcel" / "client" / "parcel_client"
    client.mkdir(parents=True)
    (client / "__init__.py").touch()
    shown = {"x-generated": format_banner(made), **made.effective.raw}
    (client.parent.parent / "openapi.json").write_text(json.dumps(shown))
    return Contract("parcel", tmp_path)


def _edit_file(contract: Contract, file: str, old: str, new: str) -> None:
    path = contract.directory / file
    text, count = re.subn(old, lambda _found: new, path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert count, f"{old!r} is not in {file}"
    path.write_text(text, encoding="utf-8")


def test_whole_contract_has_no_line(parcel: Contract) -> None:
    """The lines of the tests below come from their edits: the unedited contract has none."""
    assert find_gaps(parcel) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "line"),
    [
        ("contract.toml", 'test = "[^"]*"', 'test = ""', "contract.toml: credentials.shop: has no test value"),
        ("contract.toml", "PARCEL_KEY", "parcel key", "contract.toml: credentials.shop: its variable 'parcel key'"),
        ("contract.toml", 'upstream = "[^"]*"', "", "contract.toml: has no `upstream`"),
        ("contract.toml", 'address = "[^"]*"', "", "contract.toml: has no `address`; give the URL that TARGET=live sends keys to"),
        ("contract.toml", 'address = "https:', 'address = "http:', "contract.toml: `address` must be an https URL"),
        ("contract.toml", 'name = "Parcel"', 'name = "', "contract.toml: is not TOML"),
        ("contract.toml", "requests = 120", "requests = 0", "contract.toml: `rate` allows nothing"),
        ("contract.toml", r'removeLabel = \{"\{id\}" = "existing"\}', "",
         "contract.toml: identities: says nothing of removeLabel"),
        ("contract.toml", r'"/reference" = "new"', "",
         "contract.toml: identities.createLabel: has no argument with the role new"),
        ("contract.toml", r'"\{id\}" = "existing"', "", 'contract.toml: identities.changeLabel: "{id}" has no role'),
        ("contract.toml", 'read = "listLabels"', 'read = "list"', "contract.toml: `lifecycle` names the operation 'list'"),
        ("contract.toml", 'id = "/id"', "", "contract.toml: lifecycle: has no `id`, so that requests name a new object"),
        ("contract.toml", 'id = "/id"', 'id = "/note"',
         "contract.toml: lifecycle.id: /note is neither a string nor a number in the response to createLabel; point to the"),
        ("contract.toml", 'id = "/id"', 'id = "/speed"',
         "model.py: after createLabel `list_owned` must name the new object 'slow', got 'lb"),
        ("model.py", "    if operation.body is None:\n", "    yield Check(409, 'never', 'Never.')\n    if operation.body is None:\n",
         "model.py: answers 409 to createLabel with its least valid request (never: Never.); correct the rule"),
        ("overlay.yaml", r"operationId: listLabels", "summary: All", "overlay.yaml: GET /labels has no operationId"),
        ("overlay.yaml", r"operationId: listLabels", "summary: Every label",
         "overlay.yaml: action 1 ($.paths['/labels'].get): changes nothing"),
        ("overlay.yaml", r"\$\.components\.schemas\.Label", "$.components.schemas.Box",
         "overlay.yaml: action 2 ($.components.schemas.Box): matches nothing"),
        ("overlay.yaml", r"description: A label[^\n]*", "", "overlay.yaml: action 2 ($.components.schemas.Label): needs a"),
        ("published.json", '"type": "integer", "minimum": 1, "maximum": 30000, "example": 250', '"type": "null"',
         "overlay.yaml: POST /labels: weight has no known value; give it an `example`"),
        ("published.json", '"2.0.0"', '"second"', "parcel: info.version must be a package version, got 'second'"),
        ("published.json", r"\{", "", "published.json:2: is not JSON"),
        ("published.json", r'"servers": \[.*?\],', "", "overlay.yaml: the document names no server"),
        ("published.json", "order-1001", "order-1002", "openapi.json: is of an earlier contract; run `make generate`"),
        ("model.py", r"RULES: dict\[str, str\] = \{.*?\}  # fmt: skip", "RULES: dict[str, str] = {}",
         "model.py: `rules` is empty"),
        ("model.py", "rule/reference-taken", "reference-taken", "is not <operation>/rule/<name>"),
        ("model.py", "def outcomes", "def outcome", "raises AttributeError"),
        ("model.py", "import Any\n", "import Any\n)", "model.py:6: raises SyntaxError"),
        ("model.py", "return Parcel", "raise NotImplementedError; return Parcel", "raises NotImplementedError; correct it"),
        ("model.py", r'\("ignored", "refused"\)', '("ignored",)', "the interpretation 'unknown-properties' leaves no choice"),
        ("model.py", "Check\\(409", "Check(410", "model.py: answers 410 to createLabel, which no document declares"),
        ("model.py", "Constant\\(value\\)\\) for", "Constant(0)) for", "contradicts its own contract"),
        ("scenarios.yaml", "taken-reference:.*partial-change", "partial-change",
         "no request reaches removeLabel/effect/removed"),
        ("scenarios.yaml", "\n[a-z].*", "\n{}\n", "scenarios.yaml: has no flow"),
        ("scenarios.yaml", "effect/removed", "effect/gone", "scenarios.yaml: taken-reference: there is no clause"),
        ("mutants.toml", r"\[floors\].*?requests = 190", "", "mutants.toml: [floors] must have score"),
        ("mutants.toml", "score = 0.9", "score = 0", "mutants.toml: [floors] hold nothing up"),
        ("mutants.toml", r"body/\*/problem", "body/*/trouble", "mutants.toml: lists 'body/*/trouble/emptied' as equivalent"),
    ],
)  # fmt: skip
def test_what_is_missing_is_a_line(parcel: Contract, file: str, old: str, new: str, line: str) -> None:
    """One edit spoils one thing; a single line names the file, relative to the root, and the fix.

    No exception escapes.
    """
    _edit_file(parcel, file, old, new)
    lines = find_gaps(Contract("parcel", parcel.root))
    assert any(line in one for one in lines), lines
    assert all(one.count("\n") == 0 and str(parcel.root) not in one for one in lines)


def test_absent_file_is_a_line(parcel: Contract) -> None:
    """A missing configuration is a gap like any other; all other files are optional."""
    (parcel.directory / "contract.toml").unlink()
    assert "contracts/parcel/contract.toml: is missing" in find_gaps(Contract("parcel", parcel.root))[0]


def test_missing_address_hides_no_other_gap(parcel: Contract) -> None:
    """A draft without the document's address is checked to the end: its mock must agree with it all the same."""
    _edit_file(parcel, "contract.toml", 'upstream = "[^"]*"', "")
    _edit_file(parcel, "scenarios.yaml", "taken-reference:.*partial-change", "partial-change")
    lines = find_gaps(Contract("parcel", parcel.root))
    assert "has no `upstream`" in lines[0]
    assert any("no request reaches removeLabel/effect/removed" in line for line in lines)


def test_absent_client_is_a_line(parcel: Contract) -> None:
    """A client that nobody generated is a gap; the line names the command that generates it."""
    shutil.rmtree(parcel.root / "generated")
    assert find_gaps(Contract("parcel", parcel.root)) == [
        f"generated/parcel/{name}: is missing; run `make generate`"
        for name in ("client/parcel_client/__init__.py", "openapi.json")
    ]


def test_several_gaps_are_reported_at_once(parcel: Contract) -> None:
    """Three gaps of one kind give three lines, so an author can fix all in one pass."""
    _edit_file(parcel, "contract.toml", 'test = "[^"]*"', 'test = "short"')
    _edit_file(parcel, "contract.toml", "requests = 120", "requests = 0")
    _edit_file(parcel, "overlay.yaml", r"operationId: listLabels", "summary: Every label")
    assert len(find_gaps(Contract("parcel", parcel.root))) == 3


def test_two_contracts_at_one_address_are_reported(parcel: Contract) -> None:
    """One mock serves all vendors, so no two contracts may declare the same path or variable."""
    shutil.copytree(parcel.directory, parcel.root / "contracts" / "parcels")
    lines = find_gaps(Contract("parcel", parcel.root))
    assert any("both declare /api/v2/labels" in line for line in lines)
    assert not any("parcels/" in line for line in lines)


def test_a_plan_beyond_the_allowance_is_a_note(parcel: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """It is no gap, names the argument with the most requests, and says what to do; a plan that fits has none."""
    assert main([], parcel.root) == 0
    assert capsys.readouterr().out == ""
    _edit_file(parcel, "mutants.toml", "requests = 190", "requests = 90")
    assert main([], parcel.root) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert re.match(
        r"note: contracts/parcel: a run plans 9\d requests, more than 90; \d+ requests are about \w+: \w+; ", line
    )
    assert "raise `requests` in mutants.toml" in line


def test_command_tells_all_and_ends_1(parcel: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints nothing and exits with 0 if every contract is complete.

    It prints a line for each directory that the registry ignores and exits with 1, or with 3 for an unknown vendor.
    """
    assert main([], parcel.root) == 0
    assert capsys.readouterr().err == ""
    (parcel.root / "contracts/Big-Mail").mkdir()
    (parcel.root / "contracts/Big-Mail/contract.toml").touch()
    (parcel.root / "contracts/half").mkdir()
    (parcel.root / "contracts/half/model.py").touch()
    assert main([], parcel.root) == 1
    assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == [
        "contracts/Big-Mail",
        "contracts/half",
    ]
    assert main(["--vendor", "nobody"], parcel.root) == 3
