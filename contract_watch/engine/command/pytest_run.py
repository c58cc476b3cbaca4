"""A run of the suite by pytest, called from within a command."""

import os
from pathlib import Path

import pytest

from contract_watch.engine.command.pytest_plugin import ContractPlugin


def run_pytest(plugin: ContractPlugin, directory: Path) -> int:
    """Run the tests in ``directory``, the suite's, for the suite of ``plugin``; return pytest's own status."""
    # The suite's own report takes the place of pytest's terminal output and caches.
    quiet = ["-p", "no:terminal", "-p", "no:tmpdir", "-p", "no:cacheprovider", "-p", "no:logging", "-p", "no:warnings"]
    quiet += ["--disable-plugin-autoload", "--assert=plain"]
    place, vendor = str(directory), plugin.suite.options.vendor
    return int(pytest.main([place, *quiet, "--rootdir", place, "-c", os.devnull, "--vendor", vendor], [plugin]))
