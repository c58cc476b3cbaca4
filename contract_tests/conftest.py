"""Turn the tests of this directory into a run: options, order, findings, reports."""

import pytest

from contract_watch.engine.command.options import FLAGS, complete_settings, resolve_options
from contract_watch.engine.command.pytest_plugin import ContractPlugin
from contract_watch.engine.command.suite import Suite
from contract_watch.errors import UsageError


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the suite's options to pytest's."""
    group = parser.getgroup("contract", "the contract suite")
    for flag, settings in FLAGS.items():
        group.addoption(flag, **settings)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Prepare the run unless the command already has; end with one line if an option is wrong."""
    if any(isinstance(plugin, ContractPlugin) for plugin in config.pluginmanager.get_plugins()):
        return
    if config.getoption("scheduler"):
        raise pytest.UsageError("--scheduler: pytest runs on this machine alone; use `python -m contract_tests`")
    try:
        suite = Suite(resolve_options({name: str(config.getoption(name)) for name in complete_settings()}))
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    config.pluginmanager.register(ContractPlugin(suite))


@pytest.fixture(name="suite", scope="session")
def _suite(request: pytest.FixtureRequest) -> Suite:
    plugins = request.config.pluginmanager.get_plugins()
    return next(plugin.suite for plugin in plugins if isinstance(plugin, ContractPlugin))
