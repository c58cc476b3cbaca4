"""``python -m scripts.check_accounts``: see `contract_watch.commands.check_accounts`."""

import sys

from contract_watch.commands.check_accounts import main

if __name__ == "__main__":
    sys.exit(main())
