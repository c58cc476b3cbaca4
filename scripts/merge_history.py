"""``python -m scripts.merge_history``: see `contract_watch.commands.merge_history`."""

import sys

from contract_watch.commands.merge_history import main

if __name__ == "__main__":
    sys.exit(main())
