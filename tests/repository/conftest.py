"""The wheel, built once for all test processes."""

from pathlib import Path

import pytest

from tests.support.installed_package import build_wheel
from tests.support.shared_directories import make_once


@pytest.fixture(name="wheel", scope="session")
def _wheel(shared_directory: Path) -> Path:
    """Build the wheel; its directory also has the sources that it was built from."""
    make_once(shared_directory / "wheels", {"build": build_wheel})
    (wheel,) = (shared_directory / "wheels" / "build" / "dist").glob("*.whl")
    return wheel
