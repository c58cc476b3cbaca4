"""The entry that all commands share: options, exit statuses, signals, output and unforeseen errors.

A command is a module whose ``main`` is decorated with `command`; its last line is ``sys.exit(main())``.
"""

from contract_watch.cli.entry import command
from contract_watch.cli.options import (
    CONTRACTS_HELP,
    CONTRACTS_VARIABLE,
    CommandParser,
    StoreContracts,
    create_output_directory,
    format_command,
    name_contracts_option,
    parse_integer,
    parse_number,
    parse_shard,
    parse_switch,
)
from contract_watch.cli.output import supports_colour
from contract_watch.cli.signals import Interruption, catch_signals, ignore_signals, leave_signals_to_parent
from contract_watch.cli.status import ExitStatus, join_statuses
from contract_watch.cli.traceback_file import write_traceback

__all__ = [
    "CONTRACTS_HELP",
    "CONTRACTS_VARIABLE",
    "CommandParser",
    "ExitStatus",
    "Interruption",
    "StoreContracts",
    "catch_signals",
    "command",
    "create_output_directory",
    "format_command",
    "ignore_signals",
    "join_statuses",
    "leave_signals_to_parent",
    "name_contracts_option",
    "parse_integer",
    "parse_number",
    "parse_shard",
    "parse_switch",
    "supports_colour",
    "write_traceback",
]
