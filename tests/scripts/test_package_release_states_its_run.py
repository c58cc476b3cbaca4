"""The package's release: its README states a contract run that took place, and nothing is built after a drift."""

import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path

import pytest

from contract_watch.contracts.registry import ROOT, load_contracts
from scripts.release.builds import ReleaseError
from scripts.release.contract_run import (
    BEGIN,
    END,
    CheckedVendor,
    check_runs,
    format_statement,
    read_statement,
    run_suite,
    write_statement,
)
from scripts.release_package import copy_sources, main, read_version, release

VERSION = read_version(ROOT)
CHECKED = CheckedVendor("jetemail", "JetEmail", ("rest",), "none", 153, 153, 346, "2026-11-30")
STATEMENT = format_statement(VERSION, [replace(CHECKED, date="2026-12-24")])
_LINE = re.compile(r"- ([\w ]+), over ([\w, -]+): `none`, (\d+) of (\d+) clauses checked with (\d+) requests")


def _copy_checkout(into: Path, slug: str) -> Path:
    """Copy everything that a release reads, with one contract, into a git repository."""
    git = shutil.which("git")
    assert git is not None
    command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603 (git)
    heads = ("contract_watch", "contract_tests", "scripts", "openapi.json", "pyproject.toml", "README.md", "LICENSE")
    own = (f"contracts/{slug}/", f"generated/{slug}/")
    for name in listed.split("\0"):
        if name and (name.split("/")[0] in heads or name.startswith(own)) and (ROOT / name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, into / name)
    for more in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run([git, *more], cwd=into, check=True)  # noqa: S603 (git)
    return into


def test_the_readme_states_the_run_of_this_version() -> None:
    """The statement has a date, this version, and for each vendor the protocols, verdict none and counts."""
    statement = read_statement((ROOT / "README.md").read_text(encoding="utf-8"))
    assert statement is not None
    head, *lines = [line for line in statement.splitlines() if line]
    assert re.fullmatch(rf"On 20\d\d-\d\d-\d\d the mock of version {re.escape(VERSION)} passed the suite .*:", head)
    rows = {found[1]: found for line in lines if (found := _LINE.fullmatch(line))}
    contracts = load_contracts().values()
    assert list(rows) == [one.name for one in contracts]
    assert len(lines) == len(rows)
    for one in contracts:
        assert len(rows[one.name][2].split(", ")) == len(one.protocols)
        assert 0 < int(rows[one.name][3]) <= int(rows[one.name][4])
        assert int(rows[one.name][5]) > 0


def test_a_statement_replaces_the_last_one(tmp_path: Path) -> None:
    """Everything around it stays; a page with no place for it, or with two, is refused."""
    page = tmp_path / "README.md"
    page.write_text(f"# A\n\n{BEGIN}\nold\n{END}\n\nB\n", encoding="utf-8")
    write_statement(page, format_statement("1.2.3", [CHECKED]))
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# A\n\n{BEGIN}\nOn 2026-11-30 the mock of version 1.2.3 passed")
    assert text.endswith(f"153 of 153 clauses checked with 346 requests\n{END}\n\nB\n")
    for broken in ("# A\n", text + text):
        page.write_text(broken, encoding="utf-8")
        with pytest.raises(ReleaseError, match=r"README\.md: must have one section"):
            write_statement(page, "new\n")
        assert page.read_text(encoding="utf-8") == broken


@pytest.mark.parametrize(
    ("checked", "problem"),
    [
        (replace(CHECKED, verdict="additive"), "the verdict on the mock must be none, got additive"),
        (replace(CHECKED, verdict="inconclusive"), "must be none, got inconclusive"),
        (replace(CHECKED, protocols=()), "must be checked over rest"),
        (replace(CHECKED, requests=0), "no request was sent"),
        (replace(CHECKED, slug="another"), "jetemail: was not checked"),
    ],
)
def test_any_other_result_is_refused(checked: CheckedVendor, problem: str) -> None:
    """A verdict, a vendor or a protocol that is missing ends the release."""
    check_runs([CHECKED], {"jetemail": ("rest",)})
    with pytest.raises(ReleaseError, match=problem):
        check_runs([checked], {"jetemail": ("rest",)})


def test_the_run_is_the_suites_own(tmp_path: Path) -> None:
    """The suite runs on the mock of the checkout; a mock that drifts ends the release before anything is written."""
    copy = _copy_checkout(tmp_path / "copy", "jetemail")
    (one,) = run_suite(copy, tmp_path / "out", ("--explore", "0"))
    assert (one.slug, one.verdict, one.protocols) == ("jetemail", "none", ("rest",))
    assert one.checked > 100
    assert one.requests > 100
    vendor = copy / "contract_watch" / "mock" / "vendor.py"
    text = vendor.read_text(encoding="utf-8")
    vendor.write_text(
        text.replace("return outcome.status, body", "return outcome.status + (outcome.status == 404), body")
    )
    before = (copy / "README.md").read_bytes()
    with pytest.raises(ReleaseError, match="jetemail: the verdict on the mock must be none, got breaking"):
        run_suite(copy, tmp_path / "drifted", ("--explore", "0"))
    assert ((copy / "README.md").read_bytes(), (copy / "dist").exists()) == (before, False)


def test_the_wheel_is_reproducible_and_serves_a_mock(tmp_path: Path) -> None:
    """Two builds have the same bytes; in a new environment, in an empty directory, the mock answers; sums are written."""
    copy = _copy_checkout(tmp_path / "copy", "jetemail")
    target = release(copy, VERSION, [Path(sys.executable)], STATEMENT, is_offline=True)
    names = sorted(path.name for path in target.iterdir())
    wheel = f"contract_watch-{VERSION}-py3-none-any.whl"
    assert names == ["SHA256SUMS", wheel, f"contract_watch-{VERSION}.tar.gz"]
    with zipfile.ZipFile(target / wheel) as archive:
        metadata = message_from_bytes(archive.read(f"contract_watch-{VERSION}.dist-info/METADATA"))
        entries = archive.read(f"contract_watch-{VERSION}.dist-info/entry_points.txt").decode()
    assert "On 2026-12-24 the mock of version" in str(metadata.get_payload())
    assert read_statement((copy / "README.md").read_text(encoding="utf-8")) == STATEMENT
    assert "[pytest11]\ncontract_watch = contract_watch.testing.pytest_plugin" in entries
    assert [path.name for path in target.parent.iterdir()] == ["contract-watch"]


def test_a_wheel_that_serves_nothing_is_refused(tmp_path: Path) -> None:
    """A package whose mock does not start leaves no distribution."""
    copy = _copy_checkout(tmp_path / "copy", "jetemail")
    (copy / "contracts" / "jetemail" / "contract.toml").write_text("name = 1\n", encoding="utf-8")
    before = (copy / "README.md").read_bytes()
    with pytest.raises(ReleaseError, match="the installed mock did not start"):
        release(copy, VERSION, [Path(sys.executable)], STATEMENT, is_offline=True)
    assert list((copy / "dist").iterdir()) == []
    assert (copy / "README.md").read_bytes() == before


def test_a_file_without_version_control_ends_the_release(tmp_path: Path) -> None:
    """A forgotten `.env` in a contract is in no distribution, and its path is named; an ignored file is left out."""
    copy = _copy_checkout(tmp_path / "copy", "jetemail")
    (copy / ".gitignore").write_text("*.log\n", encoding="utf-8")
    (copy / "contracts" / "jetemail" / "own.log").write_text("", encoding="utf-8")
    copy_sources(copy, tmp_path / "first")
    assert not (tmp_path / "first" / "contracts" / "jetemail" / "own.log").exists()
    (copy / "contracts" / "jetemail" / ".env").write_text("KEY=secret\n", encoding="utf-8")
    with pytest.raises(
        ReleaseError, match=r"contracts/jetemail/\.env: is not under version control; commit it, or remove"
    ):
        copy_sources(copy, tmp_path / "second")
    with pytest.raises(ReleaseError, match="is no git checkout"):
        copy_sources(tmp_path / "first", tmp_path / "third")


def test_another_version_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is named, so that nobody releases by accident."""
    assert main(["--version", "0.0.1"]) == 3
    assert f"--version: must be {VERSION}" in capsys.readouterr().err
