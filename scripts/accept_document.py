"""``python -m scripts.accept_document``: see `contract_watch.commands.accept_document`."""

import sys

from contract_watch.commands.accept_document import main

if __name__ == "__main__":
    sys.exit(main())
