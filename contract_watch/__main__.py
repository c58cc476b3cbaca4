"""``python -m contract_watch``: the command ``contract-watch``."""

import sys

from contract_watch.commands.console import main

if __name__ == "__main__":
    sys.exit(main())
