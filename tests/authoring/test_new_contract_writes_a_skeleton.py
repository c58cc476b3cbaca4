"""``make new-contract`` writes a skeleton that runs, or nothing at all."""

import errno
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import contracts as room
from contract_watch.authoring.completeness import find_gaps
from contract_watch.authoring.completeness_checks import REQUIRED_FILES
from contract_watch.authoring.skeleton import PLACEHOLDER
from contract_watch.commands.new_contract import main
from contract_watch.contracts.registry import ROOT, load_contracts
from contract_watch.generator.client_facts import format_banner

ACME = ["--slug", "acme", "--name", "Acme Mail"]


@pytest.fixture(name="root")
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a root without any contract, whose models can be imported."""
    (tmp_path / "contracts").mkdir()
    monkeypatch.setattr(room, "__path__", [*room.__path__, str(tmp_path / "contracts")])
    for name in [name for name in sys.modules if name.startswith("contracts.acme")]:
        monkeypatch.delitem(sys.modules, name)
    return tmp_path


def _list_files(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_skeleton_is_whole_and_says_what_is_next(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One command writes every file of a contract, and no other, for a new slug.

    It prints the next steps, and no placeholder of the template remains.
    """
    assert main(ACME, root) == 0
    assert _list_files(root) == sorted(f"contracts/acme/{name}" for name in (*REQUIRED_FILES, "published.json"))
    out, err = capsys.readouterr()
    assert err == ""
    assert "make contract VENDOR=acme" in out
    assert all(
        "@" not in (root / name).read_text(encoding="utf-8").replace("@dataclass", "") for name in _list_files(root)
    )


def test_fresh_skeleton_loads_and_lists_what_is_to_fill_in(root: Path) -> None:
    """`make test` lists each unwritten file of the skeleton and the client that nobody generated, and nothing else."""
    main(ACME, root)
    lines = find_gaps(load_contracts(root)["acme"])
    for name in (*REQUIRED_FILES, "published.json"):
        assert any(line.startswith(f"contracts/acme/{name}:") for line in lines), name
    others = [line for line in lines if "is still the skeleton's" not in line]
    assert others == [f"generated/acme/{name}: is missing; run `make generate`"
                      for name in ("client/acme_client/__init__.py", "openapi.json")]  # fmt: skip
    assert not any("\n" in line or str(root) in line for line in lines)


def test_skeleton_filled_in_is_a_contract(root: Path) -> None:
    """The skeleton without its placeholders is a complete contract.

    Its probes agree with its own mock and reach every rule and every response.
    """
    main(ACME, root)
    for name in _list_files(root):
        text = (root / name).read_text(encoding="utf-8")
        (root / name).write_text(text.replace(PLACEHOLDER, ""), encoding="utf-8")
    made = load_contracts(root)["acme"]
    client = root / "generated/acme/client/acme_client"
    client.mkdir(parents=True)
    (client / "__init__.py").touch()
    shown = {"x-generated": format_banner(made), **made.effective.raw}
    (root / "generated/acme/openapi.json").write_text(json.dumps(shown))
    assert find_gaps(made) == []


def test_skeleton_is_clean_by_our_own_rules(root: Path) -> None:
    """Ruff finds nothing in the skeleton, so the first `make test` reports the contract's gaps and not its style."""
    main(ACME, root)
    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--no-cache", "--config", str(ROOT / "pyproject.toml")]
        done = subprocess.run([*ruff, str(root / "contracts")], capture_output=True, text=True, check=False, cwd=ROOT)  # noqa: S603 (our own)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("slug", "name", "says"),
    [
        ("", "Acme", "required: --slug"),
        ("Acme", "Acme", "--slug must be"),
        ("acme-mail", "Acme", "--slug must be"),
        ("2acme", "Acme", "--slug must be"),
        ("../acme", "Acme", "--slug must be"),
        ("class", "Acme", "--slug must be"),
        ("acme", "", "required: --name"),
        ("acme", 'Ac"me', "--name must be"),
        ("acme", "Ac\nme", "--name must be"),
        ("acme", "A" * 61, "--name must be"),
        ("taken", "Acme", "contracts/taken: exists already"),
        ("made", "Acme", "generated/made: exists already"),
        ("word", "Acme", "--slug 'word' occurs in contract_watch/contracts/registry.py"),
        ("acme", "Words", "--name 'Words' occurs in contract_watch/contracts/registry.py"),
    ],
)
def test_refusal_is_one_line_and_writes_nothing(
    root: Path, slug: str, name: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command overwrites nothing and accepts no slug that cannot work.

    It exits with 3 for a slug or name that is malformed, taken, or used elsewhere in the code.
    """
    for directory in ("contracts/taken", "generated/made", "contract_watch/contracts"):
        (root / directory).mkdir(parents=True)
    (root / "contract_watch/contracts/registry.py").write_text("# Many WORDS.\n")
    before = sorted(root.rglob("*"))
    assert main(["--slug", slug, "--name", name], root) == 3
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert says in err
    assert sorted(root.rglob("*")) == before


def test_second_call_leaves_the_first_alone(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same slug a second time exits with 3 and preserves the author's edits."""
    assert main(ACME, root) == 0
    edited = root / "contracts/acme/contract.toml"
    edited.write_text("# mine\n")
    assert main(ACME, root) == 3
    assert edited.read_text() == "# mine\n"
    assert "contracts/acme: exists already" in capsys.readouterr().err


def test_full_disk_leaves_nothing_half_written(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A disk that is full at the second file leaves no directory. The command exits with 2 and prints one line."""
    real, written = Path.write_text, list[Path]()

    def full(path: Path, *arguments: Any, **more: Any) -> int:
        written.append(path)
        if len(written) == 2:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return real(path, *arguments, **more)

    monkeypatch.setattr(Path, "write_text", full)
    assert main(ACME, root) == 2
    assert capsys.readouterr().err.endswith("No space left on device; nothing was written\n")
    assert list((root / "contracts").iterdir()) == []


def test_missing_argument_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A call without a name exits with 3 and prints the correct command."""
    assert main(["--slug", "acme"]) == 3
    assert "make new-contract SLUG=<slug> NAME=<name>" in capsys.readouterr().err
    assert PLACEHOLDER.endswith(":")
