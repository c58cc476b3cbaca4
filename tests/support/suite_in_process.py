"""A whole run in this process: the real suite, its pytest included, on a target."""

from pathlib import Path

from contract_tests.__main__ import __file__ as suite_file
from contract_watch.engine.command.options import complete_settings, resolve_options
from contract_watch.engine.command.pytest_plugin import ContractPlugin
from contract_watch.engine.command.pytest_run import run_pytest
from contract_watch.engine.command.suite import Suite
from contract_watch.report.record import Record


def run_suite(directory: Path, target: str, vendor: str = "jetemail", explore: str = "0", **more: str) -> Record:
    """Run the suite on ``target``; write its reports into ``directory`` and return the vendor's record."""
    settings = {"vendor": vendor, "target": target, "out": str(directory), "seed": "7", "explore": explore, **more}
    plugin = ContractPlugin(Suite(resolve_options(complete_settings(settings), {})))
    run_pytest(plugin, Path(suite_file).parent)
    assert not plugin.report_error, plugin.report_error
    (record,) = plugin.records
    return record
