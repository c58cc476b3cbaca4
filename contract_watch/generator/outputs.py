"""The contents of `generated/<slug>/`: the effective document, its client package, gRPC descriptors."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from openapi_python_client.strings import PythonIdentifier

import contract_watch
from contract_watch.contracts.openapi import OpenApi
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.schema import resolve_reference
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text, format_json
from contract_watch.generator.client_facts import (
    build_basic_facts,
    build_facts,
    build_validation_schemas,
    format_banner,
)
from contract_watch.generator.client_templates import write_templates
from contract_watch.generator.configuration import (
    FIELD_PREFIX,
    SETTINGS,
    get_package_name,
    prepare_document,
)
from contract_watch.generator.descriptors import compile_protos
from contract_watch.generator.name_checks import find_problems

# No other configuration, no cache and no .gitignore, so that the bytes are the same on every machine.
# README.md is excluded, since ruff would reformat its example.
RUFF_OPTIONS = (
    "--isolated --no-cache --no-respect-gitignore --exclude README.md --line-length 120 --target-version py311"
)
POST_HOOKS = [f"ruff check --fix-only --select F,I,UP {RUFF_OPTIONS} .", f"ruff format {RUFF_OPTIONS} ."]
TRACEBACK = "Traceback (most recent call last)"
TIMEOUT = 300
"""Seconds that the generator may take for one contract."""
COMPARISON_TIMEOUT = 60
"""Seconds that the generator may take for a document that is only compared."""
_START = "from contract_watch.generator.generator_process import run_generator; run_generator()"
_PLEA = "If you believe this was a mistake"
"""The start of the generator's request to report a problem to its authors."""
_SOURCES = str(Path(contract_watch.__file__).resolve().parents[1])
"""The directory from which the generator's process imports this package too."""
_OBJECT_REPRS = re.compile(r"<[\w.]+ object at 0x[0-9a-f]+>")
"""The representation of an object in the generator's messages, different in each run."""


def generate_outputs(contract: Contract, into: Path) -> None:
    """Make the directory ``into`` anew: ``openapi.json`` and ``client/``.

    The new directory is built elsewhere and moved into place when complete.

    Raises:
        UsageError: the generator refuses the document; the message is one line.
    """
    into.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{contract.slug}-", dir=into.parent) as scratch:
        fresh, old = Path(scratch) / "fresh", Path(scratch) / "old"
        fresh.mkdir()
        document = {"x-generated": format_banner(contract), **contract.effective.raw}
        (fresh / "openapi.json").write_text(format_json(document), encoding="utf-8", newline="\n")
        package = _generate_client(
            contract, contract.effective.raw, build_facts(contract), Path(scratch), fresh / "client"
        )
        _check_body_types(contract, package)
        if contract.grpc is not None:
            compile_protos(contract, fresh / "descriptors.binpb")
        if into.exists():
            into.rename(old)
        fresh.rename(into)


def generate_comparison_client(contract: Contract, document: Mapping[str, Any], into: Path) -> None:
    """Make the new directory ``into``: the client that ``contract`` would have with the effective ``document``.

    The package is the one that `generate_outputs` makes, for a comparison only: its README has no example, the document
    need not have a package version, and a body may be untyped.

    Raises:
        UsageError: the generator refuses the document; the message is one line.
    """
    into.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{contract.slug}-", dir=into.parent) as scratch:
        _generate_client(
            contract, document, build_basic_facts(contract, OpenApi(document)), Path(scratch), into, COMPARISON_TIMEOUT
        )


def find_stale_files(known: Sequence[Contract], directory: Path, *, only_known: bool = False) -> list[str]:
    """Return a line with the remedy for each file below ``directory`` that the contracts ``known`` generate otherwise.

    A file that comes from no contract is one of them, unless ``only_known``. Nothing in ``directory`` is changed; Python's
    caches are ignored.
    """
    with TemporaryDirectory(prefix="generated-") as scratch:
        for contract in known:
            generate_outputs(contract, Path(scratch) / contract.slug)
        wanted = _read_files(Path(scratch))
    found = _read_files(directory)
    if only_known:
        slugs = {contract.slug for contract in known}
        found = {name: content for name, content in found.items() if name.split("/")[0] in slugs}
    lines = []
    for name in sorted({*wanted, *found}):
        label = f"{directory.name}/{name}"
        if name not in found:
            lines.append(f"{label}: is missing; run `make generate` and commit it")
        elif name not in wanted:
            is_known = name.split("/")[0] in {contract.slug for contract in known}
            remedy = "run `make generate`, which removes it" if is_known else "remove it"
            lines.append(f"{label}: comes from no contract; {remedy}")
        elif found[name] != wanted[name]:
            lines.append(f"{label}: differs from what its contract generates; run `make generate` and commit it")
    return lines


def _generate_client(
    contract: Contract,
    document: Mapping[str, Any],
    facts: Mapping[str, Any],
    scratch: Path,
    client: Path,
    timeout: int = TIMEOUT,
) -> Path:
    """Run the generator on an effective ``document``; return the directory of the package in ``client``.

    ``facts`` are for the templates, ``scratch`` takes the generator's input, ``timeout`` is in seconds.
    """
    package = get_package_name(contract.slug)
    _check_names(contract, document)
    settings = SETTINGS | {
        "project_name_override": f"{contract.slug}-client",
        "package_name_override": package,
        "post_hooks": POST_HOOKS,
    }
    (scratch / "input.json").write_text(format_json(prepare_document(document)), encoding="utf-8")
    (scratch / "config.json").write_text(format_json(settings), encoding="utf-8")
    (scratch / "templates").mkdir()
    (scratch / "facts.json").write_text(format_json(dict(facts)), encoding="utf-8")
    write_templates(facts, scratch / "templates")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RUFF_")}
    # The generator calls ruff by name, and formats no file without it.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    command = [sys.executable, "-c", _START, "generate", "--path", "input.json",
               "--config", "config.json", "--custom-template-path", "templates", "--output-path", str(client),
               "--fail-on-warning"]  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter, and arguments of our own making
            command,
            cwd=scratch,
            env={
                **environment,
                "PATH": path,
                "PYTHONPATH": _SOURCES,
                "PYTHONUTF8": "1",
                "NO_COLOR": "1",
                "_TYPER_STANDARD_TRACEBACK": "1",
            },
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"{contract.slug}: the client generator did not finish within {timeout} s") from error
    if done.returncode:
        output = done.stderr or done.stdout
        # After a crash only the last line, the error, is about the document.
        output = output.strip().splitlines()[-1] if TRACEBACK in output else output
        output = _OBJECT_REPRS.sub("…", output).partition(_PLEA)[0]
        message = escape_text(" ".join(output.split()), 600)
        raise UsageError(f"{contract.slug}: the client generator refuses the effective document: {message}")
    # The file could ignore a directory of the package, such as `build`.
    (client / ".gitignore").unlink()
    shutil.rmtree(client / ".ruff_cache", ignore_errors=True)
    (client / package / "py.typed").write_text(f"# {format_banner(contract)}\n", encoding="utf-8")
    schemas = {"$comment": format_banner(contract), **build_validation_schemas(OpenApi(document))}
    (client / package / "_schemas.json").write_text(format_json(schemas), encoding="utf-8", newline="\n")
    return client / package


def _check_names(contract: Contract, document: Mapping[str, Any]) -> None:
    """Raise a `UsageError` for the first name or value that the client would change, merge or confuse."""
    problem = next(find_problems(document), None)
    if problem is not None:
        raise UsageError(
            f"{contract.slug}: the effective document cannot become a client: {problem}; "
            "rename or remove it in the overlay"
        )


def _check_body_types(contract: Contract, package: Path) -> None:
    """Raise a `UsageError` if the generator has silently typed a body as Any."""
    for operation in contract.operations.values():
        if operation.body and "properties" in resolve_reference(contract.effective.raw, operation.body.schema):
            module = f"{PythonIdentifier(operation.id, prefix=FIELD_PREFIX)}.py"
            texts = [path.read_text(encoding="utf-8") for path in package.glob(f"api/*/{module}")]
            if not texts or any(re.search(r"\bbody: Any\b", text) for text in texts):
                raise UsageError(
                    f"{contract.slug}: the client generator made no class for the body of {operation.id}; "
                    "remove anyOf and oneOf next to properties from its schema in the overlay"
                )


def _read_files(directory: Path) -> dict[str, bytes]:
    """Return every file below ``directory`` by its path, hidden ones too, without Python's caches."""
    paths = {path.relative_to(directory): path for path in directory.rglob("*") if path.is_file() or path.is_symlink()}
    return {
        name.as_posix(): path.read_bytes() if path.is_file() else b""
        for name, path in paths.items()
        if "__pycache__" not in name.parts
    }
