"""The rules of the repository: import layers, vendor names, length of modules."""

import ast
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from contract_watch.contracts.registry import ROOT, load_contracts

PACKAGES = (
    "contract_watch",
    "contracts",
    "contract_tests",
    "scripts",
    "tests",
    "typing_tests",
    "generated",
)
# From the ground up: each layer imports itself and those of the rows above it in this table.
_LAYER_ROWS = (
    ("contract_watch.addresses", "contract_watch.errors", "contract_watch.escaping"),
    ("contract_watch.cli", "contract_watch.net", "contract_watch.suggestions"),
    ("contract_watch.contracts",),
    ("contracts", "contract_watch.report", "contract_watch.generator"),
    ("contract_watch.history", "contract_watch.shapes"),
    ("contract_watch.diff", "contract_watch.mock"),
    ("contract_watch.engine.protocols",),
    ("contract_watch.engine.planning",),
    ("contract_watch.engine.judging",),
    ("contract_watch.engine.account",),
    ("contract_watch.engine.running",),
    ("contract_watch.engine.fleet",),
    ("contract_watch.engine.exploring",),
    ("contract_watch.engine.command",),
    ("contract_watch.engine",),
    ("contract_watch.nights",),
    ("contract_watch.mutants",),
    ("contract_watch.authoring",),
    ("contract_watch.commands",),
    ("contract_watch.testing",),
    ("contract_watch.__main__", "contract_watch.mock.__main__"),
    ("contract_tests",),
    ("scripts",),
    ("tests",),
)
LAYERS = {name: level for level, row in enumerate(_LAYER_ROWS) for name in row}
MAX_LINES = 400


def _list_files() -> list[PurePosixPath]:
    """Every file that is tracked, or would be if somebody added all."""
    git = shutil.which("git")
    assert git is not None
    command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603 (our own)
    return [PurePosixPath(name) for name in sorted(set(found.split("\0"))) if name and (ROOT / name).is_file()]


FILES = _list_files()
MODULES = [path for path in FILES if path.suffix == ".py"]


def _read_text(path: PurePosixPath) -> str | None:
    """Read a text file; return None for others."""
    content = (ROOT / path).read_bytes()
    return None if b"\0" in content else content.decode("utf-8", "replace")


def _find_imports(path: PurePosixPath, source: str) -> Iterator[str]:
    """List the full name of every module that ``source``, at ``path``, imports; relative names are resolved."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = path.parent.parts[: len(path.parent.parts) - node.level + 1] if node.level else ()
            yield ".".join([*above, *([node.module] if node.module else [])])


def _layer(name: str) -> str | None:
    """Return the layer that the module or package ``name`` belongs to, or None if it is not ours."""
    parts = name.split(".")
    prefixes = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((prefix for prefix in prefixes if prefix in LAYERS), None)


def _find_upward_imports(path: PurePosixPath, source: str) -> list[str]:
    """Return the imports in ``source`` that lead from the layer of ``path`` to one that is not below it."""
    if path.parts[0] == "generated":
        package = ".".join(path.parts[:4])
        ours = (name for name in _find_imports(path, source) if name.split(".")[0] in PACKAGES)
        return sorted(name for name in ours if not name.startswith(package))
    own = _layer(".".join(path.with_suffix("").parts))
    assert own is not None, f"{path} belongs to no layer"
    found = ((name, _layer(name)) for name in _find_imports(path, source))
    return sorted(
        name
        for name, layer in found
        if name.startswith("generated.") or (layer is not None and layer != own and LAYERS[layer] >= LAYERS[own])
    )


def _exists(layer: str) -> bool:
    path = ROOT / layer.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()


@pytest.mark.parametrize("layer", [name for name in LAYERS if _exists(name)])
def test_imports_run_one_way(layer: str) -> None:
    """A module imports only its own layer and those below it."""
    modules = [path for path in MODULES if _layer(".".join(path.with_suffix("").parts)) == layer]
    assert modules
    found = {str(path): _find_upward_imports(path, (ROOT / path).read_text(encoding="utf-8")) for path in modules}
    assert {path: names for path, names in found.items() if names} == {}


def test_generated_clients_import_nothing_of_ours() -> None:
    """A client package imports only its own modules and libraries."""
    modules = [path for path in MODULES if path.parts[0] == "generated"]
    assert modules
    found = {str(path): _find_upward_imports(path, (ROOT / path).read_text(encoding="utf-8")) for path in modules}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("path", "source", "upward"),
    [
        ("contract_watch/contracts/x.py", "import contract_watch.report.escaping", ["contract_watch.report.escaping"]),
        ("contract_watch/contracts/x.py", "from contracts.a import model", ["contracts.a"]),
        ("contracts/a/x.py", "from contract_watch.mock import app", ["contract_watch.mock"]),
        ("contracts/a/x.py", "from .model import Outcome", []),
        (
            "contract_watch/diff/x.py",
            "def f():\n    from contract_watch.mock.app import Mock",
            ["contract_watch.mock.app"],
        ),
        ("contract_watch/mock/x.py", "import json, contract_tests", ["contract_tests"]),
        ("contract_watch/mock/x.py", "import json, contract_watch.errors", []),
        ("scripts/x.py", "import tests.support", ["tests.support"]),
        ("scripts/x.py", "import generated.a", ["generated.a"]),
        ("generated/a/client/a_client/api/b/x.py", "from ..models.y import Z\nfrom ...types import W", []),
        ("generated/a/client/a_client/x.py", "from contracts import errors", ["contracts"]),
        ("generated/a/client/a_client/x.py", "from ... import client", ["generated.a"]),
    ],
)
def test_import_rule_finds_what_it_looks_for(path: str, source: str, upward: list[str]) -> None:
    """The rule above can fail: it finds each kind of import that leads upward."""
    assert _find_upward_imports(PurePosixPath(path), source) == upward


def test_every_module_is_in_a_package() -> None:
    """Outside the packages no rule would apply to a module."""
    assert [str(path) for path in MODULES if path.parts[0] not in {*PACKAGES}] == []


def _may_name_vendor(path: PurePosixPath, slug: str) -> bool:
    """Return True if this file may spell that vendor's name."""
    if path.parts[:2] in {("contracts", slug), ("generated", slug)} or path.parts[0] in (
        "tests",
        "typing_tests",
        "docs",
    ):
        return True
    free = {"README.md", "CHANGELOG.md", "openapi.json", ".gitattributes", f"contract_tests/quirks/test_{slug}.py"}
    return str(path) in free


@pytest.mark.parametrize("slug", list(load_contracts()))
def test_only_its_own_files_name_a_vendor(slug: str) -> None:
    """A new vendor adds files and edits none, so no other file has its slug or name in content or path."""
    words = re.compile(f"{re.escape(slug)}|{re.escape(load_contracts()[slug].name)}", re.IGNORECASE)
    others = [path for path in FILES if not _may_name_vendor(path, slug)]
    assert 0 < len(others) < len(FILES)
    assert [str(path) for path in others if words.search(str(path)) or words.search(_read_text(path) or "")] == []


def test_one_module_alone_makes_grpc_channels() -> None:
    """The core of gRPC opens connections that no sandbox sees, so one module of the suite imports it."""
    having = {
        str(p)
        for p in MODULES
        if p.parts[:2] == ("contract_watch", "engine")
        and re.search(r"^\s*(import|from) grpc\b", (ROOT / p).read_text(), re.MULTILINE)
    }
    assert having == {"contract_watch/engine/protocols/grpc_protocols.py"}


def test_no_module_is_longer_than_400_lines() -> None:
    """A module is short enough to be read at once; generated ones do not count."""
    lengths = {str(p): len((ROOT / p).read_bytes().splitlines()) for p in MODULES if p.parts[0] != "generated"}
    assert {path: length for path, length in lengths.items() if length > MAX_LINES} == {}


def _normalize_name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _parse_lock(text: str) -> dict[str, tuple[str, int]]:
    """Version and number of hashes of each requirement of a lock, by canonical name."""
    found = {}
    for entry in re.sub(r"\\\n", " ", text).splitlines():
        line = entry.split("#")[0].strip()
        if line:
            pinned = re.match(r"(?P<name>[\w.-]+)(\[[\w,-]+\])?==(?P<version>[^\s;]+)", line)
            assert pinned is not None, f"{line!r} pins no version"
            found[_normalize_name(pinned["name"])] = (
                pinned["version"],
                len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", line)),
            )
    return found


def test_lock_holds_every_dependency_by_hash() -> None:
    """A run installs the reviewed packages from any index.

    The lock has no URL, a version and hashes for each requirement, and every dependency of pyproject.toml.
    """
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*-(?!-hash)", text, re.MULTILINE)
    locked = _parse_lock(text)
    assert [name for name, (_, hashes) in locked.items() if not hashes] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for dependency in project["dependencies"]:
        name, exact = re.match(r"([\w.-]+)(?:\[[^\]]*\])?(?:==([\w.]+))?", dependency).groups()  # type: ignore[union-attr]
        assert _normalize_name(name) in locked, dependency
        assert exact in (None, locked[_normalize_name(name)][0]), dependency


# Written in parts, so that this file does not hold what it looks for.
_MACHINE_PATHS = [f"/{'home'}/", f"/{'Users'}/", f"/{'root'}/", f"/{'work'}/", f"..{'/shared'}"]


def test_lock_files_name_no_host() -> None:
    """Hashes identify the packages, and any index may serve them. No lock file has a URL, not even for funding."""
    locks = [path for path in FILES if path.suffix == ".lock" or path.name == "package-lock.json"]
    assert len(locks) >= 4
    assert [str(path) for path in locks if "://" in (_read_text(path) or "")] == []


def _find_machine_paths(text: str) -> list[str]:
    """Find paths of somebody's machine; an address on the web is none."""
    without_addresses = re.sub(r"\b\w+://[^\s\"'<>)`]+", "", text)
    return [place for place in _MACHINE_PATHS if place in without_addresses]


def test_no_file_knows_a_machine() -> None:
    """The repository works anywhere: no file contains a path of one person's machine."""
    found = {str(path): _find_machine_paths(_read_text(path) or "") for path in FILES}
    assert {path: places for path, places in found.items() if places} == {}
    assert (
        _find_machine_paths(f"see {_MACHINE_PATHS[0]}x and https://example.com{_MACHINE_PATHS[3]}x")
        == _MACHINE_PATHS[:1]
    )


def test_every_package_has_its_rule() -> None:
    """Every package with a layer exists, so that no rule above runs over nothing."""
    assert [room for room in PACKAGES if not (Path(ROOT) / room).is_dir() and room in LAYERS] == []
