"""The code, contracts and libraries that decide a result: the same on all machines of a cluster, or the part is refused."""

import hashlib
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

import contract_watch
from contract_watch.contracts.directories import SUITE
from contract_watch.contracts.registry import load_contracts

_LIBRARIES = ("distributed", "hypothesis", "httpx", "jsonschema-rs", "schemathesis")
"""The libraries whose version a result may depend on; requirements.lock pins them."""


def describe_checkout() -> dict[str, str]:
    """Return a version or a digest for each thing that has to be the same where a part runs."""
    found = {"Python": f"{sys.version_info.major}.{sys.version_info.minor}"}
    found |= {name: _find_version(name) for name in _LIBRARIES}
    found["contract_watch/"] = _hash_files(Path(contract_watch.__file__).parent)
    found["contract_tests/"] = _hash_files(SUITE)
    contracts = load_contracts()
    for name, directories in (
        ("contracts/", {slug: one.directory for slug, one in contracts.items()}),
        ("generated/", {slug: one.output_directory for slug, one in contracts.items()}),
    ):
        found[name] = _hash(
            {f"{slug}/{_name(path, own)}": path for slug, own in directories.items() for path in _list_files(own)}
        )
    found["published documents"] = _hash(
        {slug: one.published_file for slug, one in contracts.items() if one.published_file.is_file()}
    )
    return found


def find_difference(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """Return the first difference in words; an empty string if there is none."""
    for name, value in here.items():
        if there.get(name) != value:
            return f"{name}: {there.get(name, 'nothing')} there, {value} here"
    return ""


def _find_version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "none"


def _hash_files(directory: Path) -> str:
    return _hash({_name(path, directory): path for path in _list_files(directory)})


def _name(path: Path, directory: Path) -> str:
    return path.relative_to(directory).as_posix()


def _list_files(directory: Path) -> Iterator[Path]:
    """Yield the files below ``directory`` in a fixed order, without hidden ones and those that tools leave."""
    for path in sorted(directory.rglob("*")):
        parts = path.relative_to(directory).parts
        is_left = any(part.startswith(".") or part == "__pycache__" or part.endswith(".egg-info") for part in parts)
        if path.is_file() and not is_left and path.suffix != ".pyc":
            yield path


def _hash(files: Mapping[str, Path]) -> str:
    """Return the digest of files by name: their directories may differ from machine to machine."""
    found = hashlib.sha256()
    for name, path in files.items():
        content = path.read_bytes()
        found.update(f"{name}\0{len(content)}\0".encode())
        found.update(content)
    return found.hexdigest()[:16]
