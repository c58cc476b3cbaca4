"""No test depends on how busy the machine is: whoever waits for an event waits as long as `PATIENCE`."""

import ast
from collections.abc import Iterator

import pytest

from contract_watch.contracts.registry import ROOT
from tests.support.patience import PATIENCE

_SHORTEST_BOUND = 60
"""Seconds below which an upper bound on elapsed time measures the machine."""
_WAITS = ("join", "wait", "result", "communicate", "wait_for_exit")
_LONGEST_PAUSE = 1
"""Seconds of a pause that is expected to elapse."""


def _read_number(node: ast.expr) -> float | None:
    """Return the value of a number; None for anything else."""
    is_number = isinstance(node, ast.Constant) and type(node.value) in (int, float)
    return float(node.value) if is_number else None  # type: ignore[attr-defined]


def _find_short_waits(source: str) -> Iterator[str]:
    """Find waits for an event, and upper bounds on elapsed time, that a busy machine may exceed."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            waits = [one.value for one in node.keywords if one.arg == "timeout"]
            is_virtual = "clock" in ast.unparse(node.func)
            waits += node.args[:1] if name in _WAITS and not is_virtual else []
            for wait in waits:
                number = _read_number(wait)
                if number is not None and _LONGEST_PAUSE < number < PATIENCE:
                    yield f"line {node.lineno}: waits {number:g} s"
        elif (
            isinstance(node, ast.Compare)
            and "time.monotonic() -" in ast.unparse(node)
            and isinstance(node.ops[-1], ast.Lt | ast.LtE)
        ):
            number = _read_number(node.comparators[-1])
            if number is not None and number < _SHORTEST_BOUND:
                yield f"line {node.lineno}: less than {number:g} s"
        elif isinstance(node, ast.Assign) and "PATIENCE" in ast.unparse(node.targets[0]):
            number = _read_number(node.value)
            if number is not None and number < PATIENCE:
                yield f"line {node.lineno}: a patience of {number:g} s"


def test_no_test_waits_briefly_for_an_event() -> None:
    """A time limit of a test ends a test that hangs, and no other."""
    paths = [path for path in (ROOT / "tests").rglob("*.py") if "bench" not in path.parts]
    found = {str(path.relative_to(ROOT)): list(_find_short_waits(path.read_text(encoding="utf-8"))) for path in paths}
    assert len(found) > 100
    assert {path: waits for path, waits in found.items() if waits} == {}


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("subprocess.run(command, timeout=20)", 1), ("process.wait(5)", 1), ("client.get(url, timeout=10)", 1),
        ("assert 0.2 <= time.monotonic() - began < 5", 1), ("PATIENCE = 3.0", 1),
        ("process.wait(PATIENCE)", 0), ("clock.wait(100)", 0), ("held.wait(0.2)", 0),
        ("assert time.monotonic() - began < 200", 0), ("assert time.monotonic() - began >= 0.4", 0),
    ],
)  # fmt: skip
def test_the_rule_finds_what_it_looks_for(source: str, count: int) -> None:
    """Short limits are found; pauses, virtual clocks and lower bounds are not."""
    assert len(list(_find_short_waits(source))) == count


def test_patience_ends_before_the_limit_of_pytest(pytestconfig: pytest.Config) -> None:
    """A test that gives up says why, before pytest ends its process."""
    assert float(pytestconfig.getini("faulthandler_timeout")) > PATIENCE
