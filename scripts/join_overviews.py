"""``python -m scripts.join_overviews``: see `contract_watch.commands.join_overviews`."""

import sys

from contract_watch.commands.join_overviews import main

if __name__ == "__main__":
    sys.exit(main())
