"""``python -m scripts.record_api``: see `contract_watch.commands.record_api`."""

import sys

from contract_watch.commands.record_api import main

if __name__ == "__main__":
    sys.exit(main())
