"""`make generate` writes the files that `make check-generated` compares.

test_client_packages_install_and_work.py tests the packages.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from contract_watch.commands.generate_clients import main
from contract_watch.contracts.registry import ROOT, Contract, load_contracts
from contract_watch.generator.client_facts import format_banner
from contract_watch.generator.outputs import find_stale_files, generate_outputs
from tests.support.clients.sample_client import BODY, DOCUMENT, read_files, write_sample_contract

GENERATED = ROOT / "generated"
EVERY = pytest.mark.parametrize("contract", load_contracts().values(), ids=load_contracts())


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    root = write_sample_contract(tmp_path)
    assert main([], root) == 0
    return root


def test_what_is_committed_is_what_the_contracts_generate() -> None:
    """A new generation equals the committed files."""
    assert find_stale_files(list(load_contracts().values()), GENERATED) == []


def test_check_names_every_difference_and_the_remedy(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One file differs, one is missing, and two are extra, one hidden and untracked and one of no contract.

    The check exits with 1, prints a line with a fix for each, and changes nothing. Before the edits it is silent and
    exits with 0.
    """
    assert main(["--check"], root) == 0
    directory = root / "generated"
    (directory / "sample/openapi.json").write_text("{}")
    (directory / "sample/client/sample_client/py.typed").unlink()
    (directory / "sample/client/.extra").write_text("")
    (directory / "other").mkdir()
    (directory / "other/openapi.json").write_text("{}")
    before = read_files(directory)
    assert main(["--check"], root) == 1
    assert capsys.readouterr().err.splitlines() == [
        "generated/other/openapi.json: comes from no contract; remove it",
        "generated/sample/client/.extra: comes from no contract; run `make generate`, which removes it",
        "generated/sample/client/sample_client/py.typed: is missing; run `make generate` and commit it",
        "generated/sample/openapi.json: differs from what its contract generates; run `make generate` and commit it",
    ]
    assert read_files(directory) == before


def test_one_vendor_can_be_generated_alone(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`make generate VENDOR=` restores one vendor's files, and neither reads nor reports another's.

    One file of the vendor differs, and another vendor's contract cannot be read.
    """
    changed = root / "generated/sample/openapi.json"
    before = changed.read_bytes()
    changed.write_text("{}")
    (root / "contracts/broken").mkdir()
    (root / "contracts/broken/contract.toml").write_text("name = ")
    (root / "generated/other").mkdir()
    (root / "generated/other/openapi.json").write_text("{}")
    assert main(["--check", "--vendor", "sample"], root) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("generated/sample/openapi.json: differs")
    assert main(["--vendor", "sample"], root) == 0
    assert changed.read_bytes() == before
    assert main(["--check", "--vendor", "sample"], root) == 0
    assert main(["--vendor", "broken"], root) == 3
    assert main(["--vendor", "nosuch"], root) == 3
    assert main([], root) == 3
    assert capsys.readouterr().err.count("\nerror: ") == 2


def test_a_refused_document_leaves_the_last_generation_alone(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A document that becomes invalid exits with 3 and one line. The old files stay complete."""
    before = read_files(root / "generated")
    (root / "published.json").write_text(json.dumps(DOCUMENT | {"info": {"title": "?", "version": "beta"}}))
    assert main([], root) == 3
    assert (
        capsys.readouterr().err
        == "error: sample: info.version must be a package version, got 'beta'; correct it in the overlay\n"
    )
    assert read_files(root / "generated") == before


@pytest.mark.parametrize(
    ("media_type", "schema", "reason"),
    [
        ("application/json", BODY | {"anyOf": [{"required": ["note"]}]}, "made no class for the body of addUser"),
        ("text/csv", BODY, "refuses the effective document"),
    ],
    ids=["in silence", "with a warning"],
)
def test_a_body_that_the_generator_gives_up_on_is_an_error(
    media_type: str, schema: dict[str, Any], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No operation loses its types silently: a body that the generator cannot parse exits with 3 and one line."""
    post = DOCUMENT["paths"]["/users"]["post"]
    changed = post | {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}
    paths = {"/users": DOCUMENT["paths"]["/users"] | {"post": changed}}
    assert main([], write_sample_contract(tmp_path, paths=paths)) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert reason in line


def test_wrong_usage_is_one_line_and_status_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown option gives no traceback."""
    assert main(["--chek"], tmp_path) == 3
    assert capsys.readouterr().err == "error: unrecognized arguments: --chek; --help lists the options\n"


@EVERY
def test_two_generations_are_the_same_bytes(
    contract: Contract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The output depends only on the contract, not on hash seeds, directories or the ruff settings around it."""
    monkeypatch.setenv("PYTHONHASHSEED", "1")
    generate_outputs(contract, tmp_path / "one")
    monkeypatch.setenv("PYTHONHASHSEED", "2")
    (tmp_path / "ignored").mkdir()
    (tmp_path / ".gitignore").write_text("*\n")
    (tmp_path / "ruff.toml").write_text("line-length = 40\n")
    monkeypatch.chdir(tmp_path)
    generate_outputs(contract, tmp_path / "ignored" / "two")
    assert read_files(tmp_path / "one") == read_files(tmp_path / "ignored" / "two")


@EVERY
def test_every_file_says_that_it_is_generated(contract: Contract) -> None:
    """A banner at its start protects each file from edits. Only gRPC's descriptors, which are binary, have none."""
    files = {name: text for name, text in read_files(GENERATED / contract.slug).items() if not name.endswith(".binpb")}
    assert files
    assert [name for name, text in files.items() if format_banner(contract) not in text.decode().split("\n\n")[0]] == []
    attributes = (ROOT / ".gitattributes").read_text().splitlines()
    assert "/generated/** linguist-generated=true" in attributes
