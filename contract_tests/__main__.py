"""``python -m contract_tests``: see `contract_watch.commands.check_target`."""

import sys

from contract_watch.commands.check_target import main

if __name__ == "__main__":
    sys.exit(main())
