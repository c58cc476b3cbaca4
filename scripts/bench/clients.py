"""The section about the clients: a call through the door beside bare httpx and another generator's client.

``python -m scripts.bench.clients [--vendor …]`` prints this section alone; `make bench` puts it on the page.
"""

import ast
import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from contract_watch import cli
from contract_watch.contracts.registry import ROOT, Contract, choose_contracts, load_contracts
from contract_watch.generator.client_facts import build_example_options, build_facts
from scripts.bench import client_calls
from scripts.bench.process import BenchError, build_environment
from scripts.bench.servers import start_mock
from scripts.bench.table import Row, format_goal, format_table
from scripts.release.example_program import ExampleRunner, find_examples

_MAX_CALL_RATIO, _MAX_CONCURRENT_RATIO, _MAX_IMPORT = 1.05, 1.10, 20.0
PROGRAM = Path(client_calls.__file__).read_text(encoding="utf-8") + "\nmain()\n"
"""The program that times the calls; it needs the clients and httpx alone."""
_LOCK = Path(__file__).with_name("clients.lock")
_TIMEOUT = 600
"""Seconds that one step may take."""
_IMPORT = """
import sys, time
sys.path.insert(0, sys.argv[1])
import httpx
start = time.perf_counter()
door = __import__(sys.argv[2])
door.connect, door.aconnect, door.errors
door.connect("key", base_url="http://127.0.0.1:1")
print(time.perf_counter() - start)
"""
_LABELS = {"sync": "sync", "async": "async", "concurrent": f"{client_calls.CONCURRENT} async at a time"}


def measure_clients(contract: Contract, rounds: int, batch: int, imports: int) -> Iterator[Row]:
    """Measure calls of the contract's client; ``rounds`` of ``batch`` calls, and ``imports`` processes that import it."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="bench-clients-")))
        python = _make_environment()
        options = build_options(contract, f"http://127.0.0.1:{start_mock(stack)}")
        try:
            options["other"], missing = str(_generate_other(contract, python, scratch)), ""
        except BenchError as error:
            options["other"], missing = "", str(error)
        given = json.dumps({**options, "rounds": rounds, "batch": batch})
        figures: dict[str, dict[str, list[float]]] = json.loads(_run([python, "-I", "-c", PROGRAM], scratch, given))
        missing = missing or str(next(iter(figures.pop("missing", {})), ""))
        seconds = [
            float(_run([python, "-I", "-c", _IMPORT, options["client"], options["package"]], scratch))
            for _ in range(imports)
        ]
    for kind, found in figures.items():
        yield from list_rows(kind, found)
    if missing:
        yield "openapi-generator", f"not measured: {missing}", ""
    best = min(seconds) * 1e3
    goal = format_goal(best <= _MAX_IMPORT, f"≤ {_MAX_IMPORT:g} ms")
    yield f"import and connect(), over httpx alone, best of {imports}", f"{best:.1f} ms", goal


def list_rows(kind: str, found: Mapping[str, Sequence[float]]) -> Iterator[Row]:
    label = _LABELS[kind]
    for name, figures in found.items():
        yield f"{label}: {name}", f"{median(figures) * 1e6:,.0f} µs ({min(figures) * 1e6:,.0f} at best)", ""
    most = _MAX_CONCURRENT_RATIO if kind == "concurrent" else _MAX_CALL_RATIO
    yield _format_ratio(label, "connect()", "httpx", found, most)
    yield _format_ratio(label, "generator's function", "httpx", found)
    if "openapi-generator" in found:
        yield _format_ratio(label, "openapi-generator", "urllib3", found)
        yield _format_ratio(label, "openapi-generator", "connect()", found)


def _format_ratio(
    label: str, name: str, other: str, found: Mapping[str, Sequence[float]], most: float | None = None
) -> Row:
    """Build a row with the median of the rounds' ratios: both figures of a ratio come from the same moment."""
    ratio = median(one / two for one, two in zip(found[name], found[other], strict=True))
    goal = "" if most is None else format_goal(ratio <= most, f"≤ {most:g}")
    return f"{label}: {name} / {other}", f"{ratio:.2f}", goal


def build_options(contract: Contract, url: str) -> dict[str, Any]:
    """Return the options of the measuring program, after creating the object that the call reads."""
    client = contract.output_directory / "client"
    facts, options = build_facts(contract), build_example_options(contract, url)
    sys.path.insert(0, str(client))
    try:
        examples = find_examples(importlib.import_module(options["package"]).Api)
        runner = ExampleRunner(options)
        runner.create(examples[options["create"]])
    finally:
        sys.path.remove(str(client))
    read = ast.parse(examples[facts["read"]])
    call = next(one for one in ast.walk(read) if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute))
    arguments = {one.arg: ast.literal_eval(one.value) for one in call.keywords}
    arguments |= {name: runner.object_id for name in options["id_arguments"] if name in arguments}
    return {**options, "client": str(client), "method": facts["read"], "arguments": arguments}


def _make_environment() -> str:
    """Install httpx and openapi-generator once, as the lock file says, below ``.venv``; return the Python of it."""
    directory = ROOT / ".venv" / "bench-clients"
    python, installed = directory / "bin" / "python", directory / "installed.lock"
    lock = _LOCK.read_text(encoding="utf-8")
    if not (installed.exists() and installed.read_text(encoding="utf-8") == lock):
        shutil.rmtree(directory, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(directory)], ROOT)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--require-hashes", "--only-binary", ":all:", "--requirement", str(_LOCK)], ROOT)
        installed.write_text(lock, encoding="utf-8")
    return str(python)


def _generate_other(contract: Contract, python: str, scratch: Path) -> Path:
    """Let openapi-generator make a client of the same document; return the directory of its package."""
    if shutil.which("java") is None:
        raise BenchError("Java is not installed")
    program, out, document = (
        Path(python).with_name("openapi-generator-cli"),
        scratch / "other",
        scratch / "openapi.json",
    )
    whole = json.loads((contract.output_directory / "openapi.json").read_text(encoding="utf-8"))
    document.write_text(json.dumps(drop_boolean_constants(whole)), encoding="utf-8")
    options = ["-i", str(document), "-g", "python", "-o", str(out), "--skip-validate-spec"]
    _run([str(program), "generate", *options], scratch)
    return out


def drop_boolean_constants(value: Any) -> Any:
    """Return the document without constants of booleans: the other client compares them with strings, and refuses all."""
    if isinstance(value, dict):
        dropped = ("enum", "const") if value.get("type") == "boolean" else ()
        return {name: drop_boolean_constants(inner) for name, inner in value.items() if name not in dropped}
    return [drop_boolean_constants(inner) for inner in value] if isinstance(value, list) else value


def _run(command: Sequence[str], directory: Path, given: str | None = None) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - commands of our own making
            command, cwd=directory, env=build_environment() | {"PYTHONPATH": ""}, input=given, capture_output=True,
            text=True, timeout=_TIMEOUT, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchError(f"{Path(command[0]).name}: {error}") from error
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()
        raise BenchError(f"{' '.join(Path(one).name for one in command[:3])} failed: {lines[-1]}")
    return done.stdout


@cli.command(interrupted="nothing was printed")
def main(arguments: list[str] | None = None) -> int:
    """Print the section; see `contract_watch.cli` for the statuses."""
    parser = cli.CommandParser("scripts.bench.clients", "The clients beside bare httpx and another generator's client.")
    parser.add_argument("--vendor", help="a contract's slug (the first)")
    parser.add_argument("--rounds", default="40", help="rounds in which the contenders take turns (40)")
    parser.add_argument("--batch", default="20", help="calls of each contender in a round (20)")
    given = parser.parse_args(arguments)
    contract = choose_contracts(given.vendor or next(iter(load_contracts()), "none"))[0]
    rounds = cli.parse_integer("--rounds", given.rounds, 1, 10_000)
    batch = cli.parse_integer("--batch", given.batch, 1, 10_000)
    try:
        print(f"{contract.name}, load was {os.getloadavg()[0]:.1f} before.\n")
        print(format_table(list(measure_clients(contract, rounds, batch, imports=10))))
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return cli.ExitStatus.INCONCLUSIVE
    return cli.ExitStatus.OK


if __name__ == "__main__":
    sys.exit(main())
