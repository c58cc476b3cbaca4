"""The type checkers that other teams use, run over the generated packages and over code that uses them."""

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from contract_watch.contracts.registry import ROOT, load_contracts
from tests.support.interop import environments

CONSUMERS = sorted((ROOT / "typing_tests").glob("*.py"))
_MARK = re.compile(r"# expect-error: \S")
_TIMEOUT = 300

Problems = Mapping[str, Mapping[int, str]]
"""The first message for each line, by file name."""


def list_client_directories() -> list[Path]:
    """List the directories that hold the packages."""
    return [ROOT / "generated" / slug / "client" for slug in load_contracts()]


def _list_import_paths() -> list[Path]:
    return [*list_client_directories(), ROOT]


def list_packages() -> list[Path]:
    """List the generated packages."""
    return [path / f"{path.parent.name}_client" for path in list_client_directories()]


def list_expected_errors(consumer: Path) -> set[int]:
    """List the lines that a type checker must report."""
    lines = consumer.read_text(encoding="utf-8").splitlines()
    return {number for number, line in enumerate(lines, start=1) if _MARK.search(line)}


def run_mypy(paths: Sequence[Path], scratch: Path) -> Problems:
    """Run ``mypy --strict`` on ``paths``, without this repository's configuration."""
    environment = {**os.environ, "MYPYPATH": os.pathsep.join(map(str, _list_import_paths()))}
    options = [
        "--strict",
        "--config-file=",
        "--output=json",
        "--follow-imports=silent",
        f"--cache-dir={scratch / 'mypy'}",
    ]
    found = [json.loads(line) for line in _run([sys.executable, "-m", "mypy", *options], paths, scratch, environment).splitlines()]  # fmt: skip
    return _collect((one["file"], one["line"], one["message"]) for one in found if one["severity"] == "error")


def run_pyright(node: Path, paths: Sequence[Path], scratch: Path, mode: str) -> Problems:
    """Run pyright on ``paths``; ``mode`` is its ``typeCheckingMode``."""
    configuration = {"typeCheckingMode": mode, "extraPaths": list(map(str, _list_import_paths()))}
    (scratch / "pyrightconfig.json").write_text(json.dumps(configuration), encoding="utf-8")
    program = environments.PYRIGHT_DIRECTORY / "node_modules" / "pyright" / "index.js"
    output = _run([str(node), str(program), "--outputjson", "--pythonpath", sys.executable], paths, scratch, os.environ)
    found: list[dict[str, Any]] = json.loads(output)["generalDiagnostics"]
    return _collect(
        (one["file"], one["range"]["start"]["line"] + 1, one["message"])
        for one in found if one["severity"] in ("error", "warning")
    )  # fmt: skip


def _run(command: Sequence[str], paths: Sequence[Path], scratch: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(  # noqa: S603 - type checkers, on files of our own
        [*command, *map(str, paths)], cwd=scratch, env=environment, capture_output=True, text=True,
        timeout=_TIMEOUT, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr or done.stdout
    assert done.stderr == ""
    return done.stdout


def _collect(found: Iterator[tuple[str, int, str]]) -> Problems:
    problems: dict[str, dict[int, str]] = defaultdict(dict)
    for file, line, message in found:
        problems[Path(file).name].setdefault(line, message)
    return problems
