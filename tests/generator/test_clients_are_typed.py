"""Type checkers accept the packages and right code that uses them, and find the mistakes of a consumer.

`typing_tests/` is code of made-up teams, for each client and for the mock in tests; a comment marks each line that must not check. Lines that are not marked
must check: mypy and pyright report exactly the marked ones.
"""

from pathlib import Path

import pytest

from tests.support.clients.type_checks import (
    CONSUMERS,
    list_expected_errors,
    list_packages,
    run_mypy,
    run_pyright,
)
from tests.support.interop import environments


@pytest.fixture(name="node", scope="module")
def _node() -> Path:
    try:
        return environments.prepare_node(environments.PYRIGHT_DIRECTORY)
    except (environments.NoNodeError, environments.NotFetchedError) as error:
        pytest.skip(str(error))


def test_mypy_accepts_packages_and_finds_mistakes(tmp_path: Path) -> None:
    """`mypy --strict` reports nothing in the packages, and exactly the marked lines of their users."""
    problems = run_mypy([*list_packages(), *CONSUMERS], tmp_path)
    assert {name: sorted(lines) for name, lines in problems.items()} == _list_expected()


def test_pyright_finds_mistakes(node: Path, tmp_path: Path) -> None:
    """Pyright in its strict mode, where no type may be unknown, reports exactly the marked lines."""
    problems = run_pyright(node, CONSUMERS, tmp_path, "strict")
    assert {name: sorted(lines) for name, lines in problems.items()} == _list_expected()


def test_pyright_accepts_packages(node: Path, tmp_path: Path) -> None:
    """Pyright reports nothing in the packages themselves."""
    assert run_pyright(node, list_packages(), tmp_path, "standard") == {}


def test_every_kind_of_mistake_is_tried() -> None:
    """Each package has a consumer, and so has the mock in tests, with mistakes among right lines."""
    assert len(CONSUMERS) == len(list_packages()) + 1
    assert all(len(list_expected_errors(path)) > 10 for path in CONSUMERS)


def _list_expected() -> dict[str, list[int]]:
    return {path.name: sorted(list_expected_errors(path)) for path in CONSUMERS}
