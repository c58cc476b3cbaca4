"""The wheel, built once for all tests of a process."""

from pathlib import Path

import pytest

from tests.support.installed_package import build_wheel


@pytest.fixture(name="wheel", scope="session")
def _wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("build"))
