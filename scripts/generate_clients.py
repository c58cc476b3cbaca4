"""``python -m scripts.generate_clients``: see `contract_watch.commands.generate_clients`."""

import sys

from contract_watch.commands.generate_clients import main

if __name__ == "__main__":
    sys.exit(main())
