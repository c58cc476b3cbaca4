"""A run of the suite by pytest, called from within a command."""

import os
from pathlib import Path

import pytest

from contract_watch.engine.command.pytest_plugin import ContractPlugin

_UNUSED_PLUGINS = (
    # The suite's own report takes the place of pytest's terminal output, reports and caches.
    "terminal", "tmpdir", "cacheprovider", "logging", "warnings", "junitxml", "pastebin",
    # These end each run with a collection of garbage, which takes longer than a dozen requests.
    "unraisableexception", "threadexception",
    # The suite's tests use none of these.
    "doctest", "unittest", "setuponly", "setupplan", "stepwise", "legacypath", "recwarn", "monkeypatch", "faulthandler",
)  # fmt: skip


def run_pytest(plugin: ContractPlugin, directory: Path) -> int:
    """Run the tests in ``directory``, the suite's, for the suite of ``plugin``; return pytest's own status."""
    quiet = [argument for name in _UNUSED_PLUGINS for argument in ("-p", f"no:{name}")]
    quiet += ["--disable-plugin-autoload", "--assert=plain"]
    place, vendor = str(directory), plugin.suite.options.vendor
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        os.environ.pop(name, None)  # a user's options for tests of their own may be unknown to this run
    return int(pytest.main([place, *quiet, "--rootdir", place, "-c", os.devnull, "--vendor", vendor], [plugin]))
