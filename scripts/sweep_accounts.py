"""``python -m scripts.sweep_accounts``: see `contract_watch.commands.sweep_accounts`."""

import sys

from contract_watch.commands.sweep_accounts import main

if __name__ == "__main__":
    sys.exit(main())
