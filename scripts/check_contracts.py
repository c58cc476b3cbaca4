"""``python -m scripts.check_contracts``: see `contract_watch.commands.check_contracts`."""

import sys

from contract_watch.commands.check_contracts import main

if __name__ == "__main__":
    sys.exit(main())
