"""``python -m scripts.list_vendors``: see `contract_watch.commands.list_vendors`."""

import sys

from contract_watch.commands.list_vendors import main

if __name__ == "__main__":
    sys.exit(main())
