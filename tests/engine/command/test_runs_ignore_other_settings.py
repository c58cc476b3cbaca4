"""Settings that users have for their own tests do not reach a run."""

from pathlib import Path

import pytest

from tests.support.suite_process import check_target


@pytest.mark.parametrize(("variable", "value"), [("PYTEST_ADDOPTS", "-v --durations=5"), ("PYTEST_PLUGINS", "absent")])
def test_options_of_pytest_do_not_reach_a_run(variable: str, value: str, tmp_path: Path) -> None:
    """A run loads few of pytest's plugins, so options of the others would end it."""
    result = check_target(tmp_path, "mock", "--only", "rules/rename", environment={variable: value})
    assert result.status == 0, result
