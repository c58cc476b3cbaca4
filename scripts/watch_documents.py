"""``python -m scripts.watch_documents``: see `contract_watch.commands.watch_documents`."""

import sys

from contract_watch.commands.watch_documents import main

if __name__ == "__main__":
    sys.exit(main())
