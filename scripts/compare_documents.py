"""``python -m scripts.compare_documents``: see `contract_watch.commands.compare_documents`."""

import sys

from contract_watch.commands.compare_documents import main

if __name__ == "__main__":
    sys.exit(main())
