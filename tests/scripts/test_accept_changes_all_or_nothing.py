"""`make accept` takes over the vendor's new document with all its consequences, or changes nothing at all."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contract_watch.commands import accept_document
from contract_watch.commands.accept_document import main
from contract_watch.commands.watch_documents import main as drift
from contract_watch.contracts.registry import ROOT, Contract
from contract_watch.diff import atomic_replacement as swapping
from contract_watch.diff.changelog import insert_line
from contract_watch.diff.document.document_cache import compute_digest
from contract_watch.generator.outputs import find_stale_files
from tests.support.contract_root import (
    SLUG,
    add_property,
    find_username_schema,
    hash_files,
    make_document,
    shorten_names,
    write_document,
)
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.usefixtures("remembered_clients")

REPLACED = ["CHANGELOG.md", "contracts/jetemail/accepted.toml", "generated/jetemail", "openapi.json"]


def run_accept(contract: Contract, *arguments: str) -> int:
    """Run the command and return its status."""
    return main(["--vendor", SLUG, *arguments], contract.root)


def test_a_document_is_taken_over_whole(contract: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """One command stores the operations under contract and generates the client with the next version.

    It also records the old digest and adds a line below the vendor's heading in the changelog. No drift remains, and a
    second call changes nothing. The document has a breaking and an additive change, and a file name of any characters.
    """
    old = (contract.root / "openapi.json").read_bytes()
    name = "now \U0001f600 '$(x)\"\x9b.json"
    file = write_document(contract.root.parent, make_document(contract, shorten_names, add_property), name)
    assert run_accept(contract, "--published", file) == 0
    assert "1.0.0 -> 2.0.0" in capsys.readouterr().out
    fresh = Contract(SLUG, contract.root)
    assert find_username_schema(dict(fresh.published.raw))["maxLength"] == 5
    assert list(fresh.published.raw["paths"]) == ["/outbound/smarthost"]
    assert "Domain" not in fresh.published.raw["components"].get("schemas", {})
    (entry,) = fresh.accepted_documents
    assert entry.replaced == compute_digest(old)
    assert (entry.source, entry.client) == (name, "2.0.0")
    assert fresh.effective.raw["info"]["version"] == "2.0.0"
    assert 'version = "2.0.0"' in (contract.root / "generated/jetemail/client/pyproject.toml").read_text(
        encoding="utf-8"
    )
    assert find_stale_files([fresh], contract.root / "generated") == []
    changelog = (contract.root / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "### JetEmail\n\n- 20" in changelog
    assert "maxLength changed from 64 to 5" in changelog
    assert (
        drift(["--vendor", SLUG, "--published", file, "--out", str(contract.root.parent / "out")], contract.root) == 0
    )
    assert list_leftovers(contract) == []
    before = hash_files(contract.root)
    assert run_accept(contract, "--published", file) == 0
    assert "nothing to take over" in capsys.readouterr().out
    assert hash_files(contract.root) == before


def list_leftovers(contract: Contract) -> list[str]:
    """List the untracked files that a finished command leaves in the root."""
    return [path.name for path in contract.root.iterdir() if path.name == swapping.STAGING_DIRECTORY]


def test_what_is_taken_over_is_what_was_looked_at(contract: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is accepted unseen. Without a comparison the command refuses.

    Afterwards it takes the compared document, even if the file has changed since.
    """
    before = hash_files(contract.root)
    assert run_accept(contract) == 3
    assert "make drift VENDOR=jetemail" in capsys.readouterr().err
    assert hash_files(contract.root) == before
    file = write_document(contract.root.parent, make_document(contract, add_property))
    drift(["--vendor", SLUG, "--published", file, "--out", str(contract.root.parent / "out")], contract.root)
    assert hash_files(contract.root) == before
    write_document(contract.root.parent, make_document(contract, shorten_names))
    assert run_accept(contract) == 0
    assert Contract(SLUG, contract.root).accepted_documents[-1].client == "1.1.0"


def _move_operation(document: dict[str, Any]) -> None:
    """Remove the target of an overlay's action."""
    document["paths"]["/v2/smarthost"] = document["paths"].pop("/outbound/smarthost")


def _split_schema(document: dict[str, Any]) -> None:
    """Remove one of the matches of an overlay's action."""
    del document["paths"]["/outbound/smarthost"]["patch"]


def _break_for_generator(document: dict[str, Any]) -> None:
    """Make a document that the generator rejects."""
    find_username_schema(document)["enum"] = ["a-b", "a_b"]


def _add_dangling_reference(document: dict[str, Any]) -> None:
    """Make a file that is no document."""
    find_username_schema(document)["$ref"] = "#/components/schemas/Nowhere"


@pytest.mark.parametrize("edit", [_move_operation, _split_schema, _break_for_generator, _add_dangling_reference])
def test_what_cannot_be_taken_over_changes_nothing(
    contract: Contract, edit: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The overlay, the generator or the parser refuses the document: status 3 with the reason."""
    before = hash_files(contract.root)
    assert run_accept(contract, "--published", write_document(contract.root.parent, make_document(contract, edit))) == 3
    assert capsys.readouterr().err.startswith("error: ")
    assert hash_files(contract.root) == before
    assert list_leftovers(contract) == []


def test_a_document_that_cannot_be_fetched_changes_nothing(
    contract: Contract, capsys: pytest.CaptureFixture[str]
) -> None:
    """An outage is no wrong usage: 2 and one line; an interruption, which leaves the same question open, ends 2 too."""
    before = hash_files(contract.root)
    assert run_accept(contract, "--published", "http://127.0.0.1:9/openapi.json") == 2
    err = capsys.readouterr().err
    assert err.splitlines()[-1].startswith("error: http://127.0.0.1:9/openapi.json: ")
    assert hash_files(contract.root) == before
    assert list_leftovers(contract) == []


def test_an_overlay_that_does_not_fit_is_reported_edit_by_edit(
    contract: Contract, capsys: pytest.CaptureFixture[str]
) -> None:
    """An operation is gone: the error names every action without a target, and the edit it needs."""
    assert (
        run_accept(
            contract, "--published", write_document(contract.root.parent, make_document(contract, _split_schema))
        )
        == 3
    )
    errors = capsys.readouterr().err
    assert "overlay.yaml: action" in errors
    assert errors.count("\n  action ") >= 2


def test_the_overlay_may_be_edited_first(contract: Contract) -> None:
    """The vendor made an action superfluous, and the author removes it.

    The overlay no longer fits the stored document, and the new document is accepted all the same.
    """

    def said(document: dict[str, Any]) -> None:
        document["paths"]["/outbound/smarthost"]["post"]["operationId"] = "createSmtpUser"

    file = write_document(contract.root.parent, make_document(contract, said))
    assert run_accept(contract, "--published", file) == 3
    overlay = contract.directory / "overlay.yaml"
    text = overlay.read_text(encoding="utf-8")
    begin = text.index("  - target: $.paths['/outbound/smarthost'].post\n")
    overlay.write_text(text[:begin] + text[text.index("  - target:", begin + 5) :], encoding="utf-8")
    assert run_accept(contract, "--published", file) == 0


def test_an_operation_that_has_moved_can_be_followed(contract: Contract) -> None:
    """The targets of the overlay decide which operations are under contract.

    A path moved, and the author edits the overlay: the operations are taken over there, and the client gets a major
    version.
    """
    file = write_document(contract.root.parent, make_document(contract, _move_operation))
    assert run_accept(contract, "--published", file) == 3
    overlay = contract.directory / "overlay.yaml"
    text = overlay.read_text(encoding="utf-8")
    overlay.write_text(text.replace("'/outbound/smarthost'", "'/v2/smarthost'"), encoding="utf-8")
    assert run_accept(contract, "--published", file) == 0
    fresh = Contract(SLUG, contract.root)
    assert set(fresh.published.raw["paths"]) == {"/v2/smarthost"}
    assert {one.path for one in fresh.operations.values()} == {"/v2/smarthost"}
    assert fresh.accepted_documents[-1].client == "2.0.0"


@pytest.mark.parametrize("number", [0, 2, 4, 6, 7])
def test_a_failure_in_the_middle_puts_everything_back(
    contract: Contract, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The n-th rename fails: the status is 2, and every file is as it was."""
    before = hash_files(contract.root)
    moves = _fail_on_rename(monkeypatch, number)
    status = run_accept(
        contract, "--published", write_document(contract.root.parent, make_document(contract, shorten_names))
    )
    assert (status, hash_files(contract.root) == before) == ((0, False) if number >= len(moves) else (2, True))
    assert list_leftovers(contract) == []


def _fail_on_rename(monkeypatch: pytest.MonkeyPatch, number: int) -> list[str]:
    """Have the ``number``-th renaming of what is swapped fail; gives the names of all so far."""
    names: list[str] = []
    rename = Path.rename

    def failing(self: Path, target: Any) -> Path:
        if swapping.STAGING_DIRECTORY in f"{self.parent}{target}" and ".jetemail-" not in f"{self}{target}":
            names.append(str(self))
            if len(names) == number + 1:
                raise OSError(28, "No space left on device", str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    return names


_KILLING_SCRIPT = """
import os, pathlib, signal, sys
from contract_watch.diff import atomic_replacement
number, rename, count = int(sys.argv[1]), pathlib.Path.rename, 0
def dying(self, target):
    global count
    if atomic_replacement.STAGING_DIRECTORY in f"{self.parent}{target}" and ".jetemail-" not in f"{self}{target}":
        count += 1
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)
    return rename(self, target)
pathlib.Path.rename = dying
from contract_watch.commands.accept_document import main
sys.exit(main(["--vendor", "jetemail", "--published", sys.argv[2]], pathlib.Path(sys.argv[3])))
"""


@pytest.mark.parametrize("number", [1, 4, 6])
def test_a_killed_process_is_undone_by_the_next_command(contract: Contract, number: int) -> None:
    """After SIGKILL before the n-th rename, the next command of any kind restores every file."""
    before = hash_files(contract.root)
    file = write_document(contract.root.parent, make_document(contract, shorten_names))
    command = [sys.executable, "-c", _KILLING_SCRIPT, str(number), file, str(contract.root)]
    done = subprocess.run(  # noqa: S603 - this interpreter, and code of our own
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=PATIENCE, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert (contract.root / swapping.STAGING_DIRECTORY / "list.json").exists()
    assert (
        drift(["--vendor", SLUG, "--published", file, "--out", str(contract.root.parent / "out")], contract.root) == 1
    )
    assert hash_files(contract.root) == before
    assert list_leftovers(contract) == []


@pytest.mark.parametrize("text", ["{", "[1]", "null", '{"../x": false}', '{"/etc/x": false}', '{"openapi.json": "x"}'])
def test_a_list_that_is_spoilt_undoes_nothing(
    contract: Contract, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A killed `make accept` left a malformed list: status 3, one line, no file changes."""
    listed = contract.root / ".accept" / "list.json"
    listed.parent.mkdir()
    listed.write_text(text, encoding="utf-8")
    (contract.root.parent / "x").write_text("mine", encoding="utf-8")
    before = hash_files(contract.root)
    assert drift(["--vendor", SLUG, "--out", str(contract.root.parent / "out")], contract.root) == 3
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert hash_files(contract.root) == before
    assert listed.exists()
    assert (contract.root.parent / "x").exists()


def test_two_at_once_wait_for_nobody(contract: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """Another process is accepting a document: status 3, one line, and its files are left alone."""
    with swapping.staging_directory(contract.root) as scratch:
        (scratch / "mine").write_text("x", encoding="utf-8")
        assert not swapping.restore_backup(contract.root)
        assert (
            run_accept(
                contract, "--published", write_document(contract.root.parent, make_document(contract, add_property))
            )
            == 3
        )
        assert "another `make accept` is running" in capsys.readouterr().err
        assert (scratch / "mine").exists()


@pytest.mark.parametrize("text", ["a = [", "accepted = 1", "[[accepted]]"])
def test_what_is_spoilt_is_reported_by_its_own_name(
    contract: Contract, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`accepted.toml` is malformed: the error is one line with its path, not the path of a temporary copy."""
    (contract.directory / "accepted.toml").write_text(text, encoding="utf-8")
    assert (
        run_accept(contract, "--published", write_document(contract.root.parent, make_document(contract, add_property)))
        == 3
    )
    assert capsys.readouterr().err.startswith(f"error: {contract.directory / 'accepted.toml'}: ")


def test_an_effective_document_that_is_none_is_one_line(contract: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """The generated document is damaged: one line names the command that restores it."""
    (contract.root / "generated" / SLUG / "openapi.json").write_text("[]", encoding="utf-8")
    assert (
        run_accept(contract, "--published", write_document(contract.root.parent, make_document(contract, add_property)))
        == 3
    )
    assert "run `make generate`" in capsys.readouterr().err


def test_an_interruption_at_the_end_undoes_nothing(
    contract: Contract, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An interruption after the last rename exits with 0 and does not claim that nothing changed."""

    def interrupted(_contract: Contract) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(accept_document, "find_gaps", interrupted)
    before = hash_files(contract.root)
    assert (
        run_accept(contract, "--published", write_document(contract.root.parent, make_document(contract, add_property)))
        == 0
    )
    assert hash_files(contract.root) != before
    printed = capsys.readouterr()
    assert "as it was" not in printed.err
    assert "make check-contracts VENDOR=jetemail" in printed.out


def test_one_vendor_is_named(contract: Contract, capsys: pytest.CaptureFixture[str]) -> None:
    """No vendor, `all` and an unknown one exit with 3 and one line."""
    for arguments in ([], ["--vendor", "all"], ["--vendor", "nobody"], ["--vendor"]):
        assert main(arguments, contract.root) == 3
        assert len(capsys.readouterr().err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("# C\n\n## [Unreleased]\n\n### Added\n\n- a\n\n## [1]\n", "# C\n\n## [Unreleased]\n\n### Added\n\n- a\n\n### V\n\n- l\n\n## [1]\n"),
        ("## [Unreleased]\n\n### V\n\n- k\n", "## [Unreleased]\n\n### V\n\n- l\n- k\n"),
        ("# C\n\n## [1]\n\n### V\n\n- k\n", "# C\n\n## [Unreleased]\n\n### V\n\n- l\n\n## [1]\n\n### V\n\n- k\n"),
        ("# C\n", "# C\n## [Unreleased]\n\n### V\n\n- l\n"),
    ],
)  # fmt: skip
def test_a_line_goes_under_the_vendors_heading(text: str, wanted: str) -> None:
    """The newest line comes first in the unreleased section; missing headings are added."""
    assert insert_line(text, "V", "l") == wanted
